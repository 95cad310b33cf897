//! The standard normal distribution.

use std::f64::consts::{PI, SQRT_2};

use statrs::distribution::{ContinuousCDF, Normal};
use statrs::function::erf::erfc;

/// The probability of a value below `x`.
pub(super) fn cdf(x: f64) -> f64 {
    0.5 * erfc(-x / SQRT_2)
}

/// The probability of a value from `low` to `high`, precise in both tails.
pub(super) fn mass(low: f64, high: f64) -> f64 {
    if low > 0.0 { cdf(-low) - cdf(-high) } else { cdf(high) - cdf(low) }
}

/// The value that is not exceeded with this probability.
pub(super) fn quantile(probability: f64) -> f64 {
    Normal::standard().inverse_cdf(probability)
}

/// The logarithm of the density at `x`.
pub(super) fn log_density(x: f64) -> f64 {
    -0.5 * x * x - 0.5 * (2.0 * PI).ln()
}

/// A value from the part of a normal distribution that lies in the unit interval, for a `fraction` that
/// is uniform.
pub(super) fn truncated(mean: f64, deviation: f64, fraction: f64) -> f64 {
    let low = cdf(-mean / deviation);
    let share = mass(-mean / deviation, (1.0 - mean) / deviation);
    let drawn = mean + deviation * quantile(low + fraction * share);
    if drawn.is_nan() { mean } else { drawn.clamp(0.0, 1.0) }
}

/// Below this, the sum of `φ(z)` and `z Φ(z)` loses digits faster than a series of four terms does.
const SERIES: f64 = -10.0;

/// `ln(φ(z) + z Φ(z))`, the logarithm of the expected improvement of a standard normal variable by `z`,
/// also where the improvement itself is too small for a number (Ament et al. 2023).
pub(super) fn log_expected_improvement(z: f64) -> f64 {
    if z > SERIES {
        return (log_density(z).exp() + z * cdf(z)).ln();
    }
    // 1 − |z| times Mills' ratio, as a series in 1/z².
    let inverse = 1.0 / (z * z);
    let rest = inverse * (-3.0 + inverse * (15.0 - inverse * 105.0));
    log_density(z) + inverse.ln() + rest.ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masses_are_precise_in_both_tails() {
        // Python: 0.5 * math.erfc(8 / math.sqrt(2)) - 0.5 * math.erfc(9 / math.sqrt(2))
        let expected = 6.219_831_985_866e-16;
        for (low, high) in [(-9.0, -8.0), (8.0, 9.0)] {
            assert!((mass(low, high) / expected - 1.0).abs() < 1e-6, "{}", mass(low, high));
        }
        assert!((mass(-1.0, 1.0) - 0.682_689_492_137_086).abs() < 1e-9);
    }

    #[test]
    fn improvement_has_no_seam_and_never_vanishes() {
        // φ(0) at 0, and z itself far up.
        assert!((log_expected_improvement(0.0) - log_density(0.0)).abs() < 1e-12);
        assert!((log_expected_improvement(30.0) - 30f64.ln()).abs() < 1e-12);
        // The slope there is about |z| + 2/|z|.
        let (above, below) = (SERIES + 1e-4, SERIES - 1e-4);
        let rise = log_expected_improvement(above) - log_expected_improvement(below);
        assert!((rise / 2e-4 - 10.2).abs() < 1.0, "{rise}");
        // φ(-4) - 4 Φ(-4), by Python's math.erfc.
        let expected = 7.145_258_432_4e-6_f64.ln();
        assert!((log_expected_improvement(-4.0) - expected).abs() < 1e-6);
        assert!(log_expected_improvement(-100.0) < log_expected_improvement(-99.0));
    }

    #[test]
    fn truncated_draws_stay_inside() {
        for (mean, deviation) in [(0.5, 0.1), (0.0, 1e-3), (1.0, 10.0), (0.2, 1e-9)] {
            for fraction in [0.0, 0.3, 0.999_999] {
                let drawn = truncated(mean, deviation, fraction);
                assert!((0.0..=1.0).contains(&drawn), "{mean} {deviation}: {drawn}");
            }
        }
        assert!((truncated(0.5, 0.1, 0.5) - 0.5).abs() < 1e-9);
    }
}
