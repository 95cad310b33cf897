//! Multinomial logistic regression with an L2 penalty, as scikit-learn's `LogisticRegression`.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Classifier, check, softmax};
use crate::lbfgs::{LbfgsOptions, minimize};
use crate::{ClassicalError, SparseColumns, SparseMatrix};

/// How a logistic regression is fitted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogisticOptions {
    /// Inverse of the penalty: the sum of losses counts this much beside half the squared weights.
    pub c: f64,
    /// Steps at most.
    pub max_iterations: usize,
    /// The largest element of the gradient, per row, at which fitting ends.
    pub tolerance: f64,
}

impl Default for LogisticOptions {
    fn default() -> Self {
        Self { c: 1.0, max_iterations: 200, tolerance: 1e-6 }
    }
}

/// A fitted model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogisticRegression {
    /// A row per feature, a column per class.
    weights: Vec<f64>,
    bias: Vec<f64>,
    converged: bool,
}

impl LogisticRegression {
    /// Fits `rows` with one label in `0..classes` each.
    ///
    /// # Errors
    /// Labels that do not fit the rows or the classes.
    pub fn fit(
        rows: &SparseMatrix,
        labels: &[usize],
        classes: usize,
        options: &LogisticOptions,
    ) -> Result<Self, ClassicalError> {
        check(rows, labels, classes)?;
        let weights = rows.width() * classes;
        let search = LbfgsOptions {
            max_iterations: options.max_iterations,
            tolerance: options.tolerance,
            ..LbfgsOptions::default()
        };
        let start = vec![0.0; weights + classes];
        let columns = rows.by_column();
        let found = minimize(start, &search, |x, gradient| {
            let problem = Problem { rows, columns: &columns, labels, classes, c: options.c };
            problem.objective(x, gradient)
        });
        let mut weights = found.x;
        let bias = weights.split_off(rows.width() * classes);
        Ok(Self { weights, bias, converged: found.converged })
    }

    /// Whether fitting ended before its last step.
    pub fn converged(&self) -> bool {
        self.converged
    }

    /// Probabilities of each row, one per class.
    pub fn probabilities(&self, rows: &SparseMatrix) -> Vec<Vec<f64>> {
        let mut all = self.scores(rows);
        all.iter_mut().for_each(|scores| softmax(scores));
        all
    }
}

impl Classifier for LogisticRegression {
    fn scores(&self, rows: &SparseMatrix) -> Vec<Vec<f64>> {
        rows.scores(&self.weights, &self.bias)
    }
}

/// Rows and labels that weights are sought for.
struct Problem<'a> {
    rows: &'a SparseMatrix,
    columns: &'a SparseColumns,
    labels: &'a [usize],
    classes: usize,
    c: f64,
}

impl Problem<'_> {
    /// The mean loss plus `|weights|² / (2 · c · rows)`, which has the minimum of scikit-learn's sum,
    /// for weights and bias one behind the other.
    fn objective(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let (weights, bias) = x.split_at(self.rows.width() * self.classes);
        let count = self.rows.len() as f64;
        let losses: Vec<(f64, Vec<f64>)> = (0..self.rows.len())
            .into_par_iter()
            .map(|row| self.loss_and_residuals(row, weights, bias))
            .collect();
        let residuals: Vec<f64> =
            losses.iter().flat_map(|(_, residuals)| residuals).copied().collect();
        let penalty = 1.0 / (self.c * count);
        let (d_weights, d_bias) = gradient.split_at_mut(weights.len());
        d_weights.par_iter_mut().zip(weights).for_each(|(slope, weight)| *slope = penalty * weight);
        self.columns.add_products(&residuals, self.classes, 1.0 / count, d_weights);
        d_bias.fill(0.0);
        for residuals in residuals.chunks_exact(self.classes) {
            for (sum, residual) in d_bias.iter_mut().zip(residuals) {
                *sum += residual / count;
            }
        }
        let squares: f64 = weights.iter().map(|weight| weight * weight).sum();
        losses.iter().map(|(loss, _)| loss).sum::<f64>() / count + 0.5 * penalty * squares
    }

    /// The loss of a row, and its probabilities less one at its label.
    fn loss_and_residuals(&self, row: usize, weights: &[f64], bias: &[f64]) -> (f64, Vec<f64>) {
        let mut scores = bias.to_vec();
        self.rows.row(row).add_products(weights, &mut scores);
        softmax(&mut scores);
        let label = self.labels[row];
        let loss = -scores[label].max(f64::MIN_POSITIVE).ln();
        scores[label] -= 1.0;
        (loss, scores)
    }
}
