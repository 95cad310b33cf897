//! Words to be told from the right one, drawn by their counts to the power ¾.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

/// A table that draws a word at the cost of one random number (Walker 1977, with the construction of
/// Vose 1991), exact where word2vec's table of a hundred million entries rounds.
pub(super) struct Negatives {
    /// Of each column, the part of 2³² that belongs to its own word, and the word that has the rest.
    columns: Vec<(u32, u32)>,
}

impl Negatives {
    pub fn new(counts: &[usize]) -> Self {
        let weights: Vec<f64> = counts.iter().map(|&count| (count as f64).powf(0.75)).collect();
        let mean = weights.iter().sum::<f64>() / weights.len() as f64;
        // Heights of columns of mean 1: what is too high fills up what is too low.
        let mut heights: Vec<f64> = weights.iter().map(|weight| weight / mean).collect();
        let (mut low, mut high): (Vec<usize>, Vec<usize>) =
            (0..heights.len()).partition(|&word| heights[word] < 1.0);
        let mut columns: Vec<(u32, u32)> =
            (0..heights.len() as u32).map(|w| (u32::MAX, w)).collect();
        while let (Some(short), Some(&tall)) = (low.pop(), high.last()) {
            columns[short] = ((heights[short] * f64::from(u32::MAX)) as u32, tall as u32);
            heights[tall] -= 1.0 - heights[short];
            if heights[tall] < 1.0 {
                high.pop();
                low.push(tall);
            }
        }
        Self { columns }
    }

    #[inline]
    pub fn draw(&self, random: &mut ChaCha8Rng) -> u32 {
        let bits = random.next_u64();
        let column = ((bits >> 32) * self.columns.len() as u64) >> 32;
        let (own, other) = self.columns[column as usize];
        if (bits as u32) < own { column as u32 } else { other }
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    #[test]
    fn words_are_drawn_by_their_counts_to_the_power_three_quarters() {
        let counts = [1000, 0, 16, 1, 81, 256];
        let negatives = Negatives::new(&counts);
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut drawn = [0.0; 6];
        (0..1_000_000).for_each(|_| drawn[negatives.draw(&mut random) as usize] += 1.0);
        let weights = counts.map(|count| (count as f64).powf(0.75));
        let total: f64 = weights.iter().sum();
        for (found, weight) in drawn.iter().zip(weights) {
            let expected = 1e6 * weight / total;
            // Five standard deviations; a word that never comes is never drawn.
            assert!(
                (found - expected).abs() <= 5.0 * expected.sqrt(),
                "{found}, expected {expected}"
            );
        }
    }
}
