//! Fitting by maximum likelihood with an L2 penalty.

use std::ops::Range;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{ChainPosterior, LabelPath, LinearChain};
use crate::lbfgs::{LbfgsOptions, dot, minimize};
use crate::{ClassicalError, SparseColumns, SparseMatrix};

/// Sequences per task. Fixed, so that sums do not depend on the number of threads.
const SEQUENCES: usize = 32;

/// How a random field is fitted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CrfOptions {
    /// Weight of half the squared weights beside the sum of the sequences' losses.
    pub l2: f64,
    /// Steps at most.
    pub max_iterations: usize,
    /// The largest element of the gradient, per position, at which fitting ends.
    pub tolerance: f64,
}

impl Default for CrfOptions {
    fn default() -> Self {
        Self { l2: 0.3, max_iterations: 100, tolerance: 1e-5 }
    }
}

/// A fitted field over features that are columns of a sparse matrix, a row per position.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Crf {
    /// A row per feature, a column per label.
    weights: Vec<f64>,
    chain: LinearChain,
    converged: bool,
}

impl Crf {
    /// Fits sequences whose positions stand one behind the other in `rows`, with one label in
    /// `0..classes` each. `lengths` says how many positions each sequence has.
    ///
    /// # Errors
    /// Labels that do not fit the rows or the classes, an empty sequence, lengths that do not sum to
    /// the rows, and an `l2` that is negative.
    pub fn fit(
        rows: &SparseMatrix,
        lengths: &[usize],
        labels: &[usize],
        classes: usize,
        options: &CrfOptions,
    ) -> Result<Self, ClassicalError> {
        crate::linear::check(rows, labels, classes)?;
        if !(options.l2 >= 0.0 && options.l2.is_finite()) {
            return Err(ClassicalError::Penalty { l2: options.l2 });
        }
        let columns = rows.by_column();
        let l2 = options.l2;
        let sequences = sequences(lengths, rows.len())?;
        let problem = Problem { rows, columns: &columns, sequences, labels, classes, l2 };
        let search = LbfgsOptions {
            max_iterations: options.max_iterations,
            tolerance: options.tolerance,
            ..LbfgsOptions::default()
        };
        let start = vec![0.0; (rows.width() + classes + 2) * classes];
        let found = minimize(start, &search, |x, gradient| problem.objective(x, gradient));
        let mut weights = found.x;
        let chain = chain(&weights.split_off(rows.width() * classes), classes);
        Ok(Self { weights, chain, converged: found.converged })
    }

    /// Whether fitting ended before its last step.
    pub fn converged(&self) -> bool {
        self.converged
    }

    /// Scores of neighbouring labels.
    pub fn chain(&self) -> &LinearChain {
        &self.chain
    }

    /// Scores of the labels for a feature.
    ///
    /// # Panics
    /// When there is no feature of this number.
    pub fn weights(&self, feature: usize) -> &[f64] {
        &self.weights[feature * self.chain.labels()..][..self.chain.labels()]
    }

    /// What the features of a sequence, a row per position, say of each label.
    pub fn emissions(&self, rows: &SparseMatrix) -> Vec<f64> {
        emissions(rows, 0..rows.len(), &self.weights, self.chain.labels())
    }

    /// The best labels of a sequence.
    ///
    /// # Errors
    /// An empty sequence.
    pub fn best_path(&self, rows: &SparseMatrix) -> Result<LabelPath, ClassicalError> {
        self.chain.best_path(&self.emissions(rows))
    }

    /// Probabilities of the labels of a sequence.
    ///
    /// # Errors
    /// An empty sequence.
    pub fn posterior(&self, rows: &SparseMatrix) -> Result<ChainPosterior, ClassicalError> {
        self.chain.posterior(&self.emissions(rows))
    }
}

/// Where each sequence begins and ends.
fn sequences(lengths: &[usize], rows: usize) -> Result<Vec<Range<usize>>, ClassicalError> {
    let mut end = 0;
    let mut sequences = Vec::with_capacity(lengths.len());
    for &length in lengths {
        if length == 0 {
            return Err(ClassicalError::EmptySequence);
        }
        sequences.push(end..end + length);
        end += length;
    }
    if end != rows {
        return Err(ClassicalError::Lengths { sum: end, rows });
    }
    Ok(sequences)
}

