//! Random choices whose results never change: own bounded sampling over ChaCha8 words.
//!
//! `rand`'s range sampling may change between versions and depends on the width of `usize`; neither a corpus that is
//! pinned by hash nor a training run that is resumed may depend on either, so everything here is arithmetic on
//! `next_u32`.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::random::fraction;

/// A stream of dice throws, fully determined by a seed and a stream number.
#[derive(Debug, Clone)]
pub struct Dice {
    rng: ChaCha8Rng,
}

impl Dice {
    /// The throws of `stream` under `seed`; streams of one seed are independent of one another.
    #[must_use]
    pub fn new(seed: u64, stream: u64) -> Self {
        // The key is the seed spelled out, not `seed_from_u64`, whose expansion belongs to another crate.
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream(stream);
        Self { rng }
    }

    /// A number from 0 to `n - 1` by fixed-point multiplication (its bias, below n / 2³², cannot matter here).
    ///
    /// # Panics
    /// If `n` is zero.
    pub fn below(&mut self, n: usize) -> usize {
        assert!(n > 0, "a choice among no alternatives");
        let n = u64::try_from(n).expect("usize has at most 64 bits");
        let picked = (u64::from(self.rng.next_u32()) * n) >> 32;
        usize::try_from(picked).expect("smaller than n, which was a usize")
    }

    /// A number from `low` to `high`, both included.
    ///
    /// # Panics
    /// If `high` is smaller than `low`.
    pub fn between(&mut self, low: u32, high: u32) -> u32 {
        assert!(low <= high, "an empty range {low}..{high}");
        low + u32::try_from(self.below((high - low) as usize + 1)).expect("at most high")
    }

    /// A number from 0 up to but not including 1, in steps of 2⁻⁵³.
    pub fn fraction(&mut self) -> f64 {
        let high = u64::from(self.rng.next_u32());
        let low = u64::from(self.rng.next_u32());
        fraction(high << 32 | low)
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.fraction() < probability
    }

    /// One of `items`, each as likely as the next.
    ///
    /// # Panics
    /// If `items` is empty.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// Puts `items` into a random order (Fisher–Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throws_are_the_same_everywhere() {
        let mut dice = Dice::new(1, 2);
        let throws: Vec<usize> = (0..8).map(|_| dice.below(100)).collect();
        assert_eq!(throws, PINNED);
    }

    const PINNED: [usize; 8] = [82, 37, 81, 10, 46, 40, 85, 26];

    #[test]
    fn streams_differ_and_every_value_of_a_range_occurs() {
        let (mut a, mut b) = (Dice::new(1, 0), Dice::new(1, 1));
        assert_ne!(
            (0..8).map(|_| a.below(1000)).collect::<Vec<_>>(),
            (0..8).map(|_| b.below(1000)).collect::<Vec<_>>()
        );
        let mut seen = [0; 4];
        for _ in 0..1000 {
            seen[a.between(2, 5) as usize - 2] += 1;
        }
        assert!(seen.iter().all(|&n| n > 150), "{seen:?}");
    }

    #[test]
    fn a_shuffle_keeps_every_item() {
        let mut items: Vec<usize> = (0..20).collect();
        Dice::new(3, 0).shuffle(&mut items);
        assert_ne!(items, (0..20).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..20).collect::<Vec<_>>());
    }
}
