//! Qwen2 and Qwen3 with experts in place of some MLPs; Qwen2 has one more that every token takes.

use serde::{Deserialize, Serialize};

use super::llama::{LlamaTensors, gate_and_up};
use super::qwen::QwenConfig;
use super::{Family, block_path, usual_keys};
use crate::weights::{Part, TensorNames};
use crate::{Architecture, Experts, ModelError};

/// The keys that both generations have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct QwenMoeConfig {
    /// The keys shared with Qwen's models without experts.
    #[serde(flatten)]
    pub base: QwenConfig,
    /// Number of experts.
    #[serde(alias = "num_local_experts")]
    pub num_experts: usize,
    /// Experts that a token takes.
    pub num_experts_per_tok: usize,
    /// Width inside an expert.
    pub moe_intermediate_size: usize,
    /// Whether the weights of the experts taken are scaled to sum to one.
    pub norm_topk_prob: bool,
    /// Every how many blocks there are experts.
    pub decoder_sparse_step: usize,
    /// Blocks without experts.
    pub mlp_only_layers: Vec<usize>,
    /// Factor of the load-balancing loss in the training loss.
    pub router_aux_loss_coef: f64,
}

impl Default for QwenMoeConfig {
    fn default() -> Self {
        Self {
            base: QwenConfig::default(),
            num_experts: 60,
            num_experts_per_tok: 4,
            moe_intermediate_size: 1408,
            norm_topk_prob: false,
            decoder_sparse_step: 1,
            mlp_only_layers: Vec::new(),
            router_aux_loss_coef: 0.001,
        }
    }
}

impl QwenMoeConfig {
    fn experts(&self, shared: Option<usize>) -> Result<Experts, ModelError> {
        let layers = self.base.base.num_hidden_layers;
        let step = self.decoder_sparse_step;
        if step == 0 {
            return Err(ModelError::invalid("decoder_sparse_step", 0, "at least 1"));
        }
        let is_dense = |layer: &usize| {
            self.mlp_only_layers.contains(layer) || !(layer + 1).is_multiple_of(step)
        };
        Ok(Experts {
            count: self.num_experts,
            per_token: self.num_experts_per_tok,
            intermediate_size: self.moe_intermediate_size,
            normalise: self.norm_topk_prob,
            shared_intermediate_size: shared,
            dense_layers: (0..layers).filter(is_dense).collect(),
            balance_coefficient: self.router_aux_loss_coef,
        })
    }
}

/// `config.json` of a Qwen2 model with experts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Qwen2MoeConfig {
    /// The keys shared with Qwen3.
    #[serde(flatten)]
    pub base: QwenMoeConfig,
    /// Width inside the MLP that every token takes.
    pub shared_expert_intermediate_size: usize,
    /// Whether queries, keys and values have biases.
    pub qkv_bias: bool,
}

impl Default for Qwen2MoeConfig {
    fn default() -> Self {
        Self {
            base: QwenMoeConfig::default(),
            shared_expert_intermediate_size: 5632,
            qkv_bias: true,
        }
    }
}

impl Family for Qwen2MoeConfig {
    fn architecture(&self) -> Result<Architecture, ModelError> {
        let shared = Some(self.shared_expert_intermediate_size);
        Ok(Architecture {
            qkv_bias: self.qkv_bias,
            attention_output_bias: false,
            experts: Some(self.base.experts(shared)?),
            ..self.base.base.shared_architecture()?
        })
    }

    usual_keys!("Qwen2MoeForCausalLM", base.base.base);
}

impl TensorNames for Qwen2MoeConfig {
    fn parts(&self, path: &str) -> Vec<Part> {
        let shared = self.shared_expert_intermediate_size;
        expert_parts(path, self.base.moe_intermediate_size, shared)
            .unwrap_or_else(|| LlamaTensors::of(self).parts(path))
    }

    fn is_redundant(&self, name: &str) -> bool {
        self.base.base.base.may_hold(name)
    }
}

/// `config.json` of a Qwen3 model with experts.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Qwen3MoeConfig {
    /// The keys shared with Qwen2.
    pub base: QwenMoeConfig,
}

impl Family for Qwen3MoeConfig {
    fn architecture(&self) -> Result<Architecture, ModelError> {
        Ok(Architecture {
            qk_norm: true,
            experts: Some(self.base.experts(None)?),
            ..self.base.base.shared_architecture()?
        })
    }

    usual_keys!("Qwen3MoeForCausalLM", base.base.base);
}

impl TensorNames for Qwen3MoeConfig {
    fn parts(&self, path: &str) -> Vec<Part> {
        expert_parts(path, self.base.moe_intermediate_size, 0)
            .unwrap_or_else(|| LlamaTensors::of(self).parts(path))
    }

    fn is_redundant(&self, name: &str) -> bool {
        self.base.base.base.may_hold(name)
    }
}

/// The tensors of a router and its experts; `None` for every other parameter.
fn expert_parts(path: &str, inner: usize, shared: usize) -> Option<Vec<Part>> {
    let (layer, rest) = block_path(path)?;
    let rest = rest.strip_prefix("experts.")?;
    let in_layer = |name: &str| format!("model.layers.{layer}.mlp.{name}.weight");
    let both = |mlp: &str| ["gate_proj", "up_proj"].map(|n| in_layer(&format!("{mlp}.{n}")));
    Some(match rest {
        "router.weight" => Part::linear(in_layer("gate")),
        "shared_gate.weight" => Part::linear(in_layer("shared_expert_gate")),
        "shared.up.weight" => gate_and_up(both("shared_expert"), shared),
        "shared.down.weight" => Part::linear(in_layer("shared_expert.down_proj")),
        _ => {
            let (expert, module) = rest.strip_prefix("experts.")?.split_once('.')?;
            let mlp = format!("experts.{expert}");
            match module {
                "up.weight" => gate_and_up(both(&mlp), inner),
                _ => Part::linear(in_layer(&format!("{mlp}.down_proj"))),
            }
        }
    })
}
