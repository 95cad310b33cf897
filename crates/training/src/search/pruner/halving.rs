//! Successive halving without waiting (ASHA; Li et al. 2020), in the variant that stops trials.
//!
//! Rungs are at `min_steps`, `min_steps · reduction_factor`, and so on. A trial that comes to a rung goes
//! on if it is among the best `1 / reduction_factor` of all trials that have come to it so far. Nobody
//! waits for the others, so early trials are judged by few.

use serde::{Deserialize, Serialize};

use super::{Curve, Pruner, at_least};
use crate::search::SearchError;

/// Where the rungs are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SuccessiveHalving {
    /// Steps to the first rung.
    pub min_steps: u64,
    /// One of this many goes on.
    pub reduction_factor: u64,
}

impl Default for SuccessiveHalving {
    fn default() -> Self {
        Self { min_steps: 1, reduction_factor: 3 }
    }
}

impl SuccessiveHalving {
    pub(super) fn checked(&self) -> Result<Self, SearchError> {
        at_least("min_steps", 1, self.min_steps)?;
        at_least("reduction_factor", 2, self.reduction_factor)?;
        Ok(self.clone())
    }

    /// The highest rung that a report at `step` crosses, if the report before it was at `before`.
    fn rung(&self, before: Option<u64>, step: u64) -> Option<u64> {
        let rungs = std::iter::successors(Some(self.min_steps), |rung| {
            rung.checked_mul(self.reduction_factor)
        });
        let reached = rungs.take_while(|rung| *rung <= step);
        reached.last().filter(|rung| before.is_none_or(|before| before < *rung))
    }

    /// Whether a trial stops, judged by those of `curves` that `counts` accepts.
    pub(super) fn stops_among(
        &self,
        number: u64,
        curves: &[Curve],
        counts: impl Fn(u64) -> bool,
    ) -> bool {
        let Some(curve) = curves.iter().find(|curve| curve.number == number) else { return false };
        let Some((&(step, loss), before)) = curve.losses.split_last() else { return false };
        let Some(rung) = self.rung(before.last().map(|(at, _)| *at), step) else { return false };
        let rivals = curves.iter().filter(|other| other.number != number && counts(other.number));
        let rivals: Vec<f64> = rivals.filter_map(|rival| rival.at_or_after(rung)).collect();
        let better = rivals.iter().filter(|rival| **rival < loss).count() as u64;
        let places = ((rivals.len() as u64 + 1) / self.reduction_factor).max(1);
        better >= places
    }
}

impl Pruner for SuccessiveHalving {
    fn stops(&self, number: u64, curves: &[Curve]) -> bool {
        self.stops_among(number, curves, |_| true)
    }
}

#[cfg(test)]
mod tests {
    use super::super::curve;
    use super::*;

    #[test]
    fn one_of_three_goes_on_at_each_rung() {
        let rule = SuccessiveHalving { min_steps: 2, reduction_factor: 3 };
        let at_two = [0.5, 0.1, 0.4, 0.3, 0.2, 0.6];
        let mut curves: Vec<Curve> = Vec::new();
        let mut went_on = Vec::new();
        for (number, loss) in (0..).zip(at_two) {
            curves.push(curve(number, &[(1, 9.0), (2, loss)], false));
            if !rule.stops(number, &curves) {
                went_on.push(number);
            }
        }
        // The first has no rival; the second is the best of two; of three to five, only a new best would
        // go on; of six, two do.
        assert_eq!(went_on, [0, 1]);
        curves[4].losses.push((3, 0.0));
        assert!(!rule.stops(4, &curves), "3 is no rung");
        curves[4].losses.push((6, 5.0));
        assert!(!rule.stops(4, &curves), "nobody else has come to 6");
        curves[1].losses.push((7, 4.0));
        assert!(!rule.stops(1, &curves), "7 is the first report behind 6, and better");
    }

    #[test]
    fn a_report_that_jumps_over_rungs_is_judged_at_the_highest() {
        let rule = SuccessiveHalving { min_steps: 1, reduction_factor: 2 };
        assert_eq!(rule.rung(None, 9), Some(8));
        assert_eq!(rule.rung(Some(8), 9), None);
        assert_eq!(rule.rung(Some(7), 8), Some(8));
        assert_eq!(rule.rung(None, 0), None);
        assert!(SuccessiveHalving { min_steps: 0, reduction_factor: 2 }.checked().is_err());
        assert!(SuccessiveHalving { min_steps: 1, reduction_factor: 1 }.checked().is_err());
    }
}
