//! Qwen2 (Yang et al. 2024): Llama with biases on queries, keys and values; and Qwen3 (2025), which
//! has none but a norm of each query and key head.

use serde::{Deserialize, Serialize};

use super::llama::LlamaTensors;
use super::rope_config::RopeDefaults;
use super::{Family, LlamaConfig, usual_keys};
use crate::weights::{Part, TensorNames};
use crate::{Architecture, ModelError, SlidingWindow};

/// The keys that both generations have.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct QwenConfig {
    /// The keys shared with Llama.
    #[serde(flatten)]
    pub base: LlamaConfig,
    /// Whether there is attention to a sliding window.
    pub use_sliding_window: bool,
    /// Tokens that a token sees, itself included.
    pub sliding_window: Option<usize>,
    /// First block with the window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_window_layers: Option<usize>,
}

impl QwenConfig {
    pub(super) fn window(&self) -> Option<SlidingWindow> {
        let first_layer = self.max_window_layers.unwrap_or(0);
        let size = self.sliding_window.filter(|_| self.use_sliding_window)?;
        Some(SlidingWindow { size, first_layer })
    }

    /// What both generations share.
    pub(super) fn shared_architecture(&self) -> Result<Architecture, ModelError> {
        Ok(Architecture {
            mlp_bias: false,
            sliding_window: self.window(),
            ..self.base.shared_architecture(&RopeDefaults::default())?
        })
    }
}

/// `config.json` of a Qwen2 model. Llama's `attention_bias` has no meaning here.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Qwen2Config {
    /// The keys shared with Qwen3.
    pub base: QwenConfig,
}

impl Family for Qwen2Config {
    fn architecture(&self) -> Result<Architecture, ModelError> {
        Ok(Architecture {
            qkv_bias: true,
            attention_output_bias: false,
            ..self.base.shared_architecture()?
        })
    }

    usual_keys!("Qwen2ForCausalLM", base.base);
}

impl TensorNames for Qwen2Config {
    fn parts(&self, path: &str) -> Vec<Part> {
        LlamaTensors::of(self).parts(path)
    }

    fn is_redundant(&self, name: &str) -> bool {
        self.base.base.may_hold(name)
    }
}

/// `config.json` of a Qwen3 model.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Qwen3Config {
    /// The keys shared with Qwen2.
    pub base: QwenConfig,
}

impl Family for Qwen3Config {
    fn architecture(&self) -> Result<Architecture, ModelError> {
        Ok(Architecture { qk_norm: true, ..self.base.shared_architecture()? })
    }

    usual_keys!("Qwen3ForCausalLM", base.base);
}

impl TensorNames for Qwen3Config {
    fn parts(&self, path: &str) -> Vec<Part> {
        LlamaTensors::of(self).parts(path)
    }

    fn is_redundant(&self, name: &str) -> bool {
        self.base.base.may_hold(name)
    }
}
