//! Shards to batches.
//!
//! [`BatchLoader`] joins three choices: [`Sampling`] decides which windows of text a batch holds,
//! the weights of a mixture decide from which source each comes, and [`Packing`] decides whether
//! a window may look across documents.

mod batch;
mod mixture;
mod packing;
mod prefetch;
mod sampling;

pub use batch::{IGNORE_INDEX, TokenBatch};
pub use packing::Packing;
pub use prefetch::{Prefetcher, ScheduledBatch};
pub use sampling::Sampling;

use crate::error::{DataError, Result};
use crate::shard::{ShardRegion, TokenShards};
use mixture::Mixture;
use packing::fill_row;
use sampling::{Row, Windows};

/// How batches are cut.
#[derive(Clone, Debug, PartialEq)]
pub struct LoaderOptions {
    /// Tokens per row that the model sees, and as many that it predicts.
    pub context: usize,
    /// Rows per batch.
    pub micro_batch_size: usize,
    /// Batches per optimiser step.
    pub gradient_accumulation_steps: u32,
    /// Which windows a batch holds.
    pub sampling: Sampling,
    /// Whether a window may look across documents.
    pub packing: Packing,
    /// Seed of everything random here.
    pub seed: u64,
}

impl Default for LoaderOptions {
    fn default() -> Self {
        Self {
            context: 256,
            micro_batch_size: 8,
            gradient_accumulation_steps: 1,
            sampling: Sampling::default(),
            packing: Packing::default(),
            seed: 0,
        }
    }
}

/// Gives the batch of any step at any time. Cheap to clone.
///
/// Invariant: [`batch`](Self::batch) depends on shards, options, step and micro-step only, never
/// on earlier calls.
#[derive(Clone, Debug)]
pub struct BatchLoader {
    shards: TokenShards,
    options: LoaderOptions,
    windows: Vec<Windows>,
    mixture: Option<Mixture>,
}

impl BatchLoader {
    /// Checks the options against the text.
    pub fn new(shards: TokenShards, options: LoaderOptions) -> Result<Self> {
        for (key, value) in [
            ("context", options.context),
            ("micro_batch_size", options.micro_batch_size),
            ("gradient_accumulation_steps", options.gradient_accumulation_steps as usize),
        ] {
            if value == 0 {
                let reason = "expected at least 1, got 0".to_owned();
                return Err(DataError::InvalidOption { key: key.to_owned(), reason });
            }
        }
        let regions = match options.sampling {
            // An evaluation reads everything once, whatever the weights.
            Sampling::Sequential { .. } => vec![whole(&shards)],
            Sampling::RandomOffset | Sampling::ShuffledWindows => shards.regions(),
        };
        let windows = regions
            .iter()
            .map(|region| Windows::new(region, options.context, options.sampling))
            .collect::<Result<_>>()?;
        let mixture = match regions.len() {
            1 => None,
            _ => Some(Mixture::new(&regions, options.seed)?),
        };
        Ok(Self { shards, options, windows, mixture })
    }

    /// The options that it was made with.
    pub fn options(&self) -> &LoaderOptions {
        &self.options
    }

    /// The text that it reads.
    pub fn shards(&self) -> &TokenShards {
        &self.shards
    }

    /// Rows in which every token of the text is predicted once. For a mixture, in which sources
    /// are read at different rates, the rows that one pass over all of them would take.
    pub fn rows_per_epoch(&self) -> u64 {
        self.windows.iter().map(Windows::per_epoch).sum()
    }

    /// Batches per epoch, the last possibly not full: how many calls of [`batch`](Self::batch)
    /// cover a split that is read sequentially.
    pub fn batches_per_epoch(&self) -> u64 {
        self.rows_per_epoch().div_ceil(self.options.micro_batch_size as u64)
    }

    /// The batch of micro-step `micro_step` of optimiser step `step`, both counted from 0.
    ///
    /// Sequential sampling begins again after [`batches_per_epoch`](Self::batches_per_epoch)
    /// batches, and the last batch before that has only the rows that are left.
    pub fn batch(&self, step: u64, micro_step: u32) -> Result<TokenBatch> {
        let accumulation = self.options.gradient_accumulation_steps;
        if micro_step >= accumulation {
            return Err(DataError::OutOfRange {
                what: "micro-step",
                index: micro_step.into(),
                len: accumulation.into(),
            });
        }
        let batch_index = step * u64::from(accumulation) + u64::from(micro_step);
        Ok(self.assemble(&self.rows(batch_index)))
    }

    /// Which tokens each row of a batch holds.
    fn rows(&self, batch_index: u64) -> Vec<Row> {
        let size = self.options.micro_batch_size as u64;
        if let Sampling::Sequential { .. } = self.options.sampling {
            let first = batch_index % self.batches_per_epoch() * size;
            let last = (first + size).min(self.rows_per_epoch());
            return (first..last).map(|window| self.windows[0].row(window, 0, 0)).collect();
        }
        (batch_index * size..(batch_index + 1) * size).map(|sample| self.sample(sample)).collect()
    }

    fn sample(&self, sample: u64) -> Row {
        let (region, index) = match &self.mixture {
            Some(mixture) => mixture.assign(sample),
            None => (0, sample),
        };
        self.windows[region].row(index, self.options.seed, region as u64)
    }

    fn assemble(&self, rows: &[Row]) -> TokenBatch {
        let context = self.options.context;
        let masked = self.options.packing == Packing::DocumentMask;
        let mut batch = TokenBatch::padding(rows.len(), context, masked);
        for (index, row) in rows.iter().enumerate() {
            fill_row(&self.shards, row, batch.row_mut(index));
        }
        batch
    }
}

fn whole(shards: &TokenShards) -> ShardRegion {
    let names: Vec<&str> = shards.shards().iter().map(|shard| shard.name.as_str()).collect();
    ShardRegion { name: names.join(" + "), start: 0, len: shards.token_count(), weight: 1.0 }
}
