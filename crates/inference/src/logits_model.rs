//! What generation and scoring need of a model: logits, with a cache or without.

use crate::InferenceError;
use crate::sampling::{argmax, log_sum_exp};

/// Positions of a model that has no last one: more than any text has tokens, and far from where sums
/// of lengths overflow.
pub(crate) const UNBOUNDED: usize = 1 << 40;

/// Tokens of which some are to be scored: `ids[scored_from..]`, each given all before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoredSequence {
    /// Context and scored tokens; the last one is a target only, the model does not read it.
    pub ids: Vec<u32>,
    /// First scored token, at least 1.
    pub scored_from: usize,
}

impl ScoredSequence {
    /// What the model reads: all but the last token.
    pub fn inputs(&self) -> &[u32] {
        &self.ids[..self.ids.len() - 1]
    }

    /// The scored tokens.
    pub fn targets(&self) -> &[u32] {
        &self.ids[self.scored_from..]
    }
}

/// How likely one token was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TokenScore {
    /// Natural logarithm of its probability.
    pub log_prob: f64,
    /// Whether it was the most likely token.
    pub is_greedy: bool,
}

/// A causal language model over token ids.
///
/// Token ids are below [`vocab_size`](Self::vocab_size) and sequences no longer than
/// [`context_length`](Self::context_length): callers see to both.
pub trait LogitsModel: Send + Sync {
    /// What the model remembers of the tokens it has read.
    type Cache;

    /// Number of token ids, the length of a row of logits.
    fn vocab_size(&self) -> usize;

    /// Most tokens that the model reads.
    fn context_length(&self) -> usize;

    /// An empty cache for one sequence of at most `capacity` tokens.
    fn new_cache(&self, capacity: usize) -> Self::Cache;

    /// Reads `ids` (at least one) after what `cache` holds and returns the logits after the last.
    ///
    /// # Errors
    /// When the device fails.
    fn advance(&self, ids: &[u32], cache: &mut Self::Cache) -> Result<Vec<f32>, InferenceError>;

    /// Several sequences at once: sequence `i` becomes what sequence `parents[i]` was, reads
    /// `ids[i]`, and the logits after it are row `i` of the result. There may be more or fewer
    /// sequences afterwards than before.
    ///
    /// # Errors
    /// When the device fails.
    fn advance_rows(
        &self,
        parents: &[usize],
        ids: &[u32],
        cache: &mut Self::Cache,
    ) -> Result<Vec<f32>, InferenceError>;

    /// The logits after every one of `ids`, row by row, without a cache.
    ///
    /// # Errors
    /// When the device fails.
    fn logits(&self, ids: &[u32]) -> Result<Vec<f32>, InferenceError>;

    /// Scores the targets of each sequence. Models that can do this for a whole batch on their
    /// device should: the default reads back the logits of one sequence after the other.
    ///
    /// # Errors
    /// When the device fails.
    fn score(&self, sequences: &[ScoredSequence]) -> Result<Vec<Vec<TokenScore>>, InferenceError> {
        let score = |sequence: &ScoredSequence| {
            let logits = self.logits(sequence.inputs())?;
            let rows = logits.chunks_exact(self.vocab_size()).skip(sequence.scored_from - 1);
            Ok(rows.zip(sequence.targets()).map(|(row, &id)| score_token(row, id)).collect())
        };
        sequences.iter().map(score).collect()
    }
}

/// How likely `id` is under a row of logits.
pub(crate) fn score_token(row: &[f32], id: u32) -> TokenScore {
    TokenScore {
        log_prob: f64::from(row[id as usize]) - log_sum_exp(row),
        is_greedy: argmax(row) == Some(id as usize),
    }
}

/// Checks that `ids` are in the vocabulary.
pub(crate) fn check_ids(ids: &[u32], vocab_size: usize) -> Result<(), InferenceError> {
    match ids.iter().position(|&id| id as usize >= vocab_size) {
        Some(position) => {
            Err(InferenceError::TokenOutOfRange { id: ids[position], position, vocab_size })
        }
        None => Ok(()),
    }
}
