//! The text of one pass, without the occurrences of frequent words that chance leaves out.

use std::ops::Range;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

use crate::embeddings::stream::{END, Stream};

/// The chance of each word to be kept, in parts of 2³².
pub(super) struct Subsampling {
    keep: Vec<u32>,
}

impl Subsampling {
    /// word2vec's own formula: a word that is the share f of the text stays with the chance
    /// `√(threshold / f) + threshold / f`.
    pub fn new(counts: &[usize], threshold: f64) -> Self {
        let total: usize = counts.iter().sum();
        let keep = counts.iter().map(|&count| {
            let ratio = threshold * total as f64 / count as f64;
            // What is beyond 1, or infinite for a word that never comes, becomes the largest number.
            ((ratio.sqrt() + ratio) * f64::from(u32::MAX)) as u32
        });
        Self { keep: keep.collect() }
    }

    fn keeps(&self, token: u32, random: &mut ChaCha8Rng) -> bool {
        let keep = self.keep[token as usize];
        keep == u32::MAX || random.next_u32() < keep
    }
}

/// What is left of the text, with marks between documents.
pub(super) struct Epoch {
    pub tokens: Vec<u32>,
}

impl Epoch {
    pub fn draw(stream: &Stream, subsampling: &Subsampling, mut random: ChaCha8Rng) -> Self {
        let keeps = |token: &u32| *token == END || subsampling.keeps(*token, &mut random);
        Self { tokens: stream.tokens.iter().copied().filter(keeps).collect() }
    }

    /// Runs of places, of about `words` each.
    pub fn batches(&self, words: usize) -> impl Iterator<Item = Range<usize>> {
        let length = self.tokens.len();
        (0..length).step_by(words).map(move |start| start..(start + words).min(length))
    }

    /// The share of the text that is before a place.
    pub fn progress(&self, place: usize) -> f64 {
        place as f64 / self.tokens.len() as f64
    }

    /// The words of the same document within `width` of a place.
    pub fn neighbours(&self, place: usize, width: usize) -> impl Iterator<Item = u32> {
        let before = self.tokens[..place].iter().rev().take(width);
        let behind = self.tokens[place + 1..].iter().take(width);
        let in_document = |token: &&u32| **token != END;
        before.take_while(in_document).chain(behind.take_while(in_document)).copied()
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    #[test]
    fn neighbours_stay_in_their_document() {
        let stream = Stream::new(9, &[vec![1, 2, 3], vec![4, 5]]).unwrap();
        let keep_all = Subsampling::new(&stream.counts, 1.0);
        let text = Epoch::draw(&stream, &keep_all, ChaCha8Rng::seed_from_u64(0));
        assert_eq!(text.tokens, stream.tokens);
        assert_eq!(text.neighbours(2, 5).collect::<Vec<_>>(), [1, 3]);
        assert_eq!(text.neighbours(5, 1).collect::<Vec<_>>(), [5]);
    }

    #[test]
    fn frequent_words_are_left_out_as_often_as_the_formula_says() {
        // Word 0 is nine tenths of the text, word 1 the rest: kept with √(0.1 / 0.9) + 0.1 / 0.9.
        let document: Vec<u32> = (0..100_000).map(|i| u32::from(i % 10 == 0)).collect();
        let stream = Stream::new(2, &[document]).unwrap();
        let subsampling = Subsampling::new(&stream.counts, 0.1);
        let text = Epoch::draw(&stream, &subsampling, ChaCha8Rng::seed_from_u64(3));
        let count = |word: u32| text.tokens.iter().filter(|token| **token == word).count();
        let expected = 90_000.0 * ((1.0f64 / 9.0).sqrt() + 1.0 / 9.0);
        assert!((count(0) as f64 - expected).abs() < 600.0, "{} and {expected}", count(0));
        assert_eq!(count(1), 10_000);
    }
}
