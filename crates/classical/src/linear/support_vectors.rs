//! Linear support vector machines, one class against the rest, by dual coordinate descent (Hsieh et al.
//! 2008, "A dual coordinate descent method for large-scale linear SVM"): the squared hinge loss with
//! an L2 penalty, as scikit-learn's `LinearSVC`.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Classifier, check};
use crate::random::shuffle;
use crate::{ClassicalError, SparseMatrix};

/// How a machine is fitted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SvmOptions {
    /// Weight of the losses beside half the squared weights.
    pub c: f64,
    /// Passes over the rows at most.
    pub max_passes: usize,
    /// The spread of the projected gradients at which fitting ends.
    pub tolerance: f64,
    /// Seed of the order of the rows.
    pub seed: u64,
}

impl Default for SvmOptions {
    fn default() -> Self {
        Self { c: 1.0, max_passes: 200, tolerance: 1e-3, seed: 0 }
    }
}

/// A fitted model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinearSvm {
    /// A row per feature, a column per class.
    weights: Vec<f64>,
    bias: Vec<f64>,
}

impl LinearSvm {
    /// Fits `rows` with one label in `0..classes` each. The bias is the weight of a feature that is
    /// always 1, penalised like the others.
    ///
    /// # Errors
    /// Labels that do not fit the rows or the classes.
    pub fn fit(
        rows: &SparseMatrix,
        labels: &[usize],
        classes: usize,
        options: &SvmOptions,
    ) -> Result<Self, ClassicalError> {
        check(rows, labels, classes)?;
        let fitted: Vec<Vec<f64>> = (0..classes)
            .into_par_iter()
            .map(|class| separate(rows, |row| labels[row] == class, options))
            .collect();
        let mut weights = vec![0.0; rows.width() * classes];
        for (class, fitted) in fitted.iter().enumerate() {
            for (feature, weight) in fitted[..rows.width()].iter().enumerate() {
                weights[feature * classes + class] = *weight;
            }
        }
        let bias = fitted.iter().map(|fitted| fitted[rows.width()]).collect();
        Ok(Self { weights, bias })
    }
}

impl Classifier for LinearSvm {
    fn scores(&self, rows: &SparseMatrix) -> Vec<Vec<f64>> {
        rows.scores(&self.weights, &self.bias)
    }
}

/// The weights, and behind them the bias, that tell the rows of a class from the rest.
fn separate(
    rows: &SparseMatrix,
    is_member: impl Fn(usize) -> bool,
    options: &SvmOptions,
) -> Vec<f64> {
    let mut weights = vec![0.0; rows.width() + 1];
    let mut alphas = vec![0.0; rows.len()];
    let squares = |row: usize| -> f64 {
        1.0 + rows.row(row).values.iter().map(|&v| f64::from(v) * f64::from(v)).sum::<f64>()
    };
    let diagonal = 0.5 / options.c;
    let lengths: Vec<f64> = (0..rows.len()).map(|row| squares(row) + diagonal).collect();
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let mut random = ChaCha8Rng::seed_from_u64(options.seed);
    for _ in 0..options.max_passes {
        shuffle(&mut order, &mut random);
        let (mut highest, mut lowest) = (f64::NEG_INFINITY, f64::INFINITY);
        for &index in &order {
            let sign = if is_member(index) { 1.0 } else { -1.0 };
            let row = rows.row(index);
            let mut score = weights[rows.width()];
            for (&column, &value) in row.columns.iter().zip(row.values) {
                score += weights[column as usize] * f64::from(value);
            }
            let alpha = alphas[index];
            let gradient = sign * score - 1.0 + diagonal * alpha;
            // At the bound only a gradient that leads away from it counts.
            let projected = if alpha == 0.0 { gradient.min(0.0) } else { gradient };
            highest = highest.max(projected);
            lowest = lowest.min(projected);
            if projected == 0.0 {
                continue;
            }
            alphas[index] = (alpha - gradient / lengths[index]).max(0.0);
            let change = (alphas[index] - alpha) * sign;
            for (&column, &value) in row.columns.iter().zip(row.values) {
                weights[column as usize] += change * f64::from(value);
            }
            weights[rows.width()] += change;
        }
        if highest - lowest <= options.tolerance {
            break;
        }
    }
    weights
}
