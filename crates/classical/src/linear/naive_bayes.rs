//! Multinomial naive Bayes with additive smoothing (Manning et al. 2008, chapter 13).

use serde::{Deserialize, Serialize};

use super::{Classifier, check};
use crate::{ClassicalError, SparseMatrix};

/// A fitted model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NaiveBayes {
    /// `ln P(feature | class)`, a row per feature, a column per class.
    features: Vec<f64>,
    /// `ln P(class)`; −∞ for a class that was not seen.
    priors: Vec<f64>,
}

impl NaiveBayes {
    /// Fits rows of counts or weights that are not negative; `alpha` is added to each feature's sum.
    ///
    /// # Errors
    /// Labels that do not fit the rows or the classes, and an `alpha` that is not positive.
    pub fn fit(
        rows: &SparseMatrix,
        labels: &[usize],
        classes: usize,
        alpha: f64,
    ) -> Result<Self, ClassicalError> {
        check(rows, labels, classes)?;
        if !(alpha > 0.0 && alpha.is_finite()) {
            return Err(ClassicalError::Smoothing { alpha });
        }
        let mut sums = vec![alpha; rows.width() * classes];
        let mut seen = vec![0usize; classes];
        for (row, &label) in rows.rows().zip(labels) {
            seen[label] += 1;
            for (&column, &value) in row.columns.iter().zip(row.values) {
                sums[column as usize * classes + label] += f64::from(value);
            }
        }
        let mut totals = vec![0.0; classes];
        for sums in sums.chunks_exact(classes) {
            totals.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum);
        }
        for sums in sums.chunks_exact_mut(classes) {
            sums.iter_mut().zip(&totals).for_each(|(sum, total)| *sum = (*sum / total).ln());
        }
        let priors = seen.iter().map(|&count| (count as f64 / labels.len() as f64).ln()).collect();
        Ok(Self { features: sums, priors })
    }

    /// `ln P(feature | class)`, a row per feature, a column per class.
    pub fn feature_log_probabilities(&self) -> &[f64] {
        &self.features
    }

    /// `ln P(class)`.
    pub fn class_log_priors(&self) -> &[f64] {
        &self.priors
    }
}

impl Classifier for NaiveBayes {
    /// `ln P(class) + Σ value · ln P(feature | class)`.
    fn scores(&self, rows: &SparseMatrix) -> Vec<Vec<f64>> {
        rows.scores(&self.features, &self.priors)
    }
}
