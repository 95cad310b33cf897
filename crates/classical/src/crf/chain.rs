//! Sums and best paths over all labellings of a sequence (Sutton & McCallum 2012, section 4).
//!
//! Everything is in logarithms, so that scores of any size do, −∞ for what is forbidden among them.

use serde::{Deserialize, Serialize};

use super::log_matrix::{LogMatrix, LogVector};
use crate::ClassicalError;

/// Scores of neighbouring labels, and of the first and the last one.
///
/// What the positions themselves say comes in as *emissions*: a score per label for the first
/// position, then for the second, and so on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinearChain {
    labels: usize,
    start: Vec<f64>,
    /// From each label to each, a row per label.
    transitions: Vec<f64>,
    end: Vec<f64>,
}

/// A labelling and its score.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelPath {
    /// One label per position; of equally good ones the smallest.
    pub labels: Vec<usize>,
    /// The sum of emissions and transitions along it; −∞ where every labelling is forbidden.
    pub score: f64,
}

/// What is known of the labels of a sequence.
#[derive(Debug, Clone, PartialEq)]
pub struct ChainPosterior {
    /// Natural logarithm of the sum of `exp(score)` over all labellings.
    pub log_partition: f64,
    /// Probability of each label at each position, a row per position.
    pub labels: Vec<f64>,
    /// Expected number of times that each label follows each, a row per label.
    pub transitions: Vec<f64>,
}

impl LinearChain {
    /// A chain of given scores: `start` and `end` of each label, `transitions` with a row per label.
    ///
    /// # Errors
    /// No labels, rows of unequal lengths, and scores that are +∞ or no number.
    pub fn new(
        start: Vec<f64>,
        transitions: Vec<Vec<f64>>,
        end: Vec<f64>,
    ) -> Result<Self, ClassicalError> {
        let labels = start.len().max(1);
        check("start scores", &start, labels)?;
        check("end scores", &end, labels)?;
        let transitions = transitions.concat();
        check("transition scores", &transitions, labels * labels)?;
        Ok(Self { labels, start, transitions, end })
    }

    /// A chain of scores that are known to fit.
    pub(super) fn from_parts(start: Vec<f64>, transitions: Vec<f64>, end: Vec<f64>) -> Self {
        Self { labels: start.len(), start, transitions, end }
    }

    /// Number of labels.
    pub fn labels(&self) -> usize {
        self.labels
    }

    /// Scores of each label after `label`.
    pub fn transitions(&self, label: usize) -> &[f64] {
        &self.transitions[label * self.labels..][..self.labels]
    }

    /// The same chain with some neighbours forbidden: those for which `allows` is false, where `None`
    /// stands for what is before the first and after the last position.
    pub fn constrained(&self, allows: impl Fn(Option<usize>, Option<usize>) -> bool) -> Self {
        let mut chain = self.clone();
        let forbid = |score: &mut f64, from, to| {
            if !allows(from, to) {
                *score = f64::NEG_INFINITY;
            }
        };
        for label in 0..self.labels {
            forbid(&mut chain.start[label], None, Some(label));
            forbid(&mut chain.end[label], Some(label), None);
            for to in 0..self.labels {
                let score = &mut chain.transitions[label * self.labels + to];
                forbid(score, Some(label), Some(to));
            }
        }
        chain
    }

    /// The score of a labelling.
    ///
    /// # Errors
    /// Emissions that are no whole positions, and a labelling that does not fit them.
    pub fn score(&self, emissions: &[f64], labels: &[usize]) -> Result<f64, ClassicalError> {
        let positions = self.positions(emissions)?;
        if labels.len() != positions {
            return Err(ClassicalError::Labels { rows: positions, labels: labels.len() });
        }
        if let Some(row) = labels.iter().position(|&label| label >= self.labels) {
            return Err(ClassicalError::Label { row, label: labels[row], classes: self.labels });
        }
        Ok(self.score_of(emissions, labels))
    }

    /// The score of a labelling that is known to fit.
    pub(super) fn score_of(&self, emissions: &[f64], labels: &[usize]) -> f64 {
        let at = |position: usize| emissions[position * self.labels + labels[position]];
        let steps = labels.windows(2).map(|pair| self.transitions(pair[0])[pair[1]]);
        self.start[labels[0]]
            + (0..labels.len()).map(at).sum::<f64>()
            + steps.sum::<f64>()
            + self.end[labels[labels.len() - 1]]
    }

    /// Natural logarithm of the sum of `exp(score)` over all labellings.
    ///
    /// # Errors
    /// Emissions that are no whole positions.
    pub fn log_partition(&self, emissions: &[f64]) -> Result<f64, ClassicalError> {
        self.positions(emissions)?;
        Ok(self.log_partition_of(&self.forward(emissions)))
    }

