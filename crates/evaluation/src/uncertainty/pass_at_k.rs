//! pass@k: the probability that one of `k` samples of a problem is right, estimated without bias
//! from `n` samples (Chen et al., "Evaluating large language models trained on code", 2021).

use crate::error::{EvaluationError, Result};

/// The estimate for a problem of whose `samples` so many are `correct`; `k` is at most `samples`.
/// The figure of a set of problems is the mean.
pub fn pass_at_k(samples: usize, correct: usize, k: usize) -> Result<f64> {
    let bounded = |what, found: usize| {
        if found <= samples {
            return Ok(());
        }
        Err(EvaluationError::OutOfRange { what, position: 0, bound: samples + 1, found })
    };
    bounded("correct samples", correct)?;
    bounded("k", k)?;
    let wrong = samples - correct;
    if wrong < k {
        return Ok(1.0);
    }
    // (wrong choose k) / (samples choose k), as a product of ratios so that nothing overflows.
    let none_right = (wrong + 1..=samples).map(|i| 1.0 - k as f64 / i as f64).product::<f64>();
    Ok(1.0 - none_right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sample_passes_as_often_as_samples_are_right() {
        assert!((pass_at_k(20, 5, 1).unwrap() - 0.25).abs() < 1e-12);
        // 1 − (3 choose 2) / (5 choose 2).
        assert!((pass_at_k(5, 2, 2).unwrap() - 0.7).abs() < 1e-12);
        assert_eq!(pass_at_k(5, 4, 2), Ok(1.0));
        assert!(pass_at_k(5, 6, 1).is_err() && pass_at_k(5, 1, 6).is_err());
    }
}
