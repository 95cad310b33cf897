//! Model families on one set of layers, with Hugging Face configs and weights.
//!
//! A model is a [`CausalLm`]: a [`Transformer`] backbone that turns token ids into hidden states, and a
//! language-model head that turns hidden states into logits. Every family (`gpt2`, `llama`,
//! `qwen3`) is a file in [`families`] that says two things and nothing else: how its `config.json`
//! describes a [`Architecture`], and what its tensors are called on disk. There is one
//! attention, one MLP and one norm module.
//!
//! This crate knows nothing about text, data, optimisers or sampling.
//!
//! ```
//! use wuji_device::DeviceSpec;
//! use wuji_model::{CausalLm, ModelConfig};
//! use burn::tensor::{Int, Tensor};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let device = "flex".parse::<DeviceSpec>()?.open()?;
//! let config = ModelConfig::from_json(
//!     r#"{"model_type": "gpt2", "vocab_size": 65, "n_positions": 32, "n_embd": 16, "n_layer": 2, "n_head": 2}"#,
//! )?;
//! let model = CausalLm::init(&config, 1, &device)?;
//! let ids = Tensor::<2, Int>::from_data([[1, 2, 3]], &device);
//! assert_eq!(model.forward(ids).dims(), [1, 3, 65]);
//! # Ok(())
//! # }
//! ```

mod any_model;
mod architecture;
mod backbone;
mod cache;
mod causal_lm;
mod checkpointing;
mod config;
mod encoder;
mod error;
pub mod families;
mod init;
mod int8;
mod kinds;
pub mod layers;
mod model_directory;
mod pooling;
mod predictions;
pub mod recurrent;
mod seq2seq;
mod sequence_classifier;
mod transformer;
pub mod weights;

pub use any_model::AnyModel;
pub use architecture::{
    Activation, Architecture, AttentionScale, DropoutRates, Experts, MlpKind, NormKind,
    NormPlacement, Positions, RopeParameters, RopeScaling, SlidingWindow,
};
pub use backbone::{Backbone, BackboneInput, Head};
pub use cache::KvCache;
pub use causal_lm::{CausalLm, LmHead};
pub use checkpointing::CheckpointedPass;
pub use config::{ModelConfig, ModelKind};
pub use encoder::{
    ClassifiedUnit, Classifier, ClassifierShape, EncoderHeads, EncoderModel, MaskedLmHead,
};
pub use error::ModelError;
pub use int8::WeightFormat;
pub use kinds::{EncoderDecoder, LanguageModel};
pub use pooling::{Pooling, normalise};
pub use predictions::Predictions;
pub use seq2seq::Seq2SeqLm;
pub use sequence_classifier::{HEAD_FILE, SequenceClassifier, TextStates};
pub use transformer::Transformer;
