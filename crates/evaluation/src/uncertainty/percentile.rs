//! Percentiles and moments of a sample.

use crate::error::{EvaluationError, Result};

/// The interval that leaves out as much of `sample` below as above; between two values, linear.
pub(crate) fn central_interval(sample: &mut [f64], confidence: f64) -> (f64, f64) {
    sample.sort_by(f64::total_cmp);
    let tail = (1.0 - confidence) / 2.0;
    (quantile(sample, tail), quantile(sample, 1.0 - tail))
}

/// A quantile of values that are sorted.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let position = share.clamp(0.0, 1.0) * (sorted.len() - 1) as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (position - below as f64) * (sorted[above] - sorted[below])
}

/// The mean; 0 of nothing.
pub(crate) fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// The variance of the population that a sample comes from; 0 of fewer than two values.
pub(crate) fn variance(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return 0.0;
    }
    let mean = mean(values);
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64
}

/// Errs unless `confidence` is between 0 and 1.
pub(crate) fn check_confidence(confidence: f64) -> Result<()> {
    if confidence > 0.0 && confidence < 1.0 {
        return Ok(());
    }
    Err(EvaluationError::InvalidOption {
        option: "confidence",
        expected: "a number between 0 and 1",
        found: confidence.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_linear_between_values() {
        assert_eq!(central_interval(&mut [3.0, 1.0, 2.0, 5.0, 4.0], 0.75), (1.5, 4.5));
        assert_eq!(central_interval(&mut [2.0], 0.95), (2.0, 2.0));
    }

    #[test]
    fn the_variance_is_the_unbiased_one() {
        assert_eq!(variance(&[1.0, 2.0, 3.0, 4.0]), 5.0 / 3.0);
        assert_eq!((variance(&[1.0]), mean(&[])), (0.0, 0.0));
    }
}
