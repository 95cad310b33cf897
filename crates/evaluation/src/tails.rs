//! Tails and quantiles of the distributions that tests and intervals need, from `statrs`.

use statrs::distribution::{ChiSquared, ContinuousCDF, Normal, StudentsT};
use statrs::function::factorial::ln_binomial;

/// The value that a standard normal variable stays below with probability `share`.
pub(crate) fn normal_quantile(share: f64) -> f64 {
    Normal::standard().inverse_cdf(share)
}

/// The probability that a standard normal variable is as far from 0 as `z`.
pub(crate) fn normal_two_sided(z: f64) -> f64 {
    2.0 * Normal::standard().sf(z.abs())
}

/// The probability that a variable of Student's distribution is as far from 0 as `t`.
pub(crate) fn student_two_sided(t: f64, df: f64) -> f64 {
    if t.is_infinite() {
        return 0.0;
    }
    StudentsT::new(0.0, 1.0, df).map_or(f64::NAN, |student| 2.0 * student.sf(t.abs()))
}

/// The value that a variable of Student's distribution stays below with probability `share`.
pub(crate) fn student_quantile(share: f64, df: f64) -> f64 {
    StudentsT::new(0.0, 1.0, df).map_or(f64::NAN, |student| student.inverse_cdf(share))
}

/// The probability that a chi-squared variable is at least `value`.
pub(crate) fn chi_squared_tail(value: f64, df: f64) -> f64 {
    ChiSquared::new(df).map_or(f64::NAN, |chi_squared| chi_squared.sf(value))
}

/// The probability of at most `successes` in `trials` throws of a fair coin.
pub(crate) fn binomial_half_cdf(successes: u64, trials: u64) -> f64 {
    let all = trials as f64 * 2_f64.ln();
    (0..=successes).map(|k| (ln_binomial(trials, k) - all).exp()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_and_quantiles_are_those_of_the_tables() {
        assert!((normal_quantile(0.975) - 1.959_963_984_540_054).abs() < 1e-9);
        assert!((normal_two_sided(-1.959_963_984_540_054) - 0.05).abs() < 1e-9);
        assert!((student_quantile(0.975, 4.0) - 2.776_445_105_197_79).abs() < 1e-7);
        assert!((student_two_sided(2.776_445_105_197_79, 4.0) - 0.05).abs() < 1e-9);
        assert!((chi_squared_tail(3.841_458_820_694_124, 1.0) - 0.05).abs() < 1e-9);
        assert!((binomial_half_cdf(2, 8) - 37.0 / 256.0).abs() < 1e-12);
    }
}