/// The chain of weights that stand one behind the other: transitions, start, end.
fn chain(weights: &[f64], classes: usize) -> LinearChain {
    let (transitions, ends) = weights.split_at(classes * classes);
    let (start, end) = ends.split_at(classes);
    LinearChain::from_parts(start.to_vec(), transitions.to_vec(), end.to_vec())
}

fn emissions(
    rows: &SparseMatrix,
    range: Range<usize>,
    weights: &[f64],
    classes: usize,
) -> Vec<f64> {
    let mut emissions = vec![0.0; range.len() * classes];
    for (row, sums) in range.zip(emissions.chunks_exact_mut(classes)) {
        rows.row(row).add_products(weights, sums);
    }
    emissions
}

/// Sequences and labels that weights are sought for.
struct Problem<'a> {
    rows: &'a SparseMatrix,
    columns: &'a SparseColumns,
    sequences: Vec<Range<usize>>,
    labels: &'a [usize],
    classes: usize,
    l2: f64,
}

/// What some sequences add to the loss and its gradient.
struct Part {
    loss: f64,
    /// Probabilities of the labels less one at the true one, for each position.
    residuals: Vec<f64>,
    /// Expected less observed transitions, starts and ends.
    chain: Vec<f64>,
}

impl Problem<'_> {
    /// The mean loss per position with its share of the penalty.
    fn objective(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let (weights, rest) = x.split_at(self.rows.width() * self.classes);
        let chain = chain(rest, self.classes);
        let count = self.labels.len() as f64;
        let penalty = self.l2 / count;
        let parts: Vec<Part> = self
            .sequences
            .par_chunks(SEQUENCES)
            .map(|sequences| self.part(sequences, weights, &chain))
            .collect();
        gradient.par_iter_mut().zip(x).for_each(|(slope, weight)| *slope = penalty * weight);
        let (d_weights, d_chain) = gradient.split_at_mut(weights.len());
        let residuals: Vec<f64> = parts.iter().flat_map(|part| &part.residuals).copied().collect();
        self.columns.add_products(&residuals, self.classes, 1.0 / count, d_weights);
        for part in &parts {
            d_chain
                .iter_mut()
                .zip(&part.chain)
                .for_each(|(slope, excess)| *slope += excess / count);
        }
        parts.iter().map(|part| part.loss).sum::<f64>() / count + 0.5 * penalty * dot(x, x)
    }

    fn part(&self, sequences: &[Range<usize>], weights: &[f64], chain: &LinearChain) -> Part {
        let classes = self.classes;
        let mut part =
            Part { loss: 0.0, residuals: Vec::new(), chain: vec![0.0; (classes + 2) * classes] };
        for sequence in sequences {
            let labels = &self.labels[sequence.clone()];
            let emissions = emissions(self.rows, sequence.clone(), weights, classes);
            let posterior = chain.posterior_of(&emissions);
            part.loss += posterior.log_partition - chain.score_of(&emissions, labels);
            part.add_transitions(&posterior, labels, classes);
            let mut residuals = posterior.labels;
            for (residuals, &label) in residuals.chunks_exact_mut(classes).zip(labels) {
                residuals[label] -= 1.0;
            }
            part.add_ends(&residuals, classes);
            part.residuals.append(&mut residuals);
        }
        part
    }
}

impl Part {
    fn add_transitions(&mut self, posterior: &ChainPosterior, labels: &[usize], classes: usize) {
        for (excess, expected) in self.chain.iter_mut().zip(&posterior.transitions) {
            *excess += expected;
        }
        for pair in labels.windows(2) {
            self.chain[pair[0] * classes + pair[1]] -= 1.0;
        }
    }

    /// The residuals of the first and the last position are those of the start and the end.
    fn add_ends(&mut self, residuals: &[f64], classes: usize) {
        let (start, end) = self.chain[classes * classes..].split_at_mut(classes);
        start.iter_mut().zip(&residuals[..classes]).for_each(|(sum, residual)| *sum += residual);
        let last = &residuals[residuals.len() - classes..];
        end.iter_mut().zip(last).for_each(|(sum, residual)| *sum += residual);
    }
}
