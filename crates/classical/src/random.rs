//! Random numbers, draws and orders.

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

/// A number from `[-limit, limit)`.
pub(crate) fn uniform_within(random: &mut ChaCha8Rng, limit: f32) -> f32 {
    // 24 bits are all that a number below 1 holds.
    let unit = (random.next_u32() >> 8) as f32 / (1u32 << 24) as f32;
    limit * (2.0 * unit - 1.0)
}

/// A whole number below `end`, which is at least 1.
pub(crate) fn below(random: &mut ChaCha8Rng, end: usize) -> usize {
    (random.next_u64() % end as u64) as usize
}

/// Puts items into a random order.
pub(crate) fn shuffle<T>(items: &mut [T], random: &mut ChaCha8Rng) {
    for i in (1..items.len()).rev() {
        items.swap(i, below(random, i + 1));
    }
}
