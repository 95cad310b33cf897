//! Wilson's interval of a proportion (Wilson, "Probable inference, the law of succession, and
//! statistical inference", 1927), which keeps its promise for few trials and shares near 0 or 1.

use super::estimate::{Estimate, Method};
use super::percentile::check_confidence;
use crate::error::{EvaluationError, Result, not_empty};
use crate::tails::normal_quantile;

/// The share of `successes` in `trials` with Wilson's interval.
pub fn wilson(successes: usize, trials: usize, confidence: f64) -> Result<Estimate> {
    check_confidence(confidence)?;
    not_empty("trials", trials)?;
    if successes > trials {
        let (what, bound) = ("successes", trials + 1);
        return Err(EvaluationError::OutOfRange { what, position: 0, bound, found: successes });
    }
    let n = trials as f64;
    let share = successes as f64 / n;
    let z = normal_quantile(0.5 + confidence / 2.0);
    let shrink = 1.0 + z * z / n;
    let centre = (share + z * z / (2.0 * n)) / shrink;
    let half = z / shrink * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    Ok(Estimate {
        value: share,
        // The ends are exact where rounding would miss them.
        interval: (
            if successes == 0 { 0.0 } else { centre - half },
            if successes == trials { 1.0 } else { centre + half },
        ),
        confidence,
        standard_error: (share * (1.0 - share) / n).sqrt(),
        n: trials,
        method: Method::Wilson,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_success_and_all_successes_have_intervals_inside_zero_and_one() {
        let none = wilson(0, 10, 0.95).unwrap();
        // z² / (n + z²) for no success.
        assert_eq!(none.interval.0, 0.0);
        assert!((none.interval.1 - 3.841_459 / 13.841_459).abs() < 1e-6);
        let all = wilson(10, 10, 0.95).unwrap();
        assert!((all.interval.0 - (1.0 - none.interval.1)).abs() < 1e-12);
        assert!(wilson(11, 10, 0.95).is_err() && wilson(0, 0, 0.95).is_err());
    }
}
