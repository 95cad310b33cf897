//! Mixtral (Jiang et al. 2024): Mistral with experts in place of MLPs.

use serde::{Deserialize, Serialize};

use super::llama::{LlamaTensors, gate_and_up};
use super::rope_config::RopeDefaults;
use super::{Family, LlamaConfig, block_path, usual_keys};
use crate::weights::{Part, TensorNames};
use crate::{Architecture, Experts, ModelError, SlidingWindow};

/// `config.json` of a Mixtral model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MixtralConfig {
    /// The keys shared with Llama; `intermediate_size` is that of an expert.
    #[serde(flatten)]
    pub base: LlamaConfig,
    /// Tokens that a token sees, itself included; all before it when absent.
    pub sliding_window: Option<usize>,
    /// Number of experts.
    pub num_local_experts: usize,
    /// Experts that a token takes.
    pub num_experts_per_tok: usize,
    /// Factor of the load-balancing loss in the training loss.
    pub router_aux_loss_coef: f64,
}

impl Default for MixtralConfig {
    fn default() -> Self {
        Self {
            base: LlamaConfig::default(),
            sliding_window: None,
            num_local_experts: 8,
            num_experts_per_tok: 2,
            router_aux_loss_coef: 0.001,
        }
    }
}

impl Family for MixtralConfig {
    fn architecture(&self) -> Result<Architecture, ModelError> {
        let window = |size| SlidingWindow { size, first_layer: 0 };
        let rope = RopeDefaults { rope_theta: 1e6, ..RopeDefaults::default() };
        Ok(Architecture {
            sliding_window: self.sliding_window.map(window),
            experts: Some(Experts {
                count: self.num_local_experts,
                per_token: self.num_experts_per_tok,
                intermediate_size: self.base.intermediate_size,
                normalise: true,
                shared_intermediate_size: None,
                dense_layers: Vec::new(),
                balance_coefficient: self.router_aux_loss_coef,
            }),
            ..self.base.shared_architecture(&rope)?
        })
    }

    usual_keys!("MixtralForCausalLM", base);
}

impl TensorNames for MixtralConfig {
    fn parts(&self, path: &str) -> Vec<Part> {
        let Some((layer, rest)) = block_path(path) else {
            return LlamaTensors::of(self).parts(path);
        };
        let in_layer = |name: &str| format!("model.layers.{layer}.block_sparse_moe.{name}.weight");
        if rest == "experts.router.weight" {
            return Part::linear(in_layer("gate"));
        }
        match rest.strip_prefix("experts.experts.").and_then(|rest| rest.split_once('.')) {
            Some((expert, "up.weight")) => gate_and_up(
                ["w1", "w3"].map(|name| in_layer(&format!("experts.{expert}.{name}"))),
                self.base.intermediate_size,
            ),
            Some((expert, _)) => Part::linear(in_layer(&format!("experts.{expert}.w2"))),
            None => LlamaTensors::of(self).parts(path),
        }
    }

    fn is_redundant(&self, name: &str) -> bool {
        self.base.may_hold(name)
    }
}
