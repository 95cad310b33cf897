//! Tests that look only at the order of values: Wilcoxon's of pairs, Mann and Whitney's of two
//! samples, and the distance of Kolmogorov and Smirnov. Definitions are scipy's.

use serde::{Deserialize, Serialize};

use super::ranks::{mean_ranks, tie_sizes};
use crate::error::{EvaluationError, Result, all_finite, not_empty, same_length};
use crate::tails::normal_two_sided;

/// Wilcoxon's signed-rank test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wilcoxon {
    /// The smaller of the sums of ranks of the positive and of the negative differences.
    pub statistic: f64,
    /// Two-sided p-value of the normal approximation, corrected for ties, not for continuity.
    pub p_value: f64,
    /// Pairs that differ; the others are left out.
    pub n: usize,
}

/// Tests whether paired values differ in one direction more than in the other (Wilcoxon, 1945).
pub fn wilcoxon(first: &[f64], second: &[f64]) -> Result<Wilcoxon> {
    same_length("values of the second sample", first.len(), second.len())?;
    all_finite("value of the first sample", first)?;
    all_finite("value of the second sample", second)?;
    let differences: Vec<f64> = first
        .iter()
        .zip(second)
        .map(|(a, b)| a - b)
        .filter(|difference| *difference != 0.0)
        .collect();
    let sizes: Vec<f64> = differences.iter().map(|difference| difference.abs()).collect();
    let ranks = mean_ranks(&sizes);
    let positive: f64 =
        ranks.iter().zip(&differences).filter(|(_, d)| **d > 0.0).map(|(rank, _)| rank).sum();
    let n = differences.len() as f64;
    let statistic = positive.min(n * (n + 1.0) / 2.0 - positive);
    let ties: f64 = tie_sizes(&sizes).iter().map(|size| size.powi(3) - size).sum();
    let variance = n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - ties / 48.0;
    if variance <= 0.0 {
        return Err(EvaluationError::Undefined {
            what: "Wilcoxon's test",
            reason: "the two samples are equal",
        });
    }
    let z = (statistic - n * (n + 1.0) / 4.0) / variance.sqrt();
    Ok(Wilcoxon { statistic, p_value: normal_two_sided(z), n: differences.len() })
}

/// Mann and Whitney's test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MannWhitney {
    /// In how many pairs of a value of each sample the first is larger; ties count a half.
    pub u: f64,
    /// Two-sided p-value of the normal approximation, corrected for ties and for continuity.
    pub p_value: f64,
}

/// Tests whether values of one sample tend to be larger than those of another (1947).
pub fn mann_whitney(first: &[f64], second: &[f64]) -> Result<MannWhitney> {
    not_empty("first sample", first.len())?;
    not_empty("second sample", second.len())?;
    all_finite("value of the first sample", first)?;
    all_finite("value of the second sample", second)?;
    let all = [first, second].concat();
    let (n1, n2, n) = (first.len() as f64, second.len() as f64, all.len() as f64);
    let ranks: f64 = mean_ranks(&all)[..first.len()].iter().sum();
    let u = ranks - n1 * (n1 + 1.0) / 2.0;
    let ties: f64 = tie_sizes(&all).iter().map(|size| size.powi(3) - size).sum();
    let variance = n1 * n2 / 12.0 * (n + 1.0 - ties / (n * (n - 1.0)));
    if variance <= 0.0 {
        return Ok(MannWhitney { u, p_value: 1.0 });
    }
    let z = (u.max(n1 * n2 - u) - n1 * n2 / 2.0 - 0.5) / variance.sqrt();
    let p_value = if z < 0.0 { 1.0 } else { normal_two_sided(z) };
    Ok(MannWhitney { u, p_value })
}

/// The largest distance between the distribution functions of two samples.
pub fn kolmogorov_smirnov(first: &[f64], second: &[f64]) -> Result<f64> {
    not_empty("first sample", first.len())?;
    not_empty("second sample", second.len())?;
    all_finite("value of the first sample", first)?;
    all_finite("value of the second sample", second)?;
    let (mut first, mut second) = (first.to_vec(), second.to_vec());
    first.sort_by(f64::total_cmp);
    second.sort_by(f64::total_cmp);
    let share = |sorted: &[f64], value: f64| {
        sorted.partition_point(|other| *other <= value) as f64 / sorted.len() as f64
    };
    let distance = |value: &f64| (share(&first, *value) - share(&second, *value)).abs();
    Ok(first.iter().chain(&second).map(distance).fold(0.0, f64::max))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u_counts_the_pairs_in_which_the_first_is_larger() {
        let test = mann_whitney(&[2.0, 4.0], &[1.0, 3.0, 4.0]).unwrap();
        assert_eq!(test.u, 3.5);
        assert_eq!(mann_whitney(&[1.0], &[1.0]).unwrap().p_value, 1.0);
    }

    #[test]
    fn wilcoxon_leaves_out_pairs_that_are_equal() {
        let test = wilcoxon(&[1.0, 5.0, 3.0, 9.0], &[1.0, 4.0, 5.0, 6.0]).unwrap();
        assert_eq!((test.n, test.statistic), (3, 2.0));
        assert!(wilcoxon(&[1.0], &[1.0]).is_err());
    }

    #[test]
    fn the_distance_of_samples_that_do_not_overlap_is_one() {
        assert_eq!(kolmogorov_smirnov(&[1.0, 2.0], &[3.0]), Ok(1.0));
        assert_eq!(kolmogorov_smirnov(&[1.0, 2.0], &[1.0, 2.0]), Ok(0.0));
        assert_eq!(kolmogorov_smirnov(&[1.0, 2.0], &[1.5]), Ok(0.5));
    }
}
