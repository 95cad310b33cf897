//! Learning: from sequences with their states by counting, from sequences alone by expectation
//! maximisation (Baum et al. 1970).

use rayon::prelude::*;

use super::{Hmm, Posterior};
use crate::ClassicalError;

/// When Baum–Welch ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BaumWelch {
    /// Steps at most.
    pub max_iterations: usize,
    /// Gain in log-likelihood per symbol below which it ends.
    pub tolerance: f64,
}

impl Default for BaumWelch {
    fn default() -> Self {
        Self { max_iterations: 100, tolerance: 1e-6 }
    }
}

/// How learning went.
#[derive(Debug, Clone, PartialEq)]
pub struct BaumWelchReport {
    /// Log-likelihood of all sequences before each step and after the last; it never falls.
    pub log_likelihoods: Vec<f64>,
    /// Whether it ended before its last step.
    pub converged: bool,
}

/// Expected counts of starts, transitions and emissions.
struct Counts {
    initial: Vec<f64>,
    transitions: Vec<Vec<f64>>,
    emissions: Vec<Vec<f64>>,
}

impl Counts {
    fn new(states: usize, symbols: usize, each: f64) -> Self {
        Self {
            initial: vec![each; states],
            transitions: vec![vec![each; states]; states],
            emissions: vec![vec![each; symbols]; states],
        }
    }

    fn add(&mut self, posterior: &Posterior, sequence: &[usize]) {
        for (count, p) in self.initial.iter_mut().zip(&posterior.states[0]) {
            *count += p;
        }
        for (counts, expected) in self.transitions.iter_mut().zip(&posterior.transitions) {
            counts.iter_mut().zip(expected).for_each(|(count, expected)| *count += expected);
        }
        for (states, &symbol) in posterior.states.iter().zip(sequence) {
            for (counts, p) in self.emissions.iter_mut().zip(states) {
                counts[symbol] += p;
            }
        }
    }

    /// The probabilities of these counts; a state that was never seen keeps those of `before`, or is
    /// even.
    fn into_model(self, before: Option<&Hmm>) -> Result<Hmm, ClassicalError> {
        let normal = |counts: Vec<f64>, otherwise: Option<&[f64]>| -> Vec<f64> {
            let sum: f64 = counts.iter().sum();
            match otherwise {
                _ if sum > 0.0 => counts.iter().map(|count| count / sum).collect(),
                Some(before) => before.to_vec(),
                None => vec![1.0 / counts.len() as f64; counts.len()],
            }
        };
        let transitions = self.transitions.into_iter().enumerate();
        let emissions = self.emissions.into_iter().enumerate();
        Hmm::new(
            normal(self.initial, before.map(Hmm::initial)),
            transitions.map(|(s, row)| normal(row, before.map(|hmm| hmm.transitions(s)))).collect(),
            emissions.map(|(s, row)| normal(row, before.map(|hmm| hmm.emissions(s)))).collect(),
        )
    }
}

impl Hmm {
    /// Counts sequences of `(state, symbol)`, `smoothing` added to each count.
    ///
    /// # Errors
    /// A state or symbol outside, and a `smoothing` that is negative or leaves a state without any
    /// count.
    pub fn from_tagged(
        sequences: &[Vec<(usize, usize)>],
        states: usize,
        symbols: usize,
        smoothing: f64,
    ) -> Result<Self, ClassicalError> {
        if !(smoothing >= 0.0 && smoothing.is_finite()) {
            return Err(ClassicalError::Smoothing { alpha: smoothing });
        }
        let mut counts = Counts::new(states, symbols, smoothing);
        for sequence in sequences {
            for (position, &(state, symbol)) in sequence.iter().enumerate() {
                if state >= states {
                    return Err(ClassicalError::State { position, state, states });
                }
                if symbol >= symbols {
                    return Err(ClassicalError::Symbol { position, symbol, symbols });
                }
                counts.emissions[state][symbol] += 1.0;
                match position.checked_sub(1) {
                    None => counts.initial[state] += 1.0,
                    Some(before) => counts.transitions[sequence[before].0][state] += 1.0,
                }
            }
        }
        counts.into_model(None)
    }

    /// One step: the model that the expected counts of `sequences` give, and their log-likelihood
    /// before it.
    ///
    /// # Errors
    /// A symbol that is not one of the model's, or an empty sequence.
    pub fn baum_welch_step(&self, sequences: &[Vec<usize>]) -> Result<(Self, f64), ClassicalError> {
        let posteriors: Vec<Posterior> = sequences
            .par_iter()
            .map(|sequence| self.posterior(sequence))
            .collect::<Result<_, _>>()?;
        let mut counts = Counts::new(self.states, self.symbols, 0.0);
        for (posterior, sequence) in posteriors.iter().zip(sequences) {
            counts.add(posterior, sequence);
        }
        let before = posteriors.iter().map(|posterior| posterior.log_likelihood).sum();
        Ok((counts.into_model(Some(self))?, before))
    }

    /// Learns from sequences whose states are not known.
    ///
    /// # Errors
    /// A symbol that is not one of the model's, or an empty sequence.
    pub fn baum_welch(
        mut self,
        sequences: &[Vec<usize>],
        options: &BaumWelch,
    ) -> Result<(Self, BaumWelchReport), ClassicalError> {
        let symbols: usize = sequences.iter().map(Vec::len).sum();
        let mut log_likelihoods: Vec<f64> = Vec::new();
        for _ in 0..options.max_iterations {
            let (next, before) = self.baum_welch_step(sequences)?;
            let gain = log_likelihoods.last().map(|last| before - last);
            log_likelihoods.push(before);
            if gain.is_some_and(|gain| gain < options.tolerance * symbols as f64) {
                return Ok((self, BaumWelchReport { log_likelihoods, converged: true }));
            }
            self = next;
        }
        let after = sequences.iter().map(|s| self.log_likelihood(s)).sum::<Result<f64, _>>()?;
        log_likelihoods.push(after);
        Ok((self, BaumWelchReport { log_likelihoods, converged: false }))
    }
}
