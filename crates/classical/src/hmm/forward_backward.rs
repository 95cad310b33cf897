//! The forward and the backward pass, scaled at each position so that long sequences do not underflow
//! (Rabiner 1989, section V.A).

use super::Hmm;
use crate::ClassicalError;

/// What is known of the states of a sequence.
#[derive(Debug, Clone, PartialEq)]
pub struct Posterior {
    /// Natural logarithm of the probability of the sequence; −∞ where it cannot be.
    pub log_likelihood: f64,
    /// Probability of each state at each position, given the whole sequence.
    pub states: Vec<Vec<f64>>,
    /// Expected number of times that each state follows each, a row per state.
    pub transitions: Vec<Vec<f64>>,
}

impl Hmm {
    /// Natural logarithm of the probability of `sequence`; −∞ where it cannot be.
    ///
    /// # Errors
    /// A symbol that is not one of the model's, or none at all.
    pub fn log_likelihood(&self, sequence: &[usize]) -> Result<f64, ClassicalError> {
        self.check_symbols(sequence)?;
        Ok(self.forward(sequence).1.iter().map(|scale| scale.ln()).sum())
    }

    /// Probabilities of the states behind `sequence`; all zero where it cannot be.
    ///
    /// # Errors
    /// A symbol that is not one of the model's, or none at all.
    pub fn posterior(&self, sequence: &[usize]) -> Result<Posterior, ClassicalError> {
        self.check_symbols(sequence)?;
        let (alpha, scales) = self.forward(sequence);
        let log_likelihood: f64 = scales.iter().map(|scale| scale.ln()).sum();
        let mut transitions = vec![vec![0.0; self.states]; self.states];
        let mut states = vec![vec![0.0; self.states]; sequence.len()];
        if log_likelihood == f64::NEG_INFINITY {
            return Ok(Posterior { log_likelihood, states, transitions });
        }
        // Of what comes after a position, over the same scales as the forward pass.
        let mut beta = vec![1.0; self.states];
        for t in (0..sequence.len()).rev() {
            for (state, probability) in states[t].iter_mut().enumerate() {
                *probability = alpha[t][state] * beta[state];
            }
            if t == 0 {
                break;
            }
            let ahead: Vec<f64> = (0..self.states)
                .map(|state| self.emissions(state)[sequence[t]] * beta[state] / scales[t])
                .collect();
            for (from, counts) in transitions.iter_mut().enumerate() {
                let row = self.transitions(from);
                for ((count, p), ahead) in counts.iter_mut().zip(row).zip(&ahead) {
                    *count += alpha[t - 1][from] * p * ahead;
                }
                beta[from] = row.iter().zip(&ahead).map(|(p, ahead)| p * ahead).sum();
            }
        }
        Ok(Posterior { log_likelihood, states, transitions })
    }

    /// Probability of each state given the symbols so far, and of each symbol given those before it.
    fn forward(&self, sequence: &[usize]) -> (Vec<Vec<f64>>, Vec<f64>) {
        let mut alpha: Vec<Vec<f64>> = Vec::with_capacity(sequence.len());
        let mut scales = Vec::with_capacity(sequence.len());
        for &symbol in sequence {
            let mut now: Vec<f64> = match alpha.last() {
                None => self.initial.clone(),
                Some(before) => (0..self.states)
                    .map(|to| {
                        let from = before.iter().enumerate();
                        from.map(|(from, p)| p * self.transitions(from)[to]).sum()
                    })
                    .collect(),
            };
            for (state, probability) in now.iter_mut().enumerate() {
                *probability *= self.emissions(state)[symbol];
            }
            let scale: f64 = now.iter().sum();
            if scale > 0.0 {
                now.iter_mut().for_each(|probability| *probability /= scale);
            }
            alpha.push(now);
            scales.push(scale);
        }
        (alpha, scales)
    }
}
