//! Whether probabilities mean what they say: the expected calibration error (Guo et al., "On
//! calibration of modern neural networks", ICML 2017).

use serde::{Deserialize, Serialize};

use super::probabilities::{check, most_probable};
use crate::error::{EvaluationError, Result};

/// Answers whose confidence is in one interval.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CalibrationBin {
    /// How many there are.
    pub count: usize,
    /// The share of them that is right; 0 of none.
    pub accuracy: f64,
    /// Their mean confidence; 0 of none.
    pub confidence: f64,
}

/// Confidence against accuracy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// The mean distance of confidence and accuracy of a bin, weighted by its answers.
    pub expected_error: f64,
    /// The largest such distance.
    pub maximum_error: f64,
    /// Bins of equal width from 0 to 1. A bin holds what is above its lower end and up to its
    /// upper end; the first also holds 0.
    pub bins: Vec<CalibrationBin>,
}

/// Calibration of the most probable class: its probability is the confidence, and it is right if
/// it is the true class.
pub fn calibration(
    truth: &[usize],
    probabilities: &[Vec<f64>],
    bins: usize,
) -> Result<Calibration> {
    check(truth, probabilities)?;
    if bins == 0 {
        return Err(EvaluationError::InvalidOption {
            option: "bins",
            expected: "at least 1",
            found: bins.to_string(),
        });
    }
    let mut all = vec![CalibrationBin::default(); bins];
    for (truth, row) in truth.iter().zip(probabilities) {
        let class = most_probable(row).unwrap_or_default();
        let confidence = row[class];
        let bin = &mut all[bin_of(confidence, bins)];
        bin.count += 1;
        bin.accuracy += f64::from(u8::from(class == *truth));
        bin.confidence += confidence;
    }
    let (mut expected_error, mut maximum_error) = (0.0, 0.0_f64);
    for bin in all.iter_mut().filter(|bin| bin.count > 0) {
        bin.accuracy /= bin.count as f64;
        bin.confidence /= bin.count as f64;
        let error = (bin.accuracy - bin.confidence).abs();
        expected_error += error * bin.count as f64 / truth.len() as f64;
        maximum_error = maximum_error.max(error);
    }
    Ok(Calibration { expected_error, maximum_error, bins: all })
}

/// The bin whose upper end is the first that is not below `confidence`. Ends are compared as they
/// are in floating point, so that a confidence that equals an end lies below it.
fn bin_of(confidence: f64, bins: usize) -> usize {
    let end = |bin: usize| (bin + 1) as f64 / bins as f64;
    (0..bins).find(|bin| confidence <= end(*bin)).unwrap_or(bins - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_belong_to_the_bin_below() {
        let bins: Vec<usize> = [0.0, 0.1, 0.100_001, 0.3, 1.0].map(|c| bin_of(c, 10)).to_vec();
        assert_eq!(bins, [0, 0, 1, 2, 9]);
    }

    #[test]
    fn errors_by_hand() {
        let probabilities = [vec![0.75, 0.25], vec![0.75, 0.25], vec![0.5, 0.5]];
        let found = calibration(&[0, 1, 0], &probabilities, 2).unwrap();
        // Two of confidence 0.75, half of them right; one of confidence 0.5, right.
        assert!((found.expected_error - (0.25 * 2.0 + 0.5) / 3.0).abs() < 1e-12);
        assert_eq!(found.maximum_error, 0.5);
        assert_eq!(found.bins[1].count, 2);
        assert!(calibration(&[0], &[vec![1.0]], 0).is_err());
    }
}
