//! The words most like a vector.

use rayon::prelude::*;

use super::WordVectors;
use super::vectors::unit;
use crate::ClassicalError;

/// Words of a task at least.
const WORDS: usize = 1024;

/// A word and how like it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbour<'a> {
    /// The word.
    pub word: &'a str,
    /// The cosine of the angle or, of an [`Analogy`](super::Analogy), its score.
    pub score: f32,
}

impl WordVectors {
    /// The `count` words most like `word`, the most alike first, without `word` itself. Equals come in
    /// the order of the vocabulary. `word` may be outside the vocabulary where it can be composed.
    ///
    /// # Errors
    /// A word without a vector.
    pub fn neighbours(
        &self,
        word: &str,
        count: usize,
    ) -> Result<Vec<Neighbour<'_>>, ClassicalError> {
        let unit = unit(self.known(word)?);
        Ok(self.best(count, &[word], |index| self.cosine(index, &unit)))
    }

    /// The `count` words whose vectors have the smallest angle to `vector`.
    ///
    /// # Errors
    /// A vector of another length.
    pub fn nearest(
        &self,
        vector: &[f32],
        count: usize,
    ) -> Result<Vec<Neighbour<'_>>, ClassicalError> {
        if vector.len() != self.dim() {
            let (dim, values) = (self.dim(), vector.len());
            return Err(ClassicalError::VectorShape { words: 1, dim, values });
        }
        let unit = unit(vector.to_vec());
        Ok(self.best(count, &[], |index| self.cosine(index, &unit)))
    }

    /// The words of the highest scores, without some.
    pub(super) fn best(
        &self,
        count: usize,
        without: &[&str],
        score: impl Fn(usize) -> f32 + Sync,
    ) -> Vec<Neighbour<'_>> {
        let mut scores: Vec<(f32, usize)> =
            (0..self.len()).into_par_iter().with_min_len(WORDS).map(|i| (score(i), i)).collect();
        scores.retain(|(_, index)| !without.contains(&self.words()[*index].as_str()));
        let order = |a: &(f32, usize), b: &(f32, usize)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
        if count < scores.len() {
            scores.select_nth_unstable_by(count, order);
            scores.truncate(count);
        }
        scores.sort_unstable_by(order);
        scores.into_iter().map(|(score, i)| Neighbour { word: &self.words()[i], score }).collect()
    }
}
