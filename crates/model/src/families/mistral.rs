//! Mistral (Jiang et al. 2023): Llama with attention to a sliding window of tokens.

use serde::{Deserialize, Serialize};

use super::llama::LlamaTensors;
use super::rope_config::RopeDefaults;
use super::{Family, LlamaConfig, usual_keys};
use crate::weights::{Part, TensorNames};
use crate::{Architecture, ModelError, SlidingWindow};

/// `config.json` of a Mistral model.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct MistralConfig {
    /// The keys shared with Llama.
    #[serde(flatten)]
    pub base: LlamaConfig,
    /// Tokens that a token sees, itself included; all before it when absent.
    pub sliding_window: Option<usize>,
}

impl Family for MistralConfig {
    fn architecture(&self) -> Result<Architecture, ModelError> {
        let window = |size| SlidingWindow { size, first_layer: 0 };
        Ok(Architecture {
            sliding_window: self.sliding_window.map(window),
            ..self.base.shared_architecture(&RopeDefaults::default())?
        })
    }

    usual_keys!("MistralForCausalLM", base);
}

impl TensorNames for MistralConfig {
    fn parts(&self, path: &str) -> Vec<Part> {
        LlamaTensors::of(self).parts(path)
    }

    fn is_redundant(&self, name: &str) -> bool {
        self.base.may_hold(name)
    }
}
