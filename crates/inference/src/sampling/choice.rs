//! Choosing a token: the most likely one, or a draw.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The largest logit, `-inf` for none. Sixteen running maxima let the compiler use vectors.
pub(super) fn maximum(logits: &[f32]) -> f32 {
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    let chunks = logits.chunks_exact(16);
    let rest = chunks.remainder();
    let mut lanes = [f32::NEG_INFINITY; 16];
    for chunk in chunks {
        for (lane, &logit) in lanes.iter_mut().zip(chunk) {
            *lane = larger(*lane, logit);
        }
    }
    lanes.iter().chain(rest).copied().fold(f32::NEG_INFINITY, larger)
}

/// The id with the largest logit, the lowest id of several; `None` when all are excluded.
pub fn argmax(logits: &[f32]) -> Option<usize> {
    let best = maximum(logits);
    if best == f32::NEG_INFINITY { None } else { logits.iter().position(|&logit| logit == best) }
}

/// `ln Σ exp(logits)`, summed in f64 after subtracting the largest; `-inf` when all are excluded.
pub fn log_sum_exp(logits: &[f32]) -> f64 {
    let largest = maximum(logits);
    if largest == f32::NEG_INFINITY {
        return f64::NEG_INFINITY;
    }
    f64::from(largest)
        + weights(logits, largest).map(|(_, weight)| f64::from(weight)).sum::<f64>().ln()
}

/// Draws an id from the softmax of `logits` by the inverse of its cumulative distribution, at
/// `uniform` in `[0, 1)`; `None` when all are excluded.
pub fn draw(logits: &[f32], uniform: f64) -> Option<usize> {
    let largest = maximum(logits);
    if largest == f32::NEG_INFINITY {
        return None;
    }
    let weights: Vec<(usize, f32)> = weights(logits, largest).collect();
    let mut left = uniform * weights.iter().map(|(_, weight)| f64::from(*weight)).sum::<f64>();
    let mut chosen = None;
    for (id, weight) in weights {
        chosen = Some(id);
        left -= f64::from(weight);
        if left < 0.0 {
            break;
        }
    }
    // Rounding may leave a crumb behind the last weight: then the last candidate is the answer.
    chosen
}

/// A uniform number in `[0, 1)`, a pure function of `seed` and the `position` of the new token.
///
/// Because earlier draws play no part, a continuation can be repeated from any position.
pub fn uniform(seed: u64, position: usize) -> f64 {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_word_pos(2 * position as u128);
    (random.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
}

/// The tokens that are not excluded, each with `exp(logit - largest)` where that is above 0.
fn weights(logits: &[f32], largest: f32) -> impl Iterator<Item = (usize, f32)> {
    let weight = move |&logit: &f32| (logit - largest).exp();
    let candidates = logits.iter().enumerate().filter(|(_, logit)| **logit != f32::NEG_INFINITY);
    candidates.map(move |(id, logit)| (id, weight(logit))).filter(|(_, weight)| *weight > 0.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OUT: f32 = f32::NEG_INFINITY;

    #[test]
    fn the_lowest_of_equal_ids_is_the_most_likely() {
        assert_eq!(argmax(&[1.0, 2.0, 2.0]), Some(1));
        assert_eq!(argmax(&[OUT, OUT]), None);
    }

    #[test]
    fn the_interval_of_a_token_is_as_wide_as_its_probability() {
        let logits = [0.5_f32.ln(), OUT, 0.25_f32.ln(), 0.25_f32.ln()];
        for (uniform, id) in
            [(0.0, 0), (0.49, 0), (0.51, 2), (0.74, 2), (0.76, 3), (1.0 - 1e-16, 3)]
        {
            assert_eq!(draw(&logits, uniform), Some(id), "at {uniform}");
        }
        assert_eq!(draw(&[OUT], 0.5), None);
    }

    #[test]
    fn draws_follow_the_distribution() {
        let logits = [0.6_f32.ln(), 0.3_f32.ln(), 0.1_f32.ln()];
        let mut counts = [0_u32; 3];
        for position in 0..20_000 {
            counts[draw(&logits, uniform(7, position)).unwrap()] += 1;
        }
        // Five standard deviations of a binomial share.
        for (count, p) in counts.into_iter().zip([0.6_f64, 0.3, 0.1]) {
            let share = f64::from(count) / 20_000.0;
            assert!((share - p).abs() < 5.0 * (p * (1.0 - p) / 20_000.0).sqrt(), "{share} for {p}");
        }
    }

    #[test]
    fn the_draw_depends_on_seed_and_position_alone() {
        assert_eq!(uniform(1, 5), uniform(1, 5));
        assert_ne!(uniform(1, 5), uniform(1, 6));
        assert_ne!(uniform(1, 5), uniform(2, 5));
    }

    #[test]
    fn the_log_sum_of_large_logits_is_finite() {
        assert!((log_sum_exp(&[1000.0, 1000.0]) - (1000.0 + 2.0_f64.ln())).abs() < 1e-9);
        assert_eq!(log_sum_exp(&[OUT, OUT]), f64::NEG_INFINITY);
    }

    proptest! {
        #[test]
        fn a_draw_is_never_excluded(
            logits in prop::collection::vec(prop_oneof![-80.0f32..80.0, Just(OUT)], 1..100),
            uniform in 0.0f64..1.0
        ) {
            match draw(&logits, uniform) {
                Some(id) => prop_assert!(logits[id] > OUT),
                None => prop_assert!(logits.iter().all(|&logit| logit == OUT)),
            }
        }
    }
}
