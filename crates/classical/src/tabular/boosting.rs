//! Gradient-boosted decision trees (Friedman 2001; the second-order splits of Chen & Guestrin 2016), by the
//! crate forust-ml.

use forust_ml::objective::ObjectiveType;
use forust_ml::sampler::SampleMethod;
use forust_ml::{GradientBooster, Matrix};
use serde::{Deserialize, Serialize};

use crate::{ClassicalError, Classifier, SparseMatrix};

/// How trees are grown.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BoostingOptions {
    /// Trees for each class, or for both of two.
    pub trees: usize,
    /// How much of what a tree says is added.
    pub learning_rate: f32,
    /// Questions from the root of a tree to a leaf at most.
    pub max_depth: usize,
    /// Weight of half the squared weights of leaves.
    pub l2: f32,
    /// Second derivative of the loss that a leaf must have at least.
    pub min_leaf_weight: f32,
    /// Share of the rows that a tree sees.
    pub subsample: f32,
    /// Share of the columns that a tree sees.
    pub column_share: f64,
    /// Seed of these choices.
    pub seed: u64,
}

impl Default for BoostingOptions {
    /// Small and slow: for tables of some hundred to some ten thousand rows.
    fn default() -> Self {
        Self {
            trees: 200,
            learning_rate: 0.05,
            max_depth: 3,
            l2: 1.0,
            min_leaf_weight: 1.0,
            subsample: 0.7,
            column_share: 0.7,
            seed: 0,
        }
    }
}

/// Fitted trees. Rows are made dense inside: meant for tables, not for texts.
#[derive(Serialize, Deserialize)]
pub struct GradientBoosting {
    /// Columns that the trees see: those that are not all the same in training.
    columns: Vec<u32>,
    /// One for two classes, else one for each class against the rest.
    boosters: Vec<GradientBooster>,
}

impl GradientBoosting {
    /// Fits `rows` with one label in `0..classes` each. The result does not depend on the number of
    /// threads.
    ///
    /// # Errors
    /// Labels that do not fit the rows or the classes, and options out of their range.
    pub fn fit(
        rows: &SparseMatrix,
        labels: &[usize],
        classes: usize,
        options: &BoostingOptions,
    ) -> Result<Self, ClassicalError> {
        crate::linear::check(rows, labels, classes)?;
        let columns = varying_columns(rows);
        let cells = dense(rows, &columns);
        let table = Matrix::new(&cells, rows.len(), columns.len());
        let members = if classes == 2 { 1..2 } else { 0..classes };
        let fit = |class: usize| {
            let truth: Vec<f64> =
                labels.iter().map(|&label| f64::from(u8::from(label == class))).collect();
            let mut booster = booster(options, columns.len()).set_base_score(log_odds(&truth));
            // The library has no trees without columns to choose from.
            if !columns.is_empty() {
                let fitted = booster.fit_unweighted(&table, &truth, None);
                fitted.map_err(|error| ClassicalError::Boosting { reason: error.to_string() })?;
            }
            Ok(booster)
        };
        Ok(Self { boosters: members.map(fit).collect::<Result<_, _>>()?, columns })
    }

    /// Probabilities of each row, one per class.
    pub fn probabilities(&self, rows: &SparseMatrix) -> Vec<Vec<f64>> {
        let mut all = self.scores(rows);
        for scores in &mut all {
            scores.iter_mut().for_each(|score| *score = 1.0 / (1.0 + (-*score).exp()));
            let sum: f64 = scores.iter().sum();
            scores.iter_mut().for_each(|score| *score /= sum);
        }
        all
    }
}

impl Classifier for GradientBoosting {
    /// Log-odds of each class against the rest.
    fn scores(&self, rows: &SparseMatrix) -> Vec<Vec<f64>> {
        let cells = dense(rows, &self.columns);
        let table = Matrix::new(&cells, rows.len(), self.columns.len());
        let odds: Vec<Vec<f64>> =
            self.boosters.iter().map(|booster| booster.predict(&table, true)).collect();
        let row = |row: usize| match odds.as_slice() {
            [only] => vec![-only[row], only[row]],
            all => all.iter().map(|odds| odds[row]).collect(),
        };
        (0..rows.len()).map(row).collect()
    }
}

fn booster(options: &BoostingOptions, columns: usize) -> GradientBooster {
    // The library rounds down, to no column at all if there are few.
    let column_share = options.column_share.max(1.5 / columns as f64).min(1.0);
    GradientBooster::default()
        .set_objective_type(ObjectiveType::LogLoss)
        .set_iterations(options.trees)
        .set_learning_rate(options.learning_rate)
        .set_max_depth(options.max_depth)
        .set_l2(options.l2)
        .set_min_leaf_weight(options.min_leaf_weight)
        .set_sample_method(SampleMethod::Random)
        .set_subsample(options.subsample)
        .set_colsample_bytree(column_share)
        .set_seed(options.seed)
}

/// Log-odds of a row; finite also where all rows are alike.
fn log_odds(truth: &[f64]) -> f64 {
    let share = truth.iter().sum::<f64>() / truth.len() as f64;
    let share = share.clamp(1e-6, 1.0 - 1e-6);
    (share / (1.0 - share)).ln()
}

fn varying_columns(rows: &SparseMatrix) -> Vec<u32> {
    let columns = rows.by_column();
    let varies = |column: &u32| {
        let elements = columns.column(*column as usize);
        let is_full = elements.len() == rows.len();
        elements.first().is_some_and(|(_, first)| {
            let differs = |(_, value): &(u32, f32)| value != first;
            elements.iter().any(differs) || (!is_full && *first != 0.0)
        })
    };
    (0..rows.width() as u32).filter(varies).collect()
}

/// The cells of some columns, one column after the other.
fn dense(rows: &SparseMatrix, columns: &[u32]) -> Vec<f64> {
    let mut cells = vec![0.0; rows.len() * columns.len()];
    for (index, row) in rows.rows().enumerate() {
        for (&column, &value) in row.columns.iter().zip(row.values) {
            if let Ok(at) = columns.binary_search(&column) {
                cells[at * rows.len() + index] = f64::from(value);
            }
        }
    }
    cells
}
