//! Where batches come from.

use std::ops::Range;

use wuji_data::{BatchLoader, Prefetcher, TokenBatch};

use crate::TrainingError;

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
