//! Corpora to training examples: sources, shards, packing, mixing, splits, fingerprints and procedural corpora.
//!
//! The way of a text through this crate, one module per station:
//!
//! 1. [`source`] reads files into documents, streaming, and several sources make a [`corpus`].
//! 2. [`split`] says, once and deterministically, which text trains and which validates.
//! 3. [`prepare()`] tokenizes both sides through a [`TextEncoder`] into memory-mapped token
//!    [`shard`]s, and reuses them while inputs, tokenizer and options stay the same.
//! 4. [`loader`] cuts shards into batches. Invariant: the batch of (step, micro-step) depends on
//!    nothing but the shards, the options and those two numbers, so a resumed run sees exactly
//!    the batches that the interrupted one would have seen.
//!
//! 5. [`objectives`] turn windows of a batch into what another objective than next-token prediction
//!    learns from: masked, corrupted, prefixed or blanked text.
//!
//! Beside it, [`catalogue`] knows public data sets and [`generate`](mod@generate) writes procedural corpora.
//!
//! ```
//! use wuji_data::{
//!     BatchLoader, ByteEncoder, Corpus, LoaderOptions, MemorySource, Sampling, SplitOptions,
//! };
//!
//! let corpus = Corpus::single(MemorySource::new("tale", ["Once upon a time. ".repeat(50)]));
//! let directory = tempfile::tempdir()?;
//! let prepared = wuji_data::prepare(
//!     &corpus,
//!     &ByteEncoder::default(),
//!     &SplitOptions::default(),
//!     directory.path(),
//! )?;
//! let loader = BatchLoader::new(
//!     prepared.train,
//!     LoaderOptions { context: 16, micro_batch_size: 4, seed: 7, ..LoaderOptions::default() },
//! )?;
//! let batch = loader.batch(0, 0)?;
//! assert_eq!(batch.input_ids.len(), 4 * 16);
//! assert_eq!(batch, loader.batch(0, 0)?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod corpus;
pub mod dataset;
pub mod encoder;
pub mod error;
pub mod fingerprint;
pub mod loader;
pub mod pairs;
pub mod prepare;
pub mod shard;
pub mod source;
pub mod split;

pub mod objectives;

pub mod catalogue;
pub mod generate;

mod dice;
mod random;

pub use corpus::{Corpus, CorpusOptions, WeightedSource};
pub use dataset::{DataSource, MemoryDataset};
pub use dice::Dice;
pub use encoder::{BoxError, ByteEncoder, TextEncoder};
pub use error::{DataError, Result};
pub use fingerprint::Fingerprint;
pub use loader::{
    BatchLoader, IGNORE_INDEX, LoaderOptions, Packing, Prefetcher, Sampling, ScheduledBatch,
    TokenBatch,
};
pub use pairs::{PairOptions, TextPair};
pub use prepare::{Manifest, PreparedCorpus, prepare};
pub use shard::{ShardWriter, TokenShard, TokenShards};
pub use source::{
    DocumentMode, DocumentPart, DocumentSource, FileFormat, FileSource, GeneratedSource,
    InvalidUtf8, MemorySource, Origin, Record, RecordFormat, RecordSource, SourceOptions,
};
pub use split::{Split, SplitOptions};

/// The snippets of the page about data, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/data.md")]
struct Page;

/// The snippets of the page about objectives, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/objectives.md")]
struct ObjectivesPage;
