//! Linear classifiers over sparse features: the floor that a neural model has to rise above.

mod logistic;
mod naive_bayes;
mod support_vectors;

pub use logistic::{LogisticOptions, LogisticRegression};
pub use naive_bayes::NaiveBayes;
pub use support_vectors::{LinearSvm, SvmOptions};

use crate::{ClassicalError, SparseMatrix};

/// What every classifier here gives: a score per class, higher for likelier.
pub trait Classifier {
    /// Scores of each row, one per class.
    fn scores(&self, rows: &SparseMatrix) -> Vec<Vec<f64>>;

    /// The class with the highest score of each row, the first of equals.
    fn predict(&self, rows: &SparseMatrix) -> Vec<usize> {
        let best = |scores: Vec<f64>| {
            let mut best = 0;
            for (class, score) in scores.iter().enumerate() {
                if *score > scores[best] {
                    best = class;
                }
            }
            best
        };
        self.scores(rows).into_iter().map(best).collect()
    }
}

/// One label per row, each below `classes`, of which there are at least two.
pub(crate) fn check(
    rows: &SparseMatrix,
    labels: &[usize],
    classes: usize,
) -> Result<(), ClassicalError> {
    if rows.len() != labels.len() || rows.is_empty() {
        return Err(ClassicalError::Labels { rows: rows.len(), labels: labels.len() });
    }
    match labels.iter().position(|&label| label >= classes) {
        Some(row) => Err(ClassicalError::Label { row, label: labels[row], classes }),
        None if classes < 2 => Err(ClassicalError::Label { row: 0, label: labels[0], classes }),
        None => Ok(()),
    }
}

/// Replaces scores by probabilities.
fn softmax(scores: &mut [f64]) {
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - largest).exp();
        sum += *score;
    }
    scores.iter_mut().for_each(|score| *score /= sum);
}
