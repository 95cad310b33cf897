//! Hits and misses of one class, the ratios of them, and averages over classes.

use serde::{Deserialize, Serialize};

use crate::error::{Result, same_length};

/// How often a class was found and missed, rightly and wrongly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BinaryCounts {
    /// Of the class, and said to be.
    pub true_positives: u64,
    /// Not of the class, but said to be.
    pub false_positives: u64,
    /// Of the class, but not said to be.
    pub false_negatives: u64,
    /// Not of the class, and not said to be. Not known for entities, where it is 0.
    pub true_negatives: u64,
}

impl BinaryCounts {
    /// The counts of true and predicted answers to a yes-or-no question.
    pub fn new(truth: &[bool], predicted: &[bool]) -> Result<Self> {
        same_length("predictions", truth.len(), predicted.len())?;
        let mut counts = Self::default();
        truth.iter().zip(predicted).for_each(|(truth, predicted)| counts.add(*truth, *predicted));
        Ok(counts)
    }

    /// Counts one more answer.
    pub fn add(&mut self, truth: bool, predicted: bool) {
        let count = match (truth, predicted) {
            (true, true) => &mut self.true_positives,
            (false, true) => &mut self.false_positives,
            (true, false) => &mut self.false_negatives,
            (false, false) => &mut self.true_negatives,
        };
        *count += 1;
    }

    /// Both together.
    pub fn plus(self, other: Self) -> Self {
        Self {
            true_positives: self.true_positives + other.true_positives,
            false_positives: self.false_positives + other.false_positives,
            false_negatives: self.false_negatives + other.false_negatives,
            true_negatives: self.true_negatives + other.true_negatives,
        }
    }

    /// How many there are of the class.
    pub fn support(&self) -> u64 {
        self.true_positives + self.false_negatives
    }

    /// How many were said to be of the class.
    pub fn predicted(&self) -> u64 {
        self.true_positives + self.false_positives
    }

    /// The share of right answers.
    pub fn accuracy(&self) -> f64 {
        let right = self.true_positives + self.true_negatives;
        ratio(right, right + self.false_positives + self.false_negatives)
    }

    /// The share of right ones among those said to be of the class.
    pub fn precision(&self) -> f64 {
        ratio(self.true_positives, self.predicted())
    }

    /// The share of the class that was found; also called sensitivity.
    pub fn recall(&self) -> f64 {
        ratio(self.true_positives, self.support())
    }

    /// The share of the others that was left alone.
    pub fn specificity(&self) -> f64 {
        ratio(self.true_negatives, self.true_negatives + self.false_positives)
    }

    /// The harmonic mean of precision and recall, with recall `beta` times as important.
    pub fn f_beta(&self, beta: f64) -> f64 {
        let factor = beta * beta;
        let hits = (1.0 + factor) * self.true_positives as f64;
        let all = hits + self.false_positives as f64 + factor * self.false_negatives as f64;
        if all == 0.0 { 0.0 } else { hits / all }
    }

    /// F-score with precision and recall as important as each other.
    pub fn f1(&self) -> f64 {
        self.f_beta(1.0)
    }

    /// Intersection over union of the class and what was said to be of it.
    pub fn jaccard(&self) -> f64 {
        let union = self.true_positives + self.false_positives + self.false_negatives;
        ratio(self.true_positives, union)
    }

    /// Matthews' correlation coefficient of truth and prediction.
    pub fn matthews(&self) -> f64 {
        let [tp, fp, fn_, tn] =
            [self.true_positives, self.false_positives, self.false_negatives, self.true_negatives]
                .map(|count| count as f64);
        let product = (tp + fp) * (tp + fn_) * (tn + fp) * (tn + fn_);
        if product == 0.0 { 0.0 } else { (tp * tn - fp * fn_) / product.sqrt() }
    }
}

pub(crate) fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// How figures of classes become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Average {
    /// Every class counts as much as another; classes that neither occur nor are predicted are
    /// left out.
    Macro,
    /// Every answer counts as much as another: the figure of the summed counts.
    Micro,
    /// Every class counts as much as it occurs.
    Weighted,
}

/// One figure of the counts of all classes.
pub fn average(
    classes: &[BinaryCounts],
    average: Average,
    figure: impl Fn(&BinaryCounts) -> f64,
) -> f64 {
    let occurring = classes.iter().filter(|class| class.support() + class.predicted() > 0);
    match average {
        Average::Micro => {
            figure(&classes.iter().copied().fold(BinaryCounts::default(), BinaryCounts::plus))
        }
        Average::Macro => weighted_mean(occurring.map(|class| (figure(class), 1.0))),
        Average::Weighted => {
            weighted_mean(occurring.map(|class| (figure(class), class.support() as f64)))
        }
    }
}

/// The mean of values with weights; 0 without weight.
pub(crate) fn weighted_mean(values: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (sum, weight) =
        values.fold((0.0, 0.0), |(sum, all), (value, weight)| (sum + value * weight, all + weight));
    if weight == 0.0 { 0.0 } else { sum / weight }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_with_nothing_below_the_line_are_zero() {
        let nothing = BinaryCounts::default();
        let ratios = [
            nothing.accuracy(),
            nothing.precision(),
            nothing.recall(),
            nothing.specificity(),
            nothing.f1(),
            nothing.jaccard(),
            nothing.matthews(),
        ];
        assert_eq!(ratios, [0.0; 7]);
    }

    #[test]
    fn classes_that_never_occur_are_left_out_of_the_macro_average() {
        let found = BinaryCounts { true_positives: 3, true_negatives: 1, ..Default::default() };
        let absent = BinaryCounts { true_negatives: 4, ..Default::default() };
        assert_eq!(average(&[found, absent], Average::Macro, BinaryCounts::recall), 1.0);
        assert_eq!(average(&[absent], Average::Macro, BinaryCounts::recall), 0.0);
    }
}
