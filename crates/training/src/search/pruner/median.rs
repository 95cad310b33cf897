//! The median rule (Golovin et al. 2017): a trial stops if its best loss so far is above the median of
//! what the others had at the same step.

use serde::{Deserialize, Serialize};

use super::{Curve, Pruner};

/// When the rule holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Median {
    /// Trials that must have come to their end before any is stopped.
    pub startup_trials: usize,
    /// Steps within which none is stopped.
    pub warmup_steps: u64,
}

impl Default for Median {
    fn default() -> Self {
        Self { startup_trials: 5, warmup_steps: 0 }
    }
}

impl Pruner for Median {
    fn stops(&self, number: u64, curves: &[Curve]) -> bool {
        let Some(curve) = curves.iter().find(|curve| curve.number == number) else { return false };
        let Some(&(step, _)) = curve.losses.last() else { return false };
        let others = curves.iter().filter(|other| other.finished && other.number != number);
        let mut others: Vec<f64> = others.filter_map(|other| other.best_until(step)).collect();
        if step <= self.warmup_steps || others.len() < self.startup_trials.max(1) {
            return false;
        }
        others.sort_by(f64::total_cmp);
        let middle = others.len() / 2;
        let median = match others.len() % 2 {
            0 => 0.5 * (others[middle - 1] + others[middle]),
            _ => others[middle],
        };
        curve.best_until(step).is_some_and(|best| best > median)
    }
}

#[cfg(test)]
mod tests {
    use super::super::curve;
    use super::*;

    #[test]
    fn the_worse_half_stops_after_the_startup() {
        let rule = Median { startup_trials: 3, warmup_steps: 1 };
        let mut curves = vec![
            curve(0, &[(1, 5.0), (2, 3.0)], true),
            curve(1, &[(1, 5.0), (2, 2.0)], true),
            curve(2, &[(1, 5.0), (2, 1.0)], true),
        ];
        let mut stops = |losses: &[(u64, f64)]| {
            curves.truncate(3);
            curves.push(curve(3, losses, false));
            rule.stops(3, &curves)
        };
        assert!(!stops(&[(1, 9.0)]), "within the warm-up");
        assert!(stops(&[(1, 9.0), (2, 2.1)]));
        assert!(!stops(&[(1, 9.0), (2, 2.0)]), "as good as the median");
        assert!(!stops(&[(1, 1.5), (2, 2.1)]), "it has been better");
        assert!(!rule.stops(3, &curves[1..]), "too few have finished");
    }
}
