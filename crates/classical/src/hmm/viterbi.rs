//! The likeliest states behind a sequence (Viterbi 1967).

use super::Hmm;
use crate::ClassicalError;

/// A path of states.
#[derive(Debug, Clone, PartialEq)]
pub struct BestPath {
    /// One state per symbol; of equally likely ones the smallest.
    pub states: Vec<usize>,
    /// Natural logarithm of the probability of states and symbols together; −∞ where the symbols
    /// cannot be.
    pub log_probability: f64,
}

impl Hmm {
    /// The likeliest states behind `sequence`.
    ///
    /// # Errors
    /// A symbol that is not one of the model's, or none at all.
    pub fn best_path(&self, sequence: &[usize]) -> Result<BestPath, ClassicalError> {
        self.check_symbols(sequence)?;
        let emission = |state: usize, t: usize| self.emissions(state)[sequence[t]].ln();
        let mut scores: Vec<f64> =
            (0..self.states).map(|state| self.initial[state].ln() + emission(state, 0)).collect();
        let mut came_from: Vec<Vec<usize>> = Vec::with_capacity(sequence.len());
        for t in 1..sequence.len() {
            let (next, from): (Vec<f64>, Vec<usize>) = (0..self.states)
                .map(|to| {
                    let through = |from: usize| scores[from] + self.transitions(from)[to].ln();
                    let best = first_largest((0..self.states).map(through));
                    (through(best) + emission(to, t), best)
                })
                .unzip();
            scores = next;
            came_from.push(from);
        }
        let last = first_largest(scores.iter().copied());
        let mut states = vec![last];
        for from in came_from.iter().rev() {
            states.push(from[states[states.len() - 1]]);
        }
        states.reverse();
        Ok(BestPath { states, log_probability: scores[last] })
    }
}

fn first_largest(values: impl Iterator<Item = f64>) -> usize {
    let mut best = (0, f64::NEG_INFINITY);
    for (index, value) in values.enumerate() {
        if value > best.1 {
            best = (index, value);
        }
    }
    best.0
}
