//! The whole workshop behind one dependency and one prelude.
//!
//! Each part is a crate of its own and is re-exported here under its role; what only makes sense
//! with all of them at hand lives here: the [`config`] of a run, [`pretrain`](mod@pretrain) from raw
//! text to a model directory, its [`report`], and a [`search`] over many such runs; and around a model directory, [`convert`](mod@convert)
//! to make one, [`hub`] to find one by its name, [`inspect`] to describe one, [`forward`](mod@forward)
//! to look inside, [`embed`] for vectors of texts, and [`bench`](mod@bench) to time the parts. An
//! [`experiment`] is a question that takes several runs to answer.
//!
//! ```no_run
//! use wuji::prelude::*;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let config = RunConfig::resolve(&ConfigLayers::preset("quickstart"))?;
//! let summary = pretrain(&config, &PretrainOptions::new("runs/first"))?;
//! println!("{:?} bits per byte", summary.bits_per_byte);
//! # Ok(())
//! # }
//! ```

pub mod config;
pub mod pretrain;
pub mod report;
pub mod search;
pub mod tokenizers;

pub mod bench;
pub mod convert;
pub mod embed;
pub mod experiment;
pub mod forward;
pub mod hub;
pub mod inspect;

mod error;

pub use error::WujiError;
pub use wuji_classical as classical;
pub use wuji_data as data;
pub use wuji_device as device;
pub use wuji_evaluation as evaluation;
pub use wuji_inference as inference;
pub use wuji_kernels as kernels;
pub use wuji_model as model;
pub use wuji_protocol as protocol;
pub use wuji_tokenizer as tokenizer;
pub use wuji_training as training;

/// What most programs need.
pub mod prelude {
    pub use crate::config::{ConfigLayers, RunConfig};
    pub use crate::pretrain::{PretrainOptions, PretrainSummary, Progress, pretrain};
    pub use wuji_device::DeviceSpec;
    pub use wuji_inference::Engine;
    pub use wuji_model::{CausalLm, ModelConfig};
    pub use wuji_protocol::{GenerateOptions, GenerateRequest, TextModel};
    pub use wuji_tokenizer::{Tokenizer, TokenizerKind, TokenizerTrainerConfig};
    pub use wuji_training::{StopSignal, Trainer, TrainingConfig};
}

/// The snippets of the documents, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
#[doc = include_str!("../../../docs/generation.md")]
#[doc = include_str!("../../../docs/search.md")]
struct Documents;
