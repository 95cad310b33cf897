//! Student's test of pairs, Welch's of two samples, and the size of a paired effect.

use serde::{Deserialize, Serialize};

use super::percentile::{mean, variance};
use crate::error::{EvaluationError, Result, all_finite, same_length};
use crate::tails::student_two_sided;

/// A t-test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TTest {
    /// The difference in units of its standard error.
    pub t: f64,
    /// Degrees of freedom.
    pub df: f64,
    /// Two-sided p-value.
    pub p_value: f64,
}

/// Tests whether the mean difference of paired values is zero.
pub fn paired_t_test(first: &[f64], second: &[f64]) -> Result<TTest> {
    let differences = differences(first, second)?;
    let n = differences.len() as f64;
    test(mean(&differences), variance(&differences) / n, n - 1.0)
}

/// Tests whether two samples have the same mean, without supposing that they spread alike (Welch,
/// 1947).
pub fn welch_t_test(first: &[f64], second: &[f64]) -> Result<TTest> {
    at_least_two(first)?;
    at_least_two(second)?;
    let part = |sample: &[f64]| variance(sample) / sample.len() as f64;
    let (a, b) = (part(first), part(second));
    let share = |part: f64, sample: &[f64]| part * part / (sample.len() - 1) as f64;
    let df = (a + b).powi(2) / (share(a, first) + share(b, second));
    test(mean(first) - mean(second), a + b, df)
}

/// The mean difference of pairs in units of the differences' standard deviation (Cohen's d).
pub fn cohen_d_paired(first: &[f64], second: &[f64]) -> Result<f64> {
    let differences = differences(first, second)?;
    let deviation = variance(&differences).sqrt();
    if deviation == 0.0 {
        return Err(constant("Cohen's d"));
    }
    Ok(mean(&differences) / deviation)
}

fn test(difference: f64, variance: f64, df: f64) -> Result<TTest> {
    if variance == 0.0 {
        return Err(constant("the t-test"));
    }
    let t = difference / variance.sqrt();
    Ok(TTest { t, df, p_value: student_two_sided(t, df) })
}

fn constant(what: &'static str) -> EvaluationError {
    EvaluationError::Undefined { what, reason: "the values do not vary" }
}

fn differences(first: &[f64], second: &[f64]) -> Result<Vec<f64>> {
    same_length("values of the second sample", first.len(), second.len())?;
    at_least_two(first)?;
    at_least_two(second)?;
    Ok(first.iter().zip(second).map(|(a, b)| a - b).collect())
}

fn at_least_two(sample: &[f64]) -> Result<()> {
    all_finite("value of a sample", sample)?;
    if sample.len() < 2 {
        let reason = "a sample has fewer than two values";
        return Err(EvaluationError::Undefined { what: "the t-test", reason });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paired_test_by_hand() {
        // Differences 1, 2, 3: mean 2, standard error 1/√3; P(|t₂| ≥ 2√3) = 0.0741799.
        let test = paired_t_test(&[2.0, 4.0, 6.0], &[1.0, 2.0, 3.0]).unwrap();
        assert!((test.t - 12_f64.sqrt()).abs() < 1e-12);
        assert!((test.p_value - 0.074_179_9).abs() < 1e-6);
        assert_eq!(cohen_d_paired(&[2.0, 4.0, 6.0], &[1.0, 2.0, 3.0]), Ok(2.0));
    }

    #[test]
    fn values_that_do_not_vary_have_no_test() {
        assert!(paired_t_test(&[1.0, 1.0], &[0.0, 0.0]).is_err());
        assert!(welch_t_test(&[1.0], &[1.0, 2.0]).is_err());
        assert!(welch_t_test(&[1.0, 1.0], &[2.0, 2.0]).is_err());
    }
}
