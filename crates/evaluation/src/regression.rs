//! Errors of predicted numbers, and correlations with the true ones. Definitions are scikit-learn's
//! and scipy's.

use crate::error::{EvaluationError, Result, all_finite, not_empty, same_length};
use crate::uncertainty::{mean_ranks, tie_sizes};

/// The mean squared error.
pub fn mean_squared_error(truth: &[f64], predicted: &[f64]) -> Result<f64> {
    check(truth, predicted)?;
    Ok(mean(truth.iter().zip(predicted).map(|(truth, found)| (truth - found).powi(2))))
}

/// The root of the mean squared error, in the unit of the values.
pub fn root_mean_squared_error(truth: &[f64], predicted: &[f64]) -> Result<f64> {
    mean_squared_error(truth, predicted).map(f64::sqrt)
}

/// The mean absolute error.
pub fn mean_absolute_error(truth: &[f64], predicted: &[f64]) -> Result<f64> {
    check(truth, predicted)?;
    Ok(mean(truth.iter().zip(predicted).map(|(truth, found)| (truth - found).abs())))
}

/// The share of the variance that the predictions explain, R²; below 0 where the mean would be
/// better.
pub fn r_squared(truth: &[f64], predicted: &[f64]) -> Result<f64> {
    let error = mean_squared_error(truth, predicted)?;
    let centre = mean(truth.iter().copied());
    let variance = mean(truth.iter().map(|truth| (truth - centre).powi(2)));
    if variance == 0.0 {
        return Err(constant("R²"));
    }
    Ok(1.0 - error / variance)
}

/// Pearson's correlation: how far the values are on a straight line.
pub fn pearson(first: &[f64], second: &[f64]) -> Result<f64> {
    check(first, second)?;
    let centred = |values: &[f64]| {
        let centre = mean(values.iter().copied());
        values.iter().map(|value| value - centre).collect::<Vec<_>>()
    };
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let (first, second) = (centred(first), centred(second));
    let product = dot(&first, &first) * dot(&second, &second);
    if product == 0.0 {
        return Err(constant("Pearson's correlation"));
    }
    Ok((dot(&first, &second) / product.sqrt()).clamp(-1.0, 1.0))
}

/// Spearman's correlation: Pearson's of the ranks, where equal values share theirs.
pub fn spearman(first: &[f64], second: &[f64]) -> Result<f64> {
    check(first, second)?;
    pearson(&mean_ranks(first), &mean_ranks(second))
}

/// Kendall's tau-b: pairs in the same order less pairs in opposite order, of the pairs that are
/// tied in neither. Takes n log n steps (Knight, "A computer method for calculating Kendall's tau
/// with ungrouped data", 1966).
pub fn kendall_tau_b(first: &[f64], second: &[f64]) -> Result<f64> {
    check(first, second)?;
    let mut pairs: Vec<(f64, f64)> = first.iter().copied().zip(second.iter().copied()).collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let tied_in_both: f64 =
        pairs.chunk_by(|a, b| a == b).map(|tied| pairs_of(tied.len() as f64)).sum();
    let tied = |values: &[f64]| tie_sizes(values).into_iter().map(pairs_of).sum::<f64>();
    let (in_first, in_second) = (tied(first), tied(second));
    let all = pairs_of(pairs.len() as f64);
    let mut seconds: Vec<f64> = pairs.into_iter().map(|pair| pair.1).collect();
    let opposite = inversions(&mut seconds) as f64;
    let product = (all - in_first) * (all - in_second);
    if product == 0.0 {
        return Err(constant("Kendall's tau"));
    }
    let apart = all - in_first - in_second + tied_in_both - 2.0 * opposite;
    Ok(apart / product.sqrt())
}

fn pairs_of(n: f64) -> f64 {
    n * (n - 1.0) / 2.0
}

/// Sorts; returns how many pairs were in the wrong order.
fn inversions(values: &mut [f64]) -> u64 {
    let len = values.len();
    if len < 2 {
        return 0;
    }
    let (left, right) = values.split_at_mut(len / 2);
    let mut number = inversions(left) + inversions(right);
    let mut merged = Vec::with_capacity(len);
    let (mut i, mut j) = (0, 0);
    while i < left.len() && j < right.len() {
        if right[j] < left[i] {
            number += (left.len() - i) as u64;
            merged.push(right[j]);
            j += 1;
        } else {
            merged.push(left[i]);
            i += 1;
        }
    }
    merged.extend_from_slice(&left[i..]);
    merged.extend_from_slice(&right[j..]);
    values.copy_from_slice(&merged);
    number
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len() as f64;
    values.sum::<f64>() / n
}

fn constant(what: &'static str) -> EvaluationError {
    EvaluationError::Undefined { what, reason: "the values do not vary" }
}

fn check(first: &[f64], second: &[f64]) -> Result<()> {
    not_empty("values", first.len())?;
    same_length("predicted values", first.len(), second.len())?;
    all_finite("true value", first)?;
    all_finite("predicted value", second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn tau_is_what_counting_all_pairs_gives(
            values in prop::collection::vec((0_u8..6, 0_u8..6), 2..30)
        ) {
            let first: Vec<f64> = values.iter().map(|pair| f64::from(pair.0)).collect();
            let second: Vec<f64> = values.iter().map(|pair| f64::from(pair.1)).collect();
            let (mut apart, mut untied_first, mut untied_second) = (0.0, 0.0_f64, 0.0);
            let sign = |a: f64, b: f64| if a == b { 0.0 } else { (a - b).signum() };
            for i in 0..values.len() {
                for j in 0..i {
                    let (a, b) = (sign(first[i], first[j]), sign(second[i], second[j]));
                    apart += a * b;
                    untied_first += a.abs();
                    untied_second += b.abs();
                }
            }
            match kendall_tau_b(&first, &second) {
                Ok(tau) => {
                    let expected = apart / (untied_first * untied_second).sqrt();
                    prop_assert!((tau - expected).abs() < 1e-12);
                }
                Err(_) => prop_assert!(untied_first == 0.0 || untied_second == 0.0),
            }
        }
    }

    #[test]
    fn values_that_do_not_vary_correlate_with_nothing() {
        assert!(pearson(&[1.0, 1.0], &[1.0, 2.0]).is_err());
        assert!(r_squared(&[1.0, 1.0], &[1.0, 2.0]).is_err());
        assert_eq!(r_squared(&[1.0, 3.0], &[2.0, 2.0]), Ok(0.0));
        assert!(mean_squared_error(&[], &[]).is_err());
    }
}
