//! Sampling a continuation.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::automaton::Automaton;
use super::model::NgramModel;

impl NgramModel {
    /// Continues `prompt` by up to `n` tokens and returns these only. With
    /// [`Boundaries::Sentences`](super::Boundaries::Sentences) the prompt begins a document, and
    /// generation stops at its end, before the end-of-sentence token.
    ///
    /// Probabilities are raised to the power 1/`temperature` and normalised again: 1 samples
    /// from the model, less is safer. Zero (or anything not above it) is greedy: always the most
    /// probable token, the smallest id among equals. The same seed gives the same tokens.
    pub fn generate(&self, prompt: &[u32], n: usize, temperature: f64, seed: u64) -> Vec<u32> {
        let start = Start { automaton: &self.automaton, eos: self.config.eos(), prompt };
        continue_prompt(start, n, temperature, seed)
    }
}

/// Where generation begins, and what ends it.
pub(super) struct Start<'a> {
    pub automaton: &'a Automaton,
    pub eos: Option<u32>,
    pub prompt: &'a [u32],
}

/// The loop behind `generate`, for everything that has an automaton.
pub(super) fn continue_prompt(start: Start<'_>, n: usize, temperature: f64, seed: u64) -> Vec<u32> {
    let Start { automaton, eos, prompt } = start;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut weights = Vec::new();
    let mut generated = Vec::new();
    let mut state = automaton.walk(automaton.start(), prompt);
    while generated.len() < n {
        automaton.distribution(state, &mut weights);
        let token = if temperature > 0.0 {
            sharpen(&mut weights, temperature);
            draw(&weights, uniform(&mut rng))
        } else {
            most_probable(&weights)
        };
        if eos == Some(token) {
            break;
        }
        generated.push(token);
        state = automaton.step(state, token).1;
    }
    generated
}

/// Raises to the power 1/`temperature`, relative to the largest so that it cannot underflow to
/// all zeros.
pub(super) fn sharpen(weights: &mut [f64], temperature: f64) {
    if temperature == 1.0 {
        return;
    }
    let largest = weights.iter().copied().fold(0.0, f64::max);
    for weight in weights {
        // A weight of zero (the begin-of-sentence token) stays zero at any temperature.
        *weight = if *weight > 0.0 { (*weight / largest).powf(temperature.recip()) } else { 0.0 };
    }
}

/// The token at which the running sum of `weights` passes `at` (in [0, 1)) of the total.
pub(super) fn draw(weights: &[f64], at: f64) -> u32 {
    let mut left = at * weights.iter().sum::<f64>();
    let mut drawn = 0;
    for (token, &weight) in weights.iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
        drawn = token as u32; // rounding may leave a rest behind the last possible token
        left -= weight;
        if left < 0.0 {
            break;
        }
    }
    drawn
}

/// The token of the largest weight, the first among equals.
pub(super) fn most_probable(weights: &[f64]) -> u32 {
    let mut best = 0;
    for (token, &weight) in weights.iter().enumerate() {
        if weight > weights[best] {
            best = token;
        }
    }
    best as u32
}

/// A number in [0, 1) with all 53 bits of its significand random.
pub(super) fn uniform(rng: &mut impl Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_divide_the_unit_interval_by_weight() {
        let weights = [0.0, 1.0, 0.0, 3.0, 0.0];
        let drawn = [0.0, 0.2499, 0.25, 0.9999].map(|at| draw(&weights, at));
        assert_eq!(drawn, [1, 1, 3, 3]);
        assert_eq!(draw(&weights, 1.0), 3); // beyond the end by rounding
        assert_eq!(most_probable(&weights), 3);
        assert_eq!(most_probable(&[0.5, 0.5]), 0);
    }

    #[test]
    fn temperature_sharpens_and_flattens() {
        let mut cold = [0.2, 0.8, 0.0];
        sharpen(&mut cold, 0.5);
        assert!((cold[0] / cold[1] - 1.0 / 16.0).abs() < 1e-12);
        let mut freezing = [0.2, 0.8, 0.0];
        sharpen(&mut freezing, 1e-6);
        assert_eq!(freezing, [0.0, 1.0, 0.0]);
        let mut hot = [0.2, 0.8, 0.0];
        sharpen(&mut hot, 1e9);
        assert!((hot[0] - hot[1]).abs() < 1e-6);
        assert_eq!(hot[2], 0.0);
    }
}
