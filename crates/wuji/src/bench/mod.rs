//! How fast training, generation and tokenizing are, measured the way that others measure.
//!
//! Models are made from a [`BenchShape`] with random weights and read random tokens: the time does
//! not depend on what they say. Medians are reported, since other work on a machine makes outliers
//! in one direction only.

mod family;
mod generate;
mod limits;
mod shape;
mod tokenizer;
mod train;

pub use family::BenchFamily;
pub use generate::{GenerateBench, GenerateReport, bench_generate};
pub use limits::GenerateLimits;
pub use shape::BenchShape;
pub use tokenizer::{TokenizerReport, bench_tokenizer};
pub use train::{PhaseTimes, TrainBench, TrainReport, bench_train};
pub use wuji_training::Precision;

use std::time::Instant;

/// The middle value; of an even number, the upper one of the two.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Gives the milliseconds between calls.
struct Stopwatch(Instant);

impl Stopwatch {
    fn start() -> Self {
        Self(Instant::now())
    }

    /// Milliseconds since the start or the last lap.
    fn lap(&mut self) -> f64 {
        let now = Instant::now();
        let passed = now.duration_since(self.0).as_secs_f64() * 1e3;
        self.0 = now;
        passed
    }
}

/// Token ids that look like nothing (SplitMix64).
fn random_ids(seed: u64, vocab_size: usize) -> impl Iterator<Item = u32> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % vocab_size as u64) as u32
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_does_not_mind_an_outlier() {
        assert_eq!(median(vec![3.0, 1.0, 1000.0]), 3.0);
        assert_eq!(median(vec![2.0, 1.0]), 2.0);
        assert!(median(Vec::new()).is_nan());
    }

    #[test]
    fn random_ids_are_in_the_vocabulary_and_repeatable() {
        let ids: Vec<u32> = random_ids(7, 5).take(1000).collect();
        assert!((0..5).all(|id| ids.contains(&id)) && ids.iter().all(|id| *id < 5));
        assert_eq!(ids, random_ids(7, 5).take(1000).collect::<Vec<_>>());
    }
}
