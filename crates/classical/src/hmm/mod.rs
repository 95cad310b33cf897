//! Hidden Markov models over symbols (Rabiner 1989): the likelihood of a sequence, its likeliest
//! states, and how to learn from sequences with states (counting) and without (Baum–Welch).

mod forward_backward;
mod learn;
mod viterbi;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};

pub use forward_backward::Posterior;
pub use learn::{BaumWelch, BaumWelchReport};
pub use viterbi::BestPath;

use crate::ClassicalError;
use crate::random::{draw, uniform};

/// How far a row of probabilities may be from a sum of 1.
const TOLERANCE: f64 = 1e-6;

/// A model of `states` hidden states and `symbols` observed ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hmm {
    states: usize,
    symbols: usize,
    /// Probability of each state at the start.
    initial: Vec<f64>,
    /// From each state to each, a row per state.
    transitions: Vec<f64>,
    /// Of each symbol in each state, a row per state.
    emissions: Vec<f64>,
}

impl Hmm {
    /// A model of given probabilities: `initial` of each state, `transitions` and `emissions` with a
    /// row per state.
    ///
    /// # Errors
    /// Rows that are no distributions, or of unequal lengths.
    pub fn new(
        initial: Vec<f64>,
        transitions: Vec<Vec<f64>>,
        emissions: Vec<Vec<f64>>,
    ) -> Result<Self, ClassicalError> {
        let (states, symbols) = (initial.len(), emissions.first().map_or(0, Vec::len));
        check("the initial states", &initial, states)?;
        if transitions.len() != states || emissions.len() != states {
            let found = format!("{} and {}", transitions.len(), emissions.len());
            return Err(distribution("rows of transitions and emissions", found, states));
        }
        for (state, (transitions, emissions)) in transitions.iter().zip(&emissions).enumerate() {
            check(&format!("the transitions of state {state}"), transitions, states)?;
            check(&format!("the emissions of state {state}"), emissions, symbols)?;
        }
        let (transitions, emissions) = (transitions.concat(), emissions.concat());
        Ok(Self { states, symbols, initial, transitions, emissions })
    }

    /// A model of random probabilities, to start learning from.
    ///
    /// # Errors
    /// No states or no symbols.
    pub fn random(states: usize, symbols: usize, seed: u64) -> Result<Self, ClassicalError> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        // Near to even, so that no symbol is all but impossible in any state.
        let mut row = |count: usize| -> Vec<f64> {
            let weights: Vec<f64> = (0..count).map(|_| 0.5 + uniform(&mut random)).collect();
            let sum: f64 = weights.iter().sum();
            weights.into_iter().map(|weight| weight / sum).collect()
        };
        let initial = row(states);
        let transitions = (0..states).map(|_| row(states)).collect();
        let emissions = (0..states).map(|_| row(symbols)).collect();
        Self::new(initial, transitions, emissions)
    }

    /// Number of states.
    pub fn states(&self) -> usize {
        self.states
    }

    /// Number of symbols.
    pub fn symbols(&self) -> usize {
        self.symbols
    }

    /// Probability of each state at the start.
    pub fn initial(&self) -> &[f64] {
        &self.initial
    }

    /// Probability of each state after `state`.
    pub fn transitions(&self, state: usize) -> &[f64] {
        &self.transitions[state * self.states..][..self.states]
    }

    /// Probability of each symbol in `state`.
    pub fn emissions(&self, state: usize) -> &[f64] {
        &self.emissions[state * self.symbols..][..self.symbols]
    }

    /// Draws `length` symbols with the states behind them.
    pub fn sample(&self, length: usize, seed: u64) -> Vec<(usize, usize)> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut drawn: Vec<(usize, usize)> = Vec::with_capacity(length);
        for _ in 0..length {
            let states = drawn.last().map_or(self.initial(), |&(state, _)| self.transitions(state));
            let state = draw(states, &mut random);
            drawn.push((state, draw(self.emissions(state), &mut random)));
        }
        drawn
    }

    /// # Errors
    /// A symbol that is not one of the model's, or none at all.
    fn check_symbols(&self, sequence: &[usize]) -> Result<(), ClassicalError> {
        if sequence.is_empty() {
            return Err(ClassicalError::EmptySequence);
        }
        match sequence.iter().position(|&symbol| symbol >= self.symbols) {
            None => Ok(()),
            Some(position) => Err(ClassicalError::Symbol {
                position,
                symbol: sequence[position],
                symbols: self.symbols,
            }),
        }
    }
}

fn check(what: &str, row: &[f64], length: usize) -> Result<(), ClassicalError> {
    let sum: f64 = row.iter().sum();
    let is_distribution = row.iter().all(|p| *p >= 0.0) && (sum - 1.0).abs() <= TOLERANCE;
    if row.len() == length && length > 0 && is_distribution {
        return Ok(());
    }
    Err(distribution(what, format!("{} probabilities with the sum {sum}", row.len()), length))
}

fn distribution(what: &str, found: String, expected: usize) -> ClassicalError {
    ClassicalError::Distribution { what: what.to_owned(), found, expected }
}
