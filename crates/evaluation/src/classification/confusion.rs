//! The confusion matrix and what is computed from it.

use serde::{Deserialize, Serialize};

use super::counts::{Average, BinaryCounts, average, ratio};
use crate::error::{EvaluationError, Result, not_empty, same_length};
use crate::statistics::{CorpusMetric, Statistics};

/// How wrong one class for another is in Cohen's kappa.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KappaWeights {
    /// All mistakes alike.
    #[default]
    Unweighted,
    /// As wrong as the classes are apart; for classes with an order.
    Linear,
    /// As wrong as the square of how far they are apart.
    Quadratic,
}

/// How often each class was taken for each class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConfusionMatrix {
    classes: usize,
    counts: Vec<u64>,
}

impl ConfusionMatrix {
    /// From true and predicted labels, each below `classes`.
    pub fn new(truth: &[usize], predicted: &[usize], classes: usize) -> Result<Self> {
        let mut counts = vec![0; classes * classes];
        for cell in cells(truth, predicted, classes)? {
            counts[cell] += 1;
        }
        Ok(Self { classes, counts })
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// How often `truth` was taken for `predicted`.
    ///
    /// # Panics
    /// If one of them is not below the number of classes.
    pub fn count(&self, truth: usize, predicted: usize) -> u64 {
        assert!(predicted < self.classes, "{predicted} is below the number of classes");
        self.counts[truth * self.classes + predicted]
    }

    /// One row per true class, one column per predicted class.
    pub fn rows(&self) -> impl Iterator<Item = &[u64]> {
        self.counts.chunks_exact(self.classes)
    }

    /// How many answers there are.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The counts of every class against all others.
    pub fn per_class(&self) -> Vec<BinaryCounts> {
        let (truth, predicted) = self.margins();
        let total = self.total();
        (0..self.classes)
            .map(|class| {
                let hits = self.count(class, class);
                BinaryCounts {
                    true_positives: hits,
                    false_positives: predicted[class] - hits,
                    false_negatives: truth[class] - hits,
                    true_negatives: total + hits - truth[class] - predicted[class],
                }
            })
            .collect()
    }

    /// One figure of the counts of all classes.
    pub fn average(&self, how: Average, figure: impl Fn(&BinaryCounts) -> f64) -> f64 {
        average(&self.per_class(), how, figure)
    }

    /// The share of right answers. Its complement is the Hamming loss.
    pub fn accuracy(&self) -> f64 {
        ratio((0..self.classes).map(|class| self.count(class, class)).sum(), self.total())
    }

    /// The mean of the recalls of the classes that occur.
    pub fn balanced_accuracy(&self) -> f64 {
        let classes = self.per_class();
        let recalls: Vec<f64> =
            classes.iter().filter(|class| class.support() > 0).map(BinaryCounts::recall).collect();
        recalls.iter().sum::<f64>() / recalls.len().max(1) as f64
    }

    /// Matthews' correlation coefficient for any number of classes (Gorodkin, 2004); 0 where all
    /// answers or all truths are one class.
    pub fn matthews(&self) -> f64 {
        let (truth, predicted) = self.margins();
        let right = (0..self.classes).map(|class| self.count(class, class)).sum();
        matthews_of_margins(right, &truth, &predicted)
    }

    /// Cohen's kappa: agreement beyond what the frequencies of the classes alone would give; 0
    /// where chance alone would give all of it.
    pub fn cohen_kappa(&self, weights: KappaWeights) -> f64 {
        let (truth, predicted) = self.margins();
        let total = self.total() as f64;
        let (mut observed, mut by_chance) = (0.0, 0.0);
        for (row, of_truth) in truth.iter().enumerate() {
            for (column, of_predicted) in predicted.iter().enumerate() {
                let apart = row.abs_diff(column) as f64;
                let weight = match weights {
                    KappaWeights::Unweighted => f64::from(u8::from(row != column)),
                    KappaWeights::Linear => apart,
                    KappaWeights::Quadratic => apart * apart,
                };
                observed += weight * self.count(row, column) as f64;
                by_chance += weight * *of_truth as f64 * *of_predicted as f64 / total;
            }
        }
        if by_chance > 0.0 { 1.0 - observed / by_chance } else { 0.0 }
    }

    /// How often each class occurs and is predicted.
    fn margins(&self) -> (Vec<u64>, Vec<u64>) {
        let mut predicted = vec![0; self.classes];
        let truth = self.rows().map(|row| {
            predicted.iter_mut().zip(row).for_each(|(sum, count)| *sum += count);
            row.iter().sum()
        });
        (truth.collect(), predicted)
    }
}

/// The cell of every answer in a matrix that is stored row by row.
fn cells(truth: &[usize], predicted: &[usize], classes: usize) -> Result<Vec<usize>> {
    not_empty("labels", truth.len())?;
    same_length("predicted labels", truth.len(), predicted.len())?;
    let check = |what, labels: &[usize]| match labels.iter().position(|label| *label >= classes) {
        None => Ok(()),
        Some(position) => {
            let found = labels[position];
            Err(EvaluationError::OutOfRange { what, position, bound: classes, found })
        }
    };
    check("true label", truth)?;
    check("predicted label", predicted)?;
    Ok(truth.iter().zip(predicted).map(|(truth, predicted)| truth * classes + predicted).collect())
}

/// A figure of a confusion matrix as a metric of a corpus, so that it can be resampled.
pub struct ConfusionMetric<F> {
    classes: usize,
    figure: F,
    statistics: Statistics,
}

impl<F: Fn(&ConfusionMatrix) -> f64 + Sync> ConfusionMetric<F> {
    /// `figure` of the confusion matrix of labels, each below `classes`.
    pub fn new(truth: &[usize], predicted: &[usize], classes: usize, figure: F) -> Result<Self> {
        let mut statistics = Statistics::new(classes * classes);
        let mut row = vec![0.0; classes * classes];
        for cell in cells(truth, predicted, classes)? {
            row[cell] = 1.0;
            statistics.push(&row);
            row[cell] = 0.0;
        }
        Ok(Self { classes, figure, statistics })
    }
}

impl<F: Fn(&ConfusionMatrix) -> f64 + Sync> CorpusMetric for ConfusionMetric<F> {
    fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    fn score_of(&self, sums: &[f64]) -> f64 {
        let counts = sums.iter().map(|count| *count as u64).collect();
        (self.figure)(&ConfusionMatrix { classes: self.classes, counts })
    }
}

/// Matthews' coefficient from the right answers and how often each class occurs and is predicted.
pub(crate) fn matthews_of_margins(right: u64, truth: &[u64], predicted: &[u64]) -> f64 {
    let dot =
        |a: &[u64], b: &[u64]| a.iter().zip(b).map(|(a, b)| *a as f64 * *b as f64).sum::<f64>();
    let total = truth.iter().sum::<u64>() as f64;
    let covariance = right as f64 * total - dot(truth, predicted);
    let spread = |margin: &[u64]| total * total - dot(margin, margin);
    let product = spread(truth) * spread(predicted);
    if product == 0.0 { 0.0 } else { covariance / product.sqrt() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::uncertainty::{BootstrapOptions, bootstrap};

    #[test]
    fn a_matrix_by_hand() {
        let matrix = ConfusionMatrix::new(&[0, 0, 1, 1], &[0, 1, 1, 1], 2).unwrap();
        assert_eq!(matrix.rows().collect::<Vec<_>>(), [[1, 1], [0, 2]]);
        assert_eq!(matrix.accuracy(), 0.75);
        // Agreement 3/4, by chance (2·1 + 2·3)/16 = 1/2.
        assert_eq!(matrix.cohen_kappa(KappaWeights::Unweighted), 0.5);
        assert!((matrix.matthews() - matrix.per_class()[1].matthews()).abs() < 1e-12);
    }

    #[test]
    fn one_class_alone_correlates_with_nothing() {
        let matrix = ConfusionMatrix::new(&[0, 0], &[0, 0], 2).unwrap();
        assert_eq!((matrix.matthews(), matrix.cohen_kappa(KappaWeights::Linear)), (0.0, 0.0));
        assert_eq!(matrix.balanced_accuracy(), 1.0);
    }

    #[test]
    fn labels_out_of_range_are_errors_with_their_place() {
        let error = ConfusionMatrix::new(&[0, 2], &[0, 1], 2).unwrap_err().to_string();
        assert_eq!(error, "true label at position 1: expected less than 2, found 2");
        assert!(ConfusionMatrix::new(&[], &[], 2).is_err());
        assert!(ConfusionMatrix::new(&[0], &[0, 1], 2).is_err());
    }

    #[test]
    fn a_figure_of_the_matrix_has_an_interval() {
        let truth: Vec<usize> = (0..200).map(|i| i % 3).collect();
        let predicted: Vec<usize> = (0..200).map(|i| if i % 5 == 0 { 0 } else { i % 3 }).collect();
        let figure = |matrix: &ConfusionMatrix| matrix.average(Average::Macro, BinaryCounts::f1);
        let metric = ConfusionMetric::new(&truth, &predicted, 3, figure).unwrap();
        let matrix = ConfusionMatrix::new(&truth, &predicted, 3).unwrap();
        let estimate = bootstrap(&metric, &BootstrapOptions::default()).unwrap();
        assert_eq!(estimate.value, figure(&matrix));
        assert!(estimate.interval.0 < estimate.value && estimate.value < estimate.interval.1);
    }
}
