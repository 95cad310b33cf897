//! Llama (Touvron et al. 2023): RMSNorm, rotary positions, gated SiLU MLP, grouped-query attention;
//! and what the families that grew out of it share with it: keys, architecture, tensor names.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::rope_config::{RopeDefaults, rope_from_config};
use super::{Family, block_path, split_kind, usual_keys};
use crate::layers::{RotaryPairs, rotary_order};
use crate::weights::{Part, TensorNames};
use crate::{Activation, Architecture, DropoutRates, ModelError, Positions};

/// `config.json` of a Llama model, with Hugging Face's keys and defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LlamaConfig {
    /// Number of token ids.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width inside the MLP.
    pub intermediate_size: usize,
    /// Number of blocks.
    pub num_hidden_layers: usize,
    /// Number of query heads.
    pub num_attention_heads: usize,
    /// Number of key/value heads; as many as query heads when absent.
    pub num_key_value_heads: Option<usize>,
    /// Width of a head; `hidden_size / num_attention_heads` when absent.
    pub head_dim: Option<usize>,
    /// Non-linearity of the gate.
    pub hidden_act: Activation,
    /// Longest sequence.
    pub max_position_embeddings: usize,
    /// Standard deviation of the initial weights.
    pub initializer_range: f64,
    /// Epsilon of the norms.
    pub rms_norm_eps: f64,
    /// Whether the head is the token embedding.
    pub tie_word_embeddings: bool,
    /// Whether the attention projections have biases.
    pub attention_bias: bool,
    /// Dropout on attention probabilities.
    pub attention_dropout: f64,
    /// Whether the MLP projections have biases.
    pub mlp_bias: bool,
    /// Dropout on embeddings and on what attention and MLP add, 0 when absent (not in Hugging Face's
    /// config; it acts only while training here).
    #[serde(skip_serializing_if = "is_zero")]
    pub dropout: f64,
    /// Keys that are read elsewhere (`rope_theta`, `rope_scaling`, `rope_parameters`) or that say
    /// nothing about the arithmetic, kept as they were read.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

impl Default for LlamaConfig {
    fn default() -> Self {
        Self {
            vocab_size: 32000,
            hidden_size: 4096,
            intermediate_size: 11008,
            num_hidden_layers: 32,
            num_attention_heads: 32,
            num_key_value_heads: None,
            head_dim: None,
            hidden_act: Activation::Silu,
            max_position_embeddings: 2048,
            initializer_range: 0.02,
            rms_norm_eps: 1e-6,
            tie_word_embeddings: false,
            attention_bias: false,
            attention_dropout: 0.0,
            mlp_bias: false,
            dropout: 0.0,
            extra: Map::new(),
        }
    }
}

impl LlamaConfig {
    /// Width of a head.
    fn head_dim(&self) -> Result<usize, ModelError> {
        let heads = self.num_attention_heads;
        match self.head_dim {
            Some(head_dim) => Ok(head_dim),
            None if heads > 0 && self.hidden_size.is_multiple_of(heads) => {
                Ok(self.hidden_size / heads)
            }
            None => Err(ModelError::invalid(
                "num_attention_heads",
                heads,
                format!("a divisor of hidden_size = {}, or a head_dim", self.hidden_size),
            )),
        }
    }

    /// What all families with these keys share.
    pub(super) fn shared_architecture(
        &self,
        rope: &RopeDefaults,
    ) -> Result<Architecture, ModelError> {
        let rope = rope_from_config(&self.extra, self.max_position_embeddings, rope)?;
        Ok(Architecture {
            vocab_size: self.vocab_size,
            hidden_size: self.hidden_size,
            num_hidden_layers: self.num_hidden_layers,
            num_attention_heads: self.num_attention_heads,
            num_key_value_heads: self.num_key_value_heads.unwrap_or(self.num_attention_heads),
            head_dim: self.head_dim()?,
            intermediate_size: self.intermediate_size,
            max_position_embeddings: self.max_position_embeddings,
            positions: Positions::Rotary(rope),
            norm_epsilon: self.rms_norm_eps,
            activation: self.hidden_act,
            qkv_bias: self.attention_bias,
            attention_output_bias: self.attention_bias,
            mlp_bias: self.mlp_bias,
            tie_word_embeddings: self.tie_word_embeddings,
            dropout: DropoutRates {
                embedding: self.dropout,
                attention: self.attention_dropout,
                residual: self.dropout,
            },
            initializer_range: self.initializer_range,
            ..Architecture::default()
        })
    }

