//! GLM-4 (GLM team 2024): Llama with half of each head turning in neighbouring pairs, and gate and up
//! as one tensor; and GLM-4-0414, which has norms after attention and MLP as well.

use serde::{Deserialize, Serialize};

use super::llama::LlamaTensors;
use super::rope_config::RopeDefaults;
use super::{Family, LlamaConfig, usual_keys};
use crate::layers::RotaryPairs;
use crate::weights::{Part, TensorNames};
use crate::{Architecture, ModelError, NormPlacement};

/// How much of a head turns where the config does not say.
const ROPE: RopeDefaults = RopeDefaults { rope_theta: 10_000.0, partial_rotary_factor: 0.5 };

/// `config.json` of a GLM-4 model, as `glm` in `transformers`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GlmConfig {
    /// The keys shared with Llama; `attention_bias` is that of queries, keys and values.
    pub base: LlamaConfig,
}

impl Family for GlmConfig {
    fn architecture(&self) -> Result<Architecture, ModelError> {
        let shared = self.base.shared_architecture(&ROPE)?;
        Ok(Architecture { attention_output_bias: false, mlp_bias: false, ..shared })
    }

    usual_keys!("GlmForCausalLM", base);
}

impl TensorNames for GlmConfig {
    fn parts(&self, path: &str) -> Vec<Part> {
        tensors(self).parts(path)
    }

    fn is_redundant(&self, name: &str) -> bool {
        self.base.may_hold(name)
    }
}

/// `config.json` of a GLM-4-0414 model, as `glm4` in `transformers`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Glm4Config {
    /// The keys shared with Llama; `attention_bias` is that of queries, keys and values.
    pub base: LlamaConfig,
}

impl Family for Glm4Config {
    fn architecture(&self) -> Result<Architecture, ModelError> {
        Ok(Architecture {
            attention_output_bias: false,
            mlp_bias: false,
            norm_placement: NormPlacement::Around,
            ..self.base.shared_architecture(&ROPE)?
        })
    }

    usual_keys!("Glm4ForCausalLM", base);
}

impl TensorNames for Glm4Config {
    fn parts(&self, path: &str) -> Vec<Part> {
        tensors(self).parts(path)
    }

    fn is_redundant(&self, name: &str) -> bool {
        self.base.may_hold(name)
    }
}

fn tensors(family: &dyn Family) -> LlamaTensors {
    LlamaTensors { pairs: RotaryPairs::Neighbours, fused_gate_up: true, ..LlamaTensors::of(family) }
}
