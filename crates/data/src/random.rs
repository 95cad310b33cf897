//! Randomness without state: every draw is a hash of a seed and the coordinates of what is drawn,
//! so that any draw can be repeated without those before it.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// 64 uniform bits for these coordinates under this seed.
pub(crate) fn draw<const N: usize>(seed: u64, coordinates: [u64; N]) -> u64 {
    let mut bytes = [[0; 8]; N];
    for (eight, coordinate) in bytes.iter_mut().zip(coordinates) {
        *eight = coordinate.to_le_bytes();
    }
    xxh3_64_with_seed(bytes.as_flattened(), seed)
}

/// Maps 64 uniform bits to `0..bound`. The bias is at most `bound / 2^64`: nothing at the sizes
/// of any corpus.
pub(crate) fn below(bits: u64, bound: u64) -> u64 {
    ((u128::from(bits) * u128::from(bound)) >> 64) as u64
}

/// Maps 64 uniform bits to `[0, 1)`.
pub(crate) fn fraction(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

/// A pseudo-random permutation of `0..len` that takes no memory: a Feistel network over the next
/// even power of two, walked along its cycles until it lands inside (Black and Rogaway, "Ciphers
/// with arbitrary finite domains", 2002).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Permutation {
    len: u64,
    half_bits: u32,
    key: u64,
}

/// Four make a Feistel network indistinguishable from random to anyone with less than a corpus
/// of samples (Luby and Rackoff, 1988); two more cost nanoseconds.
const ROUNDS: u64 = 6;

impl Permutation {
    pub(crate) fn new(len: u64, key: u64) -> Self {
        let bits = u64::BITS - len.saturating_sub(1).leading_zeros();
        Self { len, half_bits: bits.div_ceil(2).max(1), key }
    }

    /// Where `index`, which must be below `len`, goes.
    pub(crate) fn apply(&self, index: u64) -> u64 {
        debug_assert!(index < self.len, "{index} of a permutation of {}", self.len);
        let mut value = index;
        loop {
            // The domain is less than four times as large, so fewer than four walks on average.
            value = self.encrypt(value);
            if value < self.len {
                return value;
            }
        }
    }

    fn encrypt(&self, value: u64) -> u64 {
        let mask = (1_u64 << self.half_bits) - 1;
        let (mut left, mut right) = (value >> self.half_bits, value & mask);
        for round in 0..ROUNDS {
            (left, right) = (right, left ^ (draw(self.key, [round, right]) & mask));
        }
        (left << self.half_bits) | right
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_permutation_meets_every_index_once(len in 1_u64..3000, key: u64) {
            let permutation = Permutation::new(len, key);
            let mut met = vec![false; len as usize];
            for index in 0..len {
                let value = permutation.apply(index) as usize;
                prop_assert!(!met[value], "{value} twice");
                met[value] = true;
            }
        }
    }

    #[test]
    fn keys_give_different_orders_without_a_pattern() {
        const LEN: u64 = 1000;
        let orders: Vec<Vec<u64>> = (0..20)
            .map(|key| {
                let permutation = Permutation::new(LEN, key);
                (0..LEN).map(|index| permutation.apply(index)).collect()
            })
            .collect();
        for (first, second) in orders.iter().zip(&orders[1..]) {
            // Two independent orders agree in about one place; 10 would have odds of 1 in 10^7.
            let agree = first.iter().zip(second).filter(|(a, b)| a == b).count();
            assert!(agree < 10, "two keys agree in {agree} of {LEN} places");
            // Neighbours that stay neighbours: about two expected.
            let runs = first.windows(2).filter(|pair| pair[0] + 1 == pair[1]).count();
            assert!(runs < 12, "{runs} neighbours kept their order");
        }
    }

    #[test]
    fn draws_below_a_bound_are_uniform() {
        let mut counts = [0_u32; 10];
        for index in 0..100_000 {
            counts[below(draw(3, [index]), 10) as usize] += 1;
        }
        // Chi-squared with 9 degrees of freedom exceeds 33.7 once in ten thousand.
        let chi_squared: f64 =
            counts.iter().map(|&count| (f64::from(count) - 1e4).powi(2) / 1e4).sum();
        assert!(chi_squared < 33.7, "chi-squared {chi_squared}, counts {counts:?}");
    }

    #[test]
    fn fractions_stay_below_one() {
        assert!(fraction(u64::MAX) < 1.0);
        assert_eq!(fraction(0), 0.0);
    }
}
