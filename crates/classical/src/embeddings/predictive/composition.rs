//! What a word's vector is the mean of.

use rayon::prelude::*;

use crate::embeddings::Subwords;

/// The rows of each word: its own, and behind all words those of its pieces.
pub(super) struct Composition {
    starts: Vec<usize>,
    rows: Vec<u32>,
    total: usize,
}

impl Composition {
    pub fn of(words: &[String], subwords: Option<&Subwords>) -> Self {
        let rows_of = |(word, text): (usize, &String)| {
            let pieces = subwords.map(|subwords| subwords.buckets_of(text)).unwrap_or_default();
            let rows = pieces.into_iter().map(|bucket| words.len() as u32 + bucket);
            std::iter::once(word as u32).chain(rows).collect::<Vec<u32>>()
        };
        let lists: Vec<Vec<u32>> = words.par_iter().enumerate().map(rows_of).collect();
        let mut starts = vec![0];
        starts.extend(lists.iter().scan(0, |end, list| {
            *end += list.len();
            Some(*end)
        }));
        let total = words.len() + subwords.map_or(0, |subwords| subwords.buckets);
        Self { starts, rows: lists.concat(), total }
    }

    /// Rows of all words and pieces.
    pub fn rows(&self) -> usize {
        self.total
    }

    #[inline]
    pub fn rows_of(&self, word: u32) -> &[u32] {
        &self.rows[self.starts[word as usize]..self.starts[word as usize + 1]]
    }
}
