//! The data of a reliability diagram (DeGroot and Fienberg, "The comparison and evaluation of
//! forecasters", 1983): accuracy over confidence, bin by bin, each with its interval.

use serde::{Deserialize, Serialize};

use super::calibration::Calibration;
use crate::error::Result;
use crate::uncertainty::{Estimate, wilson};

/// Answers whose confidence is in one interval, as a point of the diagram.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// Confidences that fall into it: above the lower end, up to the upper.
    pub range: (f64, f64),
    /// Mean confidence of its answers.
    pub confidence: f64,
    /// The share of them that is right, with Wilson's interval; its `n` is their number.
    pub accuracy: Estimate,
}

impl Calibration {
    /// The points of the diagram, the least confident first; bins without an answer are left out.
    /// `level` is how often the intervals hold the true accuracy, as 0.95.
    pub fn reliability(&self, level: f64) -> Result<Vec<ReliabilityBin>> {
        let width = 1.0 / self.bins.len() as f64;
        let filled = self.bins.iter().enumerate().filter(|(_, bin)| bin.count > 0);
        filled
            .map(|(at, bin)| {
                // The bin holds the share; the number it was made of is a whole one.
                let right = (bin.accuracy * bin.count as f64).round() as usize;
                Ok(ReliabilityBin {
                    range: (at as f64 * width, (at + 1) as f64 * width),
                    confidence: bin.confidence,
                    accuracy: wilson(right, bin.count, level)?,
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::classification::calibration;
    use crate::uncertainty::wilson;

    #[test]
    fn a_point_has_the_interval_of_its_answers_and_empty_bins_have_none() {
        let row = |p: f64| vec![p, 1.0 - p];
        let probabilities = [row(0.75), row(0.75), row(0.75), row(0.95)];
        let found = calibration(&[0, 0, 1, 0], &probabilities, 10).unwrap();
        let points = found.reliability(0.95).unwrap();
        assert_eq!(points.len(), 2);
        assert_eq!(points[0].accuracy, wilson(2, 3, 0.95).unwrap());
        assert!((points[0].range.0 - 0.7).abs() < 1e-12 && (points[0].range.1 - 0.8).abs() < 1e-12);
        assert_eq!((points[1].confidence, points[1].accuracy.n), (0.95, 1));
        assert!(found.reliability(1.0).is_err());
    }
}
