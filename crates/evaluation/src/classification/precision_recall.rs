//! Precision against recall over all thresholds, and two areas under the curve.

use serde::{Deserialize, Serialize};

use super::probabilities::check_binary;
use super::roc::points;
use crate::error::{EvaluationError, Result};

/// Precision and recall, from the lowest threshold, which finds all, to none found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PrecisionRecallCurve {
    /// Precisions; the last, of no answer, is 1.
    pub precision: Vec<f64>,
    /// Recalls; the last is 0.
    pub recall: Vec<f64>,
    /// Scores from which on an answer is "yes"; one fewer than points.
    pub thresholds: Vec<f64>,
}

impl PrecisionRecallCurve {
    /// The area under straight lines between the points. It flatters;
    /// [`average_precision`] does not.
    pub fn trapezoid_area(&self) -> f64 {
        let points: Vec<(f64, f64)> =
            self.recall.iter().copied().zip(self.precision.iter().copied()).collect();
        let lines = points.windows(2).map(|pair| {
            let ((from, left), (to, right)) = (pair[0], pair[1]);
            (from - to) * (left + right) / 2.0
        });
        lines.sum()
    }
}

/// The curve over all different scores.
pub fn precision_recall_curve(truth: &[bool], scores: &[f64]) -> Result<PrecisionRecallCurve> {
    let positives = some_positives(truth, scores)?;
    let points = points(truth, scores);
    let rising = points.iter().rev();
    let precision = rising.clone().map(|point| point.hits / (point.hits + point.alarms));
    Ok(PrecisionRecallCurve {
        precision: precision.chain([1.0]).collect(),
        recall: rising.clone().map(|point| point.hits / positives).chain([0.0]).collect(),
        thresholds: rising.map(|point| point.threshold).collect(),
    })
}

/// The mean of the precisions at each threshold, weighted by the recall that it adds.
pub fn average_precision(truth: &[bool], scores: &[f64]) -> Result<f64> {
    let positives = some_positives(truth, scores)?;
    let mut found = 0.0;
    let parts = points(truth, scores).into_iter().map(|point| {
        let gained = point.hits - found;
        found = point.hits;
        gained / positives * point.hits / (point.hits + point.alarms)
    });
    Ok(parts.sum())
}

fn some_positives(truth: &[bool], scores: &[f64]) -> Result<f64> {
    check_binary(truth, scores)?;
    let positives = truth.iter().filter(|yes| **yes).count();
    if positives == 0 {
        let reason = "the class does not occur";
        return Err(EvaluationError::Undefined { what: "recall", reason });
    }
    Ok(positives as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_by_hand() {
        // Found in the order yes, no, yes: precisions 1, 1/2, 2/3 at recalls 1/2, 1/2, 1.
        let (truth, scores) = ([true, false, true], [0.9, 0.8, 0.7]);
        let average = average_precision(&truth, &scores).unwrap();
        assert!((average - (0.5 + 0.5 * 2.0 / 3.0)).abs() < 1e-12);
        let curve = precision_recall_curve(&truth, &scores).unwrap();
        assert_eq!(curve.recall, [1.0, 0.5, 0.5, 0.0]);
        let area = 0.5 * (2.0 / 3.0 + 0.5) / 2.0 + 0.5;
        assert!((curve.trapezoid_area() - area).abs() < 1e-12);
        assert!(average_precision(&[false], &[0.5]).is_err());
    }
}
