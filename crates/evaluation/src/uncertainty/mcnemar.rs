//! McNemar's test of two systems that are right or wrong on the same items (McNemar, 1947).

use serde::{Deserialize, Serialize};

use crate::error::{Result, same_length};
use crate::tails::{binomial_half_cdf, chi_squared_tail};

/// The items that only one of two systems gets right, and what they say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct McNemar {
    /// Items that the first has wrong and the second right.
    pub b01: u64,
    /// Items that the first has right and the second wrong.
    pub b10: u64,
    /// Two-sided p-value of the binomial distribution; the one to report.
    pub exact_p: f64,
    /// Chi-squared without correction.
    pub chi2: f64,
    /// Its p-value.
    pub chi2_p: f64,
    /// Chi-squared with the correction for continuity.
    pub chi2_corrected: f64,
    /// Its p-value.
    pub chi2_corrected_p: f64,
}

impl McNemar {
    /// The test of two systems' answers to the same items, in the same order.
    pub fn new(first_correct: &[bool], second_correct: &[bool]) -> Result<Self> {
        same_length("answers of the second system", first_correct.len(), second_correct.len())?;
        let pairs = first_correct.iter().zip(second_correct);
        let number = |first: bool, second: bool| {
            pairs.clone().filter(|(a, b)| (**a, **b) == (first, second)).count() as u64
        };
        Ok(Self::of_counts(number(false, true), number(true, false)))
    }

    /// The test of the numbers of items that only the second and only the first has right.
    pub fn of_counts(b01: u64, b10: u64) -> Self {
        let (discordant, apart) = ((b01 + b10) as f64, b01.abs_diff(b10) as f64);
        let squared = |apart: f64| if discordant > 0.0 { apart * apart / discordant } else { 0.0 };
        let (chi2, chi2_corrected) = (squared(apart), squared((apart - 1.0).max(0.0)));
        Self {
            b01,
            b10,
            exact_p: (2.0 * binomial_half_cdf(b01.min(b10), b01 + b10)).min(1.0),
            chi2,
            chi2_p: chi_squared_tail(chi2, 1.0),
            chi2_corrected,
            chi2_corrected_p: chi_squared_tail(chi2_corrected, 1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exact_p_value_is_the_binomial_tail() {
        let test =
            McNemar::new(&[true, true, true, true, false], &[false, false, false, true, false]);
        let test = test.unwrap();
        assert_eq!((test.b01, test.b10), (0, 3));
        assert!((test.exact_p - 0.25).abs() < 1e-12);
        assert!(McNemar::new(&[true], &[]).is_err());
    }

    #[test]
    fn systems_that_never_differ_are_not_different() {
        let test = McNemar::of_counts(0, 0);
        assert_eq!((test.exact_p, test.chi2_p, test.chi2_corrected_p), (1.0, 1.0, 1.0));
    }
}