    /// Probabilities of labels and of neighbours; all zero where every labelling is forbidden.
    ///
    /// # Errors
    /// Emissions that are no whole positions.
    pub fn posterior(&self, emissions: &[f64]) -> Result<ChainPosterior, ClassicalError> {
        self.positions(emissions)?;
        Ok(self.posterior_of(emissions))
    }

    /// The posterior of emissions that are known to fit.
    pub(super) fn posterior_of(&self, emissions: &[f64]) -> ChainPosterior {
        let alpha = self.forward(emissions);
        let log_partition = self.log_partition_of(&alpha);
        let mut labels = vec![0.0; emissions.len()];
        let mut transitions = vec![0.0; self.transitions.len()];
        if log_partition == f64::NEG_INFINITY {
            return ChainPosterior { log_partition, labels, transitions };
        }
        let matrix = LogMatrix::new(self.transitions.clone());
        let mut beta = self.end.clone();
        for position in (0..emissions.len() / self.labels).rev() {
            let here = position * self.labels..(position + 1) * self.labels;
            for (label, p) in labels[here.clone()].iter_mut().enumerate() {
                *p = (alpha[here.start + label] + beta[label] - log_partition).exp();
            }
            if position > 0 {
                let before = LogVector::new(&alpha[here.start - self.labels..here.start]);
                let ahead = sum(&emissions[here], &beta);
                let ahead = LogVector::new(&ahead);
                matrix.add_outer(&before, &ahead, log_partition, &mut transitions);
                beta = matrix.times(&ahead).collect();
            }
        }
        ChainPosterior { log_partition, labels, transitions }
    }

    /// The labelling with the highest score (Viterbi 1967).
    ///
    /// # Errors
    /// Emissions that are no whole positions.
    pub fn best_path(&self, emissions: &[f64]) -> Result<LabelPath, ClassicalError> {
        let positions = self.positions(emissions)?;
        let mut scores = sum(&self.start, &emissions[..self.labels]);
        let mut came_from = vec![0; emissions.len()];
        for position in 1..positions {
            let here = position * self.labels..(position + 1) * self.labels;
            let mut next = vec![f64::NEG_INFINITY; self.labels];
            for (from, score) in scores.iter().enumerate() {
                for (to, step) in self.transitions(from).iter().enumerate() {
                    if score + step > next[to] {
                        next[to] = score + step;
                        came_from[here.start + to] = from;
                    }
                }
            }
            scores = sum(&next, &emissions[here]);
        }
        let scores = sum(&scores, &self.end);
        let mut best = 0;
        for (label, score) in scores.iter().enumerate() {
            if *score > scores[best] {
                best = label;
            }
        }
        let mut labels = vec![best; positions];
        for position in (1..positions).rev() {
            labels[position - 1] = came_from[position * self.labels + labels[position]];
        }
        Ok(LabelPath { labels, score: scores[best] })
    }

    /// Logarithm of the sum over all labellings up to each position, by its label.
    fn forward(&self, emissions: &[f64]) -> Vec<f64> {
        let into = LogMatrix::new(self.transitions.clone()).transposed(self.labels);
        let mut alpha = sum(&self.start, &emissions[..self.labels]);
        alpha.reserve_exact(emissions.len() - self.labels);
        for emissions in emissions.chunks_exact(self.labels).skip(1) {
            let before = LogVector::new(&alpha[alpha.len() - self.labels..]);
            let now: Vec<f64> = into.times(&before).zip(emissions).map(|(a, b)| a + b).collect();
            alpha.extend(now);
        }
        alpha
    }

    fn log_partition_of(&self, alpha: &[f64]) -> f64 {
        let last = &alpha[alpha.len() - self.labels..];
        log_sum_exp(last.iter().zip(&self.end).map(|(alpha, end)| alpha + end))
    }

    /// How many positions `emissions` are of.
    fn positions(&self, emissions: &[f64]) -> Result<usize, ClassicalError> {
        if emissions.is_empty() {
            return Err(ClassicalError::EmptySequence);
        }
        let positions = emissions.len() / self.labels;
        let whole = positions.max(1) * self.labels;
        check("emission scores", emissions, whole)?;
        Ok(positions)
    }
}

fn check(what: &'static str, scores: &[f64], expected: usize) -> Result<(), ClassicalError> {
    if scores.len() != expected {
        return Err(ClassicalError::ScoreCount { what, found: scores.len(), expected });
    }
    match scores.iter().position(|score| score.is_nan() || *score == f64::INFINITY) {
        Some(at) => Err(ClassicalError::ScoreValue { what, at, score: scores[at] }),
        None => Ok(()),
    }
}

fn sum(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

pub(super) fn log_sum_exp(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = values.clone().fold(f64::NEG_INFINITY, f64::max);
    if largest == f64::NEG_INFINITY {
        return largest;
    }
    largest + values.map(|value| (value - largest).exp()).sum::<f64>().ln()
}
