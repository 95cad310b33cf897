//! Draws from a distribution.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

/// A number in `0.0..1.0`.
pub(crate) fn uniform(random: &mut ChaCha8Rng) -> f64 {
    (random.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// An index, each with its probability; the probabilities sum to one.
pub(crate) fn draw(probabilities: &[f64], random: &mut ChaCha8Rng) -> usize {
    let mut rest = uniform(random);
    for (index, probability) in probabilities.iter().enumerate() {
        rest -= probability;
        if rest < 0.0 {
            return index;
        }
    }
    // Rounding: the last that can be.
    probabilities.iter().rposition(|p| *p > 0.0).unwrap_or(0)
}
