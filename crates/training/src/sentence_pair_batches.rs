//! Masked batches of sentence pairs, which are cut from documents instead of windows of text.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use wuji_data::objectives::{
    MaskedBatch, MaskingOptions, PairPlace, SentenceCorpus, SentencePairOptions, SpecialIds,
    step_seed,
};

use crate::{BatchSource, TrainingError};

/// Pairs of segments for masked language modelling with a question about each pair.
///
/// Every pass cuts the documents anew and shuffles the pairs, or, in order, cuts them the same way
/// each time. A pass has as many rows as the first one, so that a step can be found without cutting
/// all passes before it: where a later one has a few pairs more or fewer, those are left out, or
/// some come twice.
pub struct SentencePairBatches {
    corpus: SentenceCorpus,
    pairs: SentencePairOptions,
    masking: MaskingOptions,
    special: SpecialIds,
    rows: usize,
    micro_steps: u32,
    seed: u64,
    is_shuffled: bool,
    rows_per_pass: u64,
    /// The pass that was read last, and its number.
    current: Mutex<(u64, Arc<[PairPlace]>)>,
}

impl SentencePairBatches {
    /// Shuffled batches of `rows` pairs, `micro_steps` of them in a step, cut and masked by `masking`
    /// (its `sentence_pairs`, or the default of that).
    ///
    /// # Errors
    /// Options that make no sense or that the vocabulary lacks a token for, or a text without pairs.
    pub fn shuffled(
        corpus: SentenceCorpus,
        masking: MaskingOptions,
        special: SpecialIds,
        (rows, micro_steps): (usize, u32),
        seed: u64,
    ) -> Result<Self, TrainingError> {
        let pairs = masking.sentence_pairs.unwrap_or_default();
        let first = corpus.shuffled_pass(&pairs, pass_seed(seed, 0))?;
        let whole = Self::new(corpus, masking, special, rows, seed, first)?;
        Ok(Self { micro_steps, is_shuffled: true, ..whole })
    }

    /// All pairs once, in order, in batches of `rows`; the last batch may be smaller.
    ///
    /// # Errors
    /// As [`SentencePairBatches::shuffled`].
    pub fn in_order(
        corpus: SentenceCorpus,
        masking: MaskingOptions,
        special: SpecialIds,
        rows: usize,
        seed: u64,
    ) -> Result<Self, TrainingError> {
        let pairs = masking.sentence_pairs.unwrap_or_default();
        let only = corpus.pass(&pairs, pass_seed(seed, 0))?;
        Self::new(corpus, masking, special, rows, seed, only)
    }

    fn new(
        corpus: SentenceCorpus,
        masking: MaskingOptions,
        special: SpecialIds,
        rows: usize,
        seed: u64,
        first: Vec<PairPlace>,
    ) -> Result<Self, TrainingError> {
        masking.validate(&special)?;
        Ok(Self {
            corpus,
            pairs: masking.sentence_pairs.unwrap_or_default(),
            masking,
            special,
            rows: rows.max(1),
            micro_steps: 1,
            seed,
            is_shuffled: false,
            rows_per_pass: first.len() as u64,
            current: Mutex::new((0, first.into())),
        })
    }

    /// Batches in one pass over the pairs.
    pub fn batches_per_epoch(&self) -> u64 {
        self.rows_per_pass.div_ceil(self.rows as u64)
    }

    /// The pairs of a pass; of the same pass as before without cutting again.
    fn pass(&self, pass: u64) -> Result<Arc<[PairPlace]>, TrainingError> {
        // Whoever panicked while holding the lock has left a whole pass behind.
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.0 != pass {
            // Only shuffled rows reach a second pass.
            let pairs = self.corpus.shuffled_pass(&self.pairs, pass_seed(self.seed, pass))?;
            *current = (pass, pairs.into());
        }
        Ok(current.1.clone())
    }

    /// The pair at a place of the endless sequence of shuffled passes.
    fn place(&self, row: u64) -> Result<PairPlace, TrainingError> {
        let pass = self.pass(row / self.rows_per_pass)?;
        Ok(pass[(row % self.rows_per_pass) as usize % pass.len()].clone())
    }

    /// The rows of a batch, by their places in the sequence.
    fn rows(&self, step: u64, micro_step: u32) -> Range<u64> {
        let rows = self.rows as u64;
        if self.is_shuffled {
            let batch = step * u64::from(self.micro_steps) + u64::from(micro_step);
            return batch * rows..(batch + 1) * rows;
        }
        let first = step % self.batches_per_epoch() * rows;
        first..(first + rows).min(self.rows_per_pass)
    }
}

/// Keeps what a pass draws apart from the masks of its batches.
fn pass_seed(seed: u64, pass: u64) -> u64 {
    step_seed(seed, pass, u32::MAX)
}

impl BatchSource<MaskedBatch> for SentencePairBatches {
    fn batch(&self, step: u64, micro_step: u32) -> Result<MaskedBatch, TrainingError> {
        let pair = |row| Ok(self.corpus.pair(&self.place(row)?));
        let pairs: Result<Vec<_>, TrainingError> = self.rows(step, micro_step).map(pair).collect();
        let seed = step_seed(self.seed, step, micro_step);
        Ok(self.pairs.batch(&pairs?, &self.masking, &self.special, seed)?)
    }
}
