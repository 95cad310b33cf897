//! GPT-NeoX (Black et al. 2022) and Pythia: attention and MLP read the same input, a quarter of each
//! head turns, and each head's query, key and value stand together on disk.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::rope_config::{RopeDefaults, rope_from_config};
use super::{Family, block_path, split_kind, usual_keys};
use crate::layers::{RotaryPairs, rotary_order};
use crate::weights::{Part, TensorNames};
use crate::{
    Activation, Architecture, DropoutRates, MlpKind, ModelError, NormKind, NormPlacement, Positions,
};

/// `config.json` of a GPT-NeoX model, with Hugging Face's keys and defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GptNeoXConfig {
    /// Number of token ids.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Number of blocks.
    pub num_hidden_layers: usize,
    /// Number of heads; divides `hidden_size`.
    pub num_attention_heads: usize,
    /// Width inside the MLP.
    pub intermediate_size: usize,
    /// Non-linearity of the MLP.
    pub hidden_act: Activation,
    /// Longest sequence.
    pub max_position_embeddings: usize,
    /// Standard deviation of the initial weights.
    pub initializer_range: f64,
    /// Epsilon of the norms.
    pub layer_norm_eps: f64,
    /// Whether attention and MLP read the same input.
    pub use_parallel_residual: bool,
    /// Whether the attention projections have biases.
    pub attention_bias: bool,
    /// Dropout on attention probabilities.
    pub attention_dropout: f64,
    /// Dropout on embeddings and on what attention and MLP add.
    pub hidden_dropout: f64,
    /// Whether the head is the token embedding.
    pub tie_word_embeddings: bool,
    /// Keys that are read elsewhere (`rotary_pct`, `rotary_emb_base`, `rope_parameters`, …) or that
    /// say nothing about the arithmetic, kept as they were read.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Default for GptNeoXConfig {
    fn default() -> Self {
        Self {
            vocab_size: 50432,
            hidden_size: 6144,
            num_hidden_layers: 44,
            num_attention_heads: 64,
            intermediate_size: 24576,
            hidden_act: Activation::Gelu,
            max_position_embeddings: 2048,
            initializer_range: 0.02,
            layer_norm_eps: 1e-5,
            use_parallel_residual: true,
            attention_bias: true,
            attention_dropout: 0.0,
            hidden_dropout: 0.0,
            tie_word_embeddings: false,
            extra: Map::new(),
        }
    }
}

impl GptNeoXConfig {
    fn rope_defaults(&self) -> RopeDefaults {
        // The names these keys had before `rope_parameters`.
        let number = |key: &str| self.extra.get(key).and_then(Value::as_f64);
        RopeDefaults {
            rope_theta: number("rotary_emb_base").unwrap_or(10_000.0),
            partial_rotary_factor: number("rotary_pct").unwrap_or(0.25),
        }
    }
}

impl Family for GptNeoXConfig {
    fn architecture(&self) -> Result<Architecture, ModelError> {
        let heads = self.num_attention_heads;
        if heads == 0 || !self.hidden_size.is_multiple_of(heads) {
            let expected = format!("a divisor of hidden_size = {}", self.hidden_size);
            return Err(ModelError::invalid("num_attention_heads", heads, expected));
        }
        let defaults = self.rope_defaults();
        let rope = rope_from_config(&self.extra, self.max_position_embeddings, &defaults)?;
        Ok(Architecture {
            vocab_size: self.vocab_size,
            hidden_size: self.hidden_size,
            num_hidden_layers: self.num_hidden_layers,
            num_attention_heads: heads,
            num_key_value_heads: heads,
            head_dim: self.hidden_size / heads,
            intermediate_size: self.intermediate_size,
            max_position_embeddings: self.max_position_embeddings,
            positions: Positions::Rotary(rope),
            norm_placement: match self.use_parallel_residual {
                true => NormPlacement::BeforeInParallel,
                false => NormPlacement::Before,
            },
            norm: NormKind::LayerNorm { bias: true },
            norm_epsilon: self.layer_norm_eps,
            mlp: MlpKind::Plain,
            activation: self.hidden_act,
            qkv_bias: self.attention_bias,
            attention_output_bias: self.attention_bias,
            mlp_bias: true,
            tie_word_embeddings: self.tie_word_embeddings,
            dropout: DropoutRates {
                embedding: self.hidden_dropout,
                attention: self.attention_dropout,
                residual: self.hidden_dropout,
            },
            initializer_range: self.initializer_range,
            ..Architecture::default()
        })
    }

    usual_keys!("GPTNeoXForCausalLM");
}

impl GptNeoXConfig {
    /// For each column of queries, keys and values here its row on disk, where every head has its
    /// query, key and value side by side.
    fn qkv_order(&self) -> Option<Vec<usize>> {
        let architecture = self.architecture().ok()?;
        let Positions::Rotary(rope) = &architecture.positions else { return None };
        let (heads, head_dim) = (architecture.num_attention_heads, architecture.head_dim);
        let turned = rotary_order(rope, head_dim, RotaryPairs::Halves);
        let place = |part: usize, head: usize, element: usize| {
            let element = match &turned {
                Some(order) if part < 2 => order[element],
                _ => element,
            };
            (head * 3 + part) * head_dim + element
        };
        let columns = (0..3 * heads * head_dim).map(|column| {
            let (part, within) = (column / (heads * head_dim), column % (heads * head_dim));
            place(part, within / head_dim, within % head_dim)
        });
        Some(columns.collect())
    }
}

impl TensorNames for GptNeoXConfig {
    fn parts(&self, path: &str) -> Vec<Part> {
        if let Some((layer, rest)) = block_path(path) {
            let (module, kind) = split_kind(rest);
            let in_layer = |name: &str| format!("gpt_neox.layers.{layer}.{name}.{kind}");
            return match module {
                "attention_norm" => Part::same(in_layer("input_layernorm")),
                "attention.qkv" => {
                    let parts = Part::linear(in_layer("attention.query_key_value"));
                    let order = self.qkv_order();
                    parts.into_iter().map(|part| part.in_order(order.clone())).collect()
                }
                "attention.output" => Part::linear(in_layer("attention.dense")),
                "mlp_norm" => Part::same(in_layer("post_attention_layernorm")),
                "mlp.up" => Part::linear(in_layer("mlp.dense_h_to_4h")),
                "mlp.down" => Part::linear(in_layer("mlp.dense_4h_to_h")),
                other => panic!("GPT-NeoX has no module {other}"),
            };
        }
        match split_kind(path) {
            ("decoder.token_embedding", _) => Part::same("gpt_neox.embed_in.weight"),
            ("decoder.final_norm", kind) => Part::same(format!("gpt_neox.final_layer_norm.{kind}")),
            ("head.projection", _) => Part::linear("embed_out.weight"),
            (other, _) => panic!("GPT-NeoX has no module {other}"),
        }
    }

    fn is_redundant(&self, name: &str) -> bool {
        // Buffers of early files: causal masks and rotary frequencies.
        name.ends_with(".attention.bias")
            || name.ends_with(".attention.masked_bias")
            || name.ends_with(".rotary_emb.inv_freq")
            || (self.tie_word_embeddings && name == "embed_out.weight")
    }
}
