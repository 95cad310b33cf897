//! Figures of several runs that differ in their seed: mean and standard deviation, and Student's
//! interval of the mean. It is the uncertainty of training, which no bootstrap over documents sees.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::estimate::{Estimate, Method};
use super::percentile::{check_confidence, mean, variance};
use crate::error::{EvaluationError, Result, all_finite, not_empty};
use crate::tails::student_quantile;

/// How figures of several runs spread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation, of the population that they are a sample of; 0 for one run.
    pub sd: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// Runs.
    pub n: usize,
}

impl fmt::Display for Spread {
    /// `31.42 ± 0.31 (n = 3)`, with as many decimals as asked for, or 2.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = f.precision().unwrap_or(2);
        write!(f, "{:.decimals$} ± {:.decimals$} (n = {})", self.mean, self.sd, self.n)
    }
}

/// Mean and standard deviation of the figures of several runs.
pub fn spread(figures: &[f64]) -> Result<Spread> {
    not_empty("figures", figures.len())?;
    all_finite("figure", figures)?;
    Ok(Spread {
        mean: mean(figures),
        sd: variance(figures).sqrt(),
        min: figures.iter().copied().fold(f64::INFINITY, f64::min),
        max: figures.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        n: figures.len(),
    })
}

/// The mean of at least two runs' figures with Student's interval.
pub fn mean_interval(figures: &[f64], confidence: f64) -> Result<Estimate> {
    check_confidence(confidence)?;
    let Spread { mean, sd, n, .. } = spread(figures)?;
    if n < 2 {
        let reason = "there is only one run";
        return Err(EvaluationError::Undefined { what: "the interval of a mean", reason });
    }
    let standard_error = sd / (n as f64).sqrt();
    let half = standard_error * student_quantile(0.5 + confidence / 2.0, (n - 1) as f64);
    Ok(Estimate {
        value: mean,
        interval: (mean - half, mean + half),
        confidence,
        standard_error,
        n,
        method: Method::StudentT,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_runs_by_hand() {
        let spread = spread(&[1.0, 2.0, 3.0]).unwrap();
        assert_eq!(spread.to_string(), "2.00 ± 1.00 (n = 3)");
        // t₂ at 0.975 is 4.302653.
        let estimate = mean_interval(&[1.0, 2.0, 3.0], 0.95).unwrap();
        assert!((estimate.half_width() - 4.302_653 / 3_f64.sqrt()).abs() < 1e-5);
        assert!(mean_interval(&[1.0], 0.95).is_err());
    }
}
