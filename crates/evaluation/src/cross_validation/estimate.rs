//! The interval of a cross-validated score, and the test of two of them: the corrected resampled t
//! of Nadeau and Bengio ("Inference for the generalization error", 2003), which Bouckaert and Frank
//! ("Evaluating the replicability of significance tests for comparing learning algorithms", 2004)
//! found right for repeated cross-validation.
//!
//! Folds share training items, so their scores vary less than those of independent experiments
//! would. The correction adds the ratio of test to training items to 1 / folds in the variance of
//! the mean: for ten folds, 0.1 + 0.111 instead of 0.1.

use super::Fold;
use crate::error::{EvaluationError, Result, all_finite, same_length};
use crate::tails::{student_quantile, student_two_sided};
use crate::uncertainty::{Estimate, Method, TTest, check_confidence, mean, variance};

/// The mean of the folds' scores with its corrected interval. It says how sure the score is for
/// training sets of this size, not for one model.
pub fn corrected_mean(folds: &[Fold], scores: &[f64], confidence: f64) -> Result<Estimate> {
    check_confidence(confidence)?;
    let (value, standard_error) = corrected(folds, scores)?;
    let half = standard_error * student_quantile(0.5 + confidence / 2.0, (scores.len() - 1) as f64);
    Ok(Estimate {
        value,
        interval: (value - half, value + half),
        confidence,
        standard_error,
        n: scores.len(),
        method: Method::CorrectedResampledT,
    })
}

/// Tests whether two models' scores on the same folds differ in the mean.
pub fn corrected_t_test(folds: &[Fold], first: &[f64], second: &[f64]) -> Result<TTest> {
    same_length("scores of the second model", first.len(), second.len())?;
    let differences: Vec<f64> = first.iter().zip(second).map(|(a, b)| a - b).collect();
    let (difference, standard_error) = corrected(folds, &differences)?;
    if standard_error == 0.0 {
        let reason = "the two models differ by the same in every fold";
        return Err(EvaluationError::Undefined { what: "the t-test", reason });
    }
    let (t, df) = (difference / standard_error, (first.len() - 1) as f64);
    Ok(TTest { t, df, p_value: student_two_sided(t, df) })
}

/// The mean of one value per fold and its corrected standard error.
fn corrected(folds: &[Fold], values: &[f64]) -> Result<(f64, f64)> {
    same_length("scores of folds", folds.len(), values.len())?;
    all_finite("score of a fold", values)?;
    if values.len() < 2 {
        let reason = "there are fewer than two folds";
        return Err(EvaluationError::Undefined { what: "the interval of a mean", reason });
    }
    let ratios: Vec<f64> =
        folds.iter().map(|fold| fold.test.len() as f64 / fold.train.len() as f64).collect();
    all_finite("ratio of test to training items", &ratios)?;
    let factor = 1.0 / values.len() as f64 + mean(&ratios);
    Ok((mean(values), (factor * variance(values)).sqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Folds with 9 training items and 1 test item each.
    fn ten() -> Vec<Fold> {
        let fold = |at| Fold {
            repeat: 0,
            train: (0..10).filter(|other| *other != at).collect(),
            test: vec![at],
        };
        (0..10).map(fold).collect()
    }

    #[test]
    fn ten_folds_by_hand() {
        let scores: Vec<f64> = (1..=10).map(f64::from).collect();
        let estimate = corrected_mean(&ten(), &scores, 0.95).unwrap();
        // The variance is 55/6; t₉ at 0.975 is 2.262157.
        let error = ((0.1_f64 + 1.0 / 9.0) * 55.0 / 6.0).sqrt();
        assert_eq!((estimate.value, estimate.n), (5.5, 10));
        assert!((estimate.standard_error - error).abs() < 1e-12);
        assert!((estimate.half_width() - 2.262_157 * error).abs() < 1e-5);
        let test = corrected_t_test(&ten(), &scores, &[0.0; 10]).unwrap();
        assert!((test.t - 5.5 / error).abs() < 1e-12 && test.df == 9.0);
    }

    #[test]
    fn scores_that_have_no_interval_are_errors() {
        assert!(corrected_mean(&ten(), &[1.0], 0.95).is_err());
        assert!(corrected_mean(&ten()[..1], &[1.0], 0.95).is_err());
        assert!(corrected_mean(&ten(), &[f64::NAN; 10], 0.95).is_err());
        assert!(corrected_t_test(&ten(), &[1.0; 10], &[0.0; 10]).is_err());
        let untrained = Fold { repeat: 0, train: vec![], test: vec![0] };
        assert!(corrected_mean(&[untrained.clone(), untrained], &[1.0, 2.0], 0.95).is_err());
    }
}
