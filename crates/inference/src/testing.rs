//! A model that is a table, for tests of everything that stands on [`LogitsModel`].

use crate::{InferenceError, LogitsModel};

/// A bigram model: the logits after a token are that token's row.
#[derive(Debug, Clone)]
pub struct TableModel {
    rows: Vec<Vec<f32>>,
    context_length: usize,
}

impl TableModel {
    /// The logits after token `i` are `rows[i]`.
    ///
    /// # Panics
    /// Unless the table is square.
    pub fn new(rows: Vec<Vec<f32>>, context_length: usize) -> Self {
        assert!(rows.iter().all(|row| row.len() == rows.len()), "the table is not square");
        Self { rows, context_length }
    }

    /// Token `next[i]` follows token `i` with a logit of 8, all others have 0.
    pub fn chain(next: &[u32], context_length: usize) -> Self {
        let row = |&follower: &u32| {
            let mut row = vec![0.0; next.len()];
            row[follower as usize] = 8.0;
            row
        };
        Self::new(next.iter().map(row).collect(), context_length)
    }

    /// All tokens are equally likely.
    pub fn uniform(vocab_size: usize, context_length: usize) -> Self {
        Self::new(vec![vec![0.0; vocab_size]; vocab_size], context_length)
    }
}

/// What a [`TableModel`] has read.
#[derive(Debug, Clone)]
pub struct TableCache {
    /// The tokens, oldest first; of several sequences those of the first.
    pub ids: Vec<u32>,
    capacity: usize,
}

impl LogitsModel for TableModel {
    type Cache = TableCache;

    fn vocab_size(&self) -> usize {
        self.rows.len()
    }

    fn context_length(&self) -> usize {
        self.context_length
    }

    fn new_cache(&self, capacity: usize) -> TableCache {
        assert!(capacity <= self.context_length, "capacity {capacity} exceeds the context length");
        TableCache { ids: Vec::new(), capacity }
    }

    fn advance(&self, ids: &[u32], cache: &mut TableCache) -> Result<Vec<f32>, InferenceError> {
        cache.ids.extend_from_slice(ids);
        assert!(cache.ids.len() <= cache.capacity, "the cache holds {} tokens", cache.capacity);
        let last = ids.last().expect("at least one token is read");
        Ok(self.rows[*last as usize].clone())
    }

    fn advance_rows(
        &self,
        parents: &[usize],
        ids: &[u32],
        cache: &mut TableCache,
    ) -> Result<Vec<f32>, InferenceError> {
        assert_eq!(parents.len(), ids.len());
        // All sequences are equally long, and a bigram model needs no more than the last token.
        self.advance(&ids[..1], cache)?;
        Ok(ids.iter().flat_map(|&id| self.rows[id as usize].iter().copied()).collect())
    }

    fn logits(&self, ids: &[u32]) -> Result<Vec<f32>, InferenceError> {
        assert!(ids.len() <= self.context_length, "{} tokens do not fit", ids.len());
        Ok(ids.iter().flat_map(|&id| self.rows[id as usize].iter().copied()).collect())
    }
}