    /// Whether a file may hold this tensor although no parameter asks for it.
    pub(super) fn may_hold(&self, name: &str) -> bool {
        name.ends_with(".rotary_emb.inv_freq")
            || (self.tie_word_embeddings && name == "lm_head.weight")
    }
}

impl Family for LlamaConfig {
    fn architecture(&self) -> Result<Architecture, ModelError> {
        self.shared_architecture(&RopeDefaults::default())
    }

    usual_keys!("LlamaForCausalLM");
}

impl TensorNames for LlamaConfig {
    fn parts(&self, path: &str) -> Vec<Part> {
        LlamaTensors::of(self).parts(path)
    }

    fn is_redundant(&self, name: &str) -> bool {
        self.may_hold(name)
    }
}

/// Where the families that grew out of Llama keep their tensors, and in which order.
pub(super) struct LlamaTensors {
    /// The sizes.
    pub architecture: Architecture,
    /// Which elements of a head turn together on disk.
    pub pairs: RotaryPairs,
    /// Gate and up as one tensor `mlp.gate_up_proj`.
    pub fused_gate_up: bool,
    /// Name of the norm before the MLP.
    pub mlp_norm: &'static str,
}

impl LlamaTensors {
    /// Llama's own.
    ///
    /// Names are asked for after the architecture has been built once, so it can be built again.
    pub fn of(family: &dyn Family) -> Self {
        Self {
            architecture: family.architecture().unwrap_or_default(),
            pairs: RotaryPairs::Halves,
            fused_gate_up: false,
            mlp_norm: "post_attention_layernorm",
        }
    }

    /// The tensors of a parameter that is not one of experts.
    pub fn parts(&self, path: &str) -> Vec<Part> {
        if let Some((layer, rest)) = block_path(path) {
            let (module, kind) = split_kind(rest);
            let in_layer = |name: &str| format!("model.layers.{layer}.{name}.{kind}");
            return match module {
                "attention_norm" => Part::same(in_layer("input_layernorm")),
                "attention.qkv" => self.qkv(&in_layer),
                "attention.output" => Part::linear(in_layer("self_attn.o_proj")),
                "attention.query_norm" => Part::same(in_layer("self_attn.q_norm")),
                "attention.key_norm" => Part::same(in_layer("self_attn.k_norm")),
                "post_attention_norm" => Part::same(in_layer("post_self_attn_layernorm")),
                "mlp_norm" => Part::same(in_layer(self.mlp_norm)),
                "mlp.up" if self.fused_gate_up => Part::linear(in_layer("mlp.gate_up_proj")),
                "mlp.up" => gate_and_up(
                    ["mlp.gate_proj", "mlp.up_proj"].map(in_layer),
                    self.architecture.intermediate_size,
                ),
                "mlp.down" => Part::linear(in_layer("mlp.down_proj")),
                "post_mlp_norm" => Part::same(in_layer("post_mlp_layernorm")),
                other => panic!("this family has no module {other}"),
            };
        }
        match split_kind(path) {
            ("decoder.token_embedding", _) => Part::same("model.embed_tokens.weight"),
            ("decoder.final_norm", kind) => Part::same(format!("model.norm.{kind}")),
            ("head.projection", _) => Part::linear("lm_head.weight"),
            (other, _) => panic!("this family has no module {other}"),
        }
    }

    fn qkv(&self, in_layer: &dyn Fn(&str) -> String) -> Vec<Part> {
        let a = &self.architecture;
        let order = match &a.positions {
            Positions::Rotary(rope) => rotary_order(rope, a.head_dim, self.pairs),
            _ => None,
        };
        let names = ["q_proj", "k_proj", "v_proj"].map(|n| in_layer(&format!("self_attn.{n}")));
        let parts = Part::split(names.into_iter().zip(a.qkv_sizes()));
        let turns = [true, true, false].into_iter();
        let in_order = |(part, turns): (Part, bool)| {
            let order = order.as_deref().filter(|_| turns);
            let width = part.width.unwrap_or_default();
            part.in_order(order.map(|order| in_each_head(order, width)))
        };
        parts.into_iter().zip(turns).map(in_order).collect()
    }
}

/// The order of one head, for all heads of a projection of this width.
pub(super) fn in_each_head(order: &[usize], width: usize) -> Vec<usize> {
    (0..width)
        .map(|column| column / order.len() * order.len() + order[column % order.len()])
        .collect()
}

/// Gate and up, each a tensor of its own.
pub(super) fn gate_and_up(names: [String; 2], width: usize) -> Vec<Part> {
    Part::split(names.map(|name| (name, width)))
}
