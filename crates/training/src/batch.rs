//! Where batches come from.

use std::marker::PhantomData;
use std::ops::Range;

use wuji_data::objectives::{
    ObjectiveBatch, ObjectiveOptions, Seq2SeqBatch, Seq2SeqCollation, Seq2SeqExample, SpecialIds,
    step_seed, transform_batch,
};
use wuji_data::{BatchLoader, Prefetcher, TokenBatch};

use crate::TrainingError;
use crate::example_order::ExampleOrder;

/// An iterator over batches.
pub type BatchStream<'a, B> = Box<dyn Iterator<Item = Result<B, TrainingError>> + 'a>;

/// Batches as a pure function of (step, micro-step), so that any step can be resumed.
pub trait BatchSource<B> {
    /// The batch of one micro-step, both counted from 0.
    ///
    /// # Errors
    /// Data that cannot be read.
    fn batch(&self, step: u64, micro_step: u32) -> Result<B, TrainingError>;

    /// All micro-batches of `steps`, in order. Sources that can read ahead do.
    ///
    /// # Errors
    /// What reading ahead may need cannot be had.
    fn stream(
        &self,
        steps: Range<u64>,
        micro_steps: u32,
    ) -> Result<BatchStream<'_, B>, TrainingError> {
        let places = steps.flat_map(move |step| (0..micro_steps).map(move |micro| (step, micro)));
        Ok(Box::new(places.map(|(step, micro)| self.batch(step, micro))))
    }
}

/// A [`BatchLoader`], read ahead by a background thread.
#[derive(Debug, Clone)]
pub struct LoaderBatches {
    loader: BatchLoader,
}

/// Micro-batches kept ready: enough to hide a page fault, little memory.
const PREFETCH_DEPTH: usize = 4;

impl LoaderBatches {
    /// Reads from `loader`.
    pub fn new(loader: BatchLoader) -> Self {
        Self { loader }
    }

    /// Batches in one pass over the text.
    pub fn batches_per_epoch(&self) -> u64 {
        self.loader.batches_per_epoch()
    }
}

impl BatchSource<TokenBatch> for LoaderBatches {
    fn batch(&self, step: u64, micro_step: u32) -> Result<TokenBatch, TrainingError> {
        Ok(self.loader.batch(step, micro_step)?)
    }

    fn stream(
        &self,
        steps: Range<u64>,
        _micro_steps: u32,
    ) -> Result<BatchStream<'_, TokenBatch>, TrainingError> {
        let prefetcher = Prefetcher::new(self.loader.clone(), steps, PREFETCH_DEPTH)?;
        Ok(Box::new(prefetcher.map(|scheduled| Ok(scheduled?.batch))))
    }
}

/// Batches of text turned into an objective's examples, of the kind `B` that the model reads, each
/// micro-step with a seed of its own.
pub struct ObjectiveBatches<B> {
    inner: LoaderBatches,
    options: ObjectiveOptions,
    special: SpecialIds,
    seed: u64,
    kind: PhantomData<fn() -> B>,
}

impl<B: TryFrom<ObjectiveBatch>> ObjectiveBatches<B> {
    /// Examples of what `inner` reads, drawn from `seed`.
    ///
    /// # Errors
    /// Options that make no sense, or that the vocabulary lacks a token for.
    pub fn new(
        inner: LoaderBatches,
        options: ObjectiveOptions,
        special: SpecialIds,
        seed: u64,
    ) -> Result<Self, TrainingError> {
        options.validate(&special)?;
        Ok(Self { inner, options, special, seed, kind: PhantomData })
    }

    /// Batches of text in one pass.
    pub fn batches_per_epoch(&self) -> u64 {
        self.inner.batches_per_epoch()
    }

    fn transform(&self, batch: &TokenBatch, step: u64, micro: u32) -> Result<B, TrainingError> {
        let seed = step_seed(self.seed, step, micro);
        let batch = transform_batch(&self.options, &self.special, batch, seed)?;
        B::try_from(batch)
            .map_err(|_| TrainingError::WrongBatch { objective: self.options.kind().to_string() })
    }
}

impl<B: TryFrom<ObjectiveBatch>> BatchSource<B> for ObjectiveBatches<B> {
    fn batch(&self, step: u64, micro_step: u32) -> Result<B, TrainingError> {
        self.transform(&self.inner.batch(step, micro_step)?, step, micro_step)
    }

    fn stream(
        &self,
        steps: Range<u64>,
        micro_steps: u32,
    ) -> Result<BatchStream<'_, B>, TrainingError> {
        let first = steps.start;
        let text = self.inner.stream(steps, micro_steps)?.enumerate();
        Ok(Box::new(text.map(move |(index, batch)| {
            let (step, micro) =
                (index as u64 / u64::from(micro_steps), index as u64 % u64::from(micro_steps));
            self.transform(&batch?, first + step, micro as u32)
        })))
    }
}

/// Pairs of texts in buckets of similar length, shuffled anew for every pass.
#[derive(Debug)]
pub struct PairBatches {
    pairs: Vec<Seq2SeqExample>,
    collation: Seq2SeqCollation,
    order: ExampleOrder,
}

impl PairBatches {
    /// Batches of so many rows, so many of them in a step, shuffled by `seed`.
    pub fn shuffled(
        pairs: Vec<Seq2SeqExample>,
        collation: Seq2SeqCollation,
        (rows, micro_steps): (usize, u32),
        seed: u64,
    ) -> Self {
        let lengths = pairs.iter().map(|pair| (pair.labels.len(), pair.source.len())).collect();
        Self { pairs, collation, order: ExampleOrder::shuffled(lengths, (rows, micro_steps), seed) }
    }

    /// Batches of `rows` pairs in their order.
    pub fn in_order(pairs: Vec<Seq2SeqExample>, collation: Seq2SeqCollation, rows: usize) -> Self {
        let order = ExampleOrder::in_order(pairs.len(), rows);
        Self { pairs, collation, order }
    }

    /// Batches in one pass over the pairs.
    pub fn batches_per_epoch(&self) -> u64 {
        self.order.batches_per_pass()
    }
}

impl BatchSource<Seq2SeqBatch> for PairBatches {
    fn batch(&self, step: u64, micro_step: u32) -> Result<Seq2SeqBatch, TrainingError> {
        let indices = self.order.batch(step, micro_step);
        let pairs: Vec<Seq2SeqExample> =
            indices.into_iter().map(|index| self.pairs[index].clone()).collect();
        Ok(self.collation.collate(&pairs)?)
    }
}
