//! One file per family: its `config.json`, the architecture that describes, its tensor names.

mod bert;
mod distilbert;
mod encoder_class;
mod glm;
mod glm_original;
mod gpt2;
mod gpt_neox;
mod llama;
mod marian;
mod mistral;
mod mixtral;
mod qwen;
mod qwen_moe;
mod rope_config;
mod t5;

use serde_json::{Map, Value};

pub use bert::{BertConfig, RobertaConfig};
pub use distilbert::DistilBertConfig;
pub use glm::{Glm4Config, GlmConfig};
pub use glm_original::GlmOriginalConfig;
pub use gpt_neox::GptNeoXConfig;
pub use gpt2::Gpt2Config;
pub use llama::LlamaConfig;
pub use marian::MarianConfig;
pub use mistral::MistralConfig;
pub use mixtral::MixtralConfig;
pub use qwen::{Qwen2Config, Qwen3Config, QwenConfig};
pub use qwen_moe::{Qwen2MoeConfig, Qwen3MoeConfig, QwenMoeConfig};
pub use t5::T5Config;

use crate::weights::TensorNames;
use crate::{Architecture, EncoderHeads, ModelError, ModelKind};

/// What a family's config says.
pub trait Family: TensorNames {
    /// The stack this describes; of an encoder–decoder, the decoder.
    ///
    /// # Errors
    /// Keys that make no sense, or a family that is no transformer.
    fn architecture(&self) -> Result<Architecture, ModelError>;

    /// The encoder of an encoder–decoder.
    ///
    /// # Errors
    /// Keys that make no sense.
    fn encoder_architecture(&self) -> Result<Option<Architecture>, ModelError> {
        Ok(None)
    }

    /// Checks the values alone and beside each other.
    ///
    /// # Errors
    /// [`ModelError::InvalidConfig`] for values that make no sense.
    fn validate(&self) -> Result<(), ModelError> {
        self.architecture()?.validate()?;
        self.encoder_architecture()?.map_or(Ok(()), |encoder| encoder.validate())
    }

    /// What a model of this family computes.
    fn kind(&self) -> ModelKind {
        ModelKind::CausalLm
    }

    /// The heads of an encoder, from `architectures`.
    ///
    /// # Errors
    /// A class that is not known.
    fn encoder_heads(&self) -> Result<EncoderHeads, ModelError> {
        Ok(EncoderHeads::default())
    }

    /// Whether an encoder–decoder adds a bias to its logits.
    fn has_logits_bias(&self) -> bool {
        false
    }

    /// The class that `transformers` loads such a model with, where the config does not say.
    fn default_class_name(&self) -> &'static str;

    /// Number of token ids.
    fn vocab_size(&self) -> usize;

    /// Sets the number of token ids.
    fn set_vocab_size(&mut self, size: usize);

    /// Longest sequence that the positions allow.
    fn max_position_embeddings(&self) -> usize;

    /// Keys that no field reads.
    fn extra(&self) -> &Map<String, Value>;

    /// Keys that no field reads.
    fn extra_mut(&mut self) -> &mut Map<String, Value>;

    /// The same, as tensor names only.
    fn tensor_names(&self) -> &dyn TensorNames;
}

/// The methods of [`Family`] for a config with the usual fields: `$base` is where they are, if not in
/// the config itself, and `$positions` the one that limits sequences.
macro_rules! usual_keys {
    ($class:literal $(, $($base:ident).+)?) => {
        usual_keys!($class, positions: max_position_embeddings $(, $($base).+)?);
    };
    ($class:literal, positions: $positions:ident $(, $($base:ident).+)?) => {
        fn default_class_name(&self) -> &'static str {
            $class
        }

        fn vocab_size(&self) -> usize {
            self$(.$($base).+)?.vocab_size
        }

        fn set_vocab_size(&mut self, size: usize) {
            self$(.$($base).+)?.vocab_size = size;
        }

        fn max_position_embeddings(&self) -> usize {
            self$(.$($base).+)?.$positions
        }

        fn extra(&self) -> &serde_json::Map<String, serde_json::Value> {
            &self$(.$($base).+)?.extra
        }

        fn extra_mut(&mut self) -> &mut serde_json::Map<String, serde_json::Value> {
            &mut self$(.$($base).+)?.extra
        }

        fn tensor_names(&self) -> &dyn crate::weights::TensorNames {
            self
        }
    };
}
use usual_keys;

/// The layer number and the rest of a path inside a block: `decoder.blocks.3.mlp.up.weight` is
/// `(3, "mlp.up.weight")`.
pub(crate) fn block_path(path: &str) -> Option<(usize, &str)> {
    block_path_in("decoder", path)
}

/// The same in the stack of this name.
pub(crate) fn block_path_in<'a>(stack: &str, path: &'a str) -> Option<(usize, &'a str)> {
    let rest = path.strip_prefix(stack)?.strip_prefix(".blocks.")?;
    let (layer, rest) = rest.split_once('.')?;
    Some((layer.parse().ok()?, rest))
}

/// `weight` or `bias`: a path's last component, and what comes before it.
pub(crate) fn split_kind(path: &str) -> (&str, &str) {
    path.rsplit_once('.').unwrap_or(("", path))
}
