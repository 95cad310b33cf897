//! The receiver operating characteristic of a score for yes or no, and the area under it.

use serde::{Deserialize, Serialize};

use super::probabilities::check_binary;
use crate::error::{EvaluationError, Result};
use crate::uncertainty::mean_ranks;

/// True against false positive rate over all thresholds, from the strictest on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RocCurve {
    /// False positive rates.
    pub false_positive_rate: Vec<f64>,
    /// True positive rates.
    pub true_positive_rate: Vec<f64>,
    /// Scores from which on an answer is "yes"; infinity for the first point.
    pub thresholds: Vec<f64>,
}

impl RocCurve {
    /// The largest distance of the two rates, the statistic of Kolmogorov and Smirnov.
    pub fn kolmogorov_smirnov(&self) -> f64 {
        let rates = self.true_positive_rate.iter().zip(&self.false_positive_rate);
        rates.map(|(hits, alarms)| hits - alarms).fold(0.0, f64::max)
    }
}

/// Hits and false alarms among the answers from the highest score down to `threshold`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) hits: f64,
    pub(super) alarms: f64,
    pub(super) threshold: f64,
}

/// One point per different score, the highest first.
pub(super) fn points(truth: &[bool], scores: &[f64]) -> Vec<Point> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
    let (mut hits, mut alarms) = (0.0, 0.0);
    order
        .chunk_by(|a, b| scores[*a] == scores[*b])
        .map(|tied| {
            let yes = tied.iter().filter(|at| truth[**at]).count();
            hits += yes as f64;
            alarms += (tied.len() - yes) as f64;
            Point { hits, alarms, threshold: scores[tied[0]] }
        })
        .collect()
}

/// The curve, without points in the middle of a straight line.
pub fn roc_curve(truth: &[bool], scores: &[f64]) -> Result<RocCurve> {
    let (positives, negatives) = both_classes(truth, scores)?;
    let points = points(truth, scores);
    let start = Point { hits: 0.0, alarms: 0.0, threshold: f64::INFINITY };
    let mut kept = vec![start];
    for (at, point) in points.iter().enumerate() {
        let (before, after) = (at.checked_sub(1).map(|at| points[at]), points.get(at + 1));
        let straight = match (before, after) {
            (Some(before), Some(after)) => {
                after.hits - point.hits == point.hits - before.hits
                    && after.alarms - point.alarms == point.alarms - before.alarms
            }
            _ => false,
        };
        if !straight {
            kept.push(*point);
        }
    }
    Ok(RocCurve {
        false_positive_rate: kept.iter().map(|point| point.alarms / negatives).collect(),
        true_positive_rate: kept.iter().map(|point| point.hits / positives).collect(),
        thresholds: kept.iter().map(|point| point.threshold).collect(),
    })
}

/// The area under the curve: the probability that a "yes" scores higher than a "no", where equal
/// scores count a half. Twice the area less one is Gini's coefficient.
pub fn roc_auc(truth: &[bool], scores: &[f64]) -> Result<f64> {
    let (positives, negatives) = both_classes(truth, scores)?;
    let ranks = mean_ranks(scores);
    let sum: f64 = ranks.iter().zip(truth).filter(|(_, yes)| **yes).map(|(rank, _)| rank).sum();
    Ok((sum - positives * (positives + 1.0) / 2.0) / (positives * negatives))
}

/// How many answers are yes and no; both must occur.
fn both_classes(truth: &[bool], scores: &[f64]) -> Result<(f64, f64)> {
    check_binary(truth, scores)?;
    let positives = truth.iter().filter(|yes| **yes).count();
    if positives == 0 || positives == truth.len() {
        let reason = "only one of the two classes occurs";
        return Err(EvaluationError::Undefined { what: "the ROC curve", reason });
    }
    Ok((positives as f64, (truth.len() - positives) as f64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_area_is_the_share_of_pairs_in_order(
            answers in prop::collection::vec((any::<bool>(), 0_u8..8), 2..40)
        ) {
            let truth: Vec<bool> = answers.iter().map(|(yes, _)| *yes).collect();
            let scores: Vec<f64> = answers.iter().map(|(_, score)| f64::from(*score)).collect();
            prop_assume!(truth.contains(&true) && truth.contains(&false));
            let (mut won, mut pairs) = (0.0, 0.0);
            for (yes, high) in truth.iter().zip(&scores).filter(|(yes, _)| **yes) {
                for (no, low) in truth.iter().zip(&scores).filter(|(yes, _)| !**yes) {
                    prop_assert!(*yes && !*no);
                    pairs += 1.0;
                    won += if high > low { 1.0 } else if high == low { 0.5 } else { 0.0 };
                }
            }
            let area = roc_auc(&truth, &scores).unwrap();
            prop_assert!((area - won / pairs).abs() < 1e-12);
            // The area under the curve itself, by trapezoids.
            let curve = roc_curve(&truth, &scores).unwrap();
            let (x, y) = (&curve.false_positive_rate, &curve.true_positive_rate);
            let under: f64 =
                (1..x.len()).map(|i| (x[i] - x[i - 1]) * (y[i] + y[i - 1]) / 2.0).sum();
            prop_assert!((area - under).abs() < 1e-12);
        }
    }

    #[test]
    fn one_class_alone_has_no_curve() {
        assert!(roc_auc(&[true, true], &[0.1, 0.2]).is_err());
        assert!(roc_curve(&[false], &[0.1]).is_err());
    }
}
