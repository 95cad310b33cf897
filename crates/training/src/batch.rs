//! Where batches come from.

use std::ops::Range;

use wuji_data::{BatchLoader, Prefetcher, TokenBatch};

use crate::TrainingError;

/// Batches as a pure function of (step, micro-step), so that any step can be resumed.
pub trait BatchSource<B> {
    /// All micro-batches of each step in `steps`, in order.
    ///
    /// # Errors
    /// Data that cannot be read, before anything is returned.
    fn batches<'a>(
        &'a self,
        steps: Range<u64>,
    ) -> Result<Box<dyn Iterator<Item = Result<B, TrainingError>> + 'a>, TrainingError>;
}

/// A [`BatchLoader`] read ahead by a background thread.
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
}

impl BatchSource<TokenBatch> for LoaderBatches {
    fn batches<'a>(
        &'a self,
        steps: Range<u64>,
    ) -> Result<Box<dyn Iterator<Item = Result<TokenBatch, TrainingError>> + 'a>, TrainingError> {
        let prefetcher = Prefetcher::new(self.loader.clone(), steps, PREFETCH_DEPTH)?;
        Ok(Box::new(prefetcher.map(|scheduled| Ok(scheduled?.batch))))
    }
}
