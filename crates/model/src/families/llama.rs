//! Llama (Touvron et al. 2023): RMSNorm, rotary positions, gated SiLU MLP, grouped-query attention;
//! and Qwen3, which adds a per-head norm of queries and keys.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::rope_config::rope_from_config;
use super::{block_path, split_kind};
use crate::weights::{Part, TensorNames};
use crate::{
    Activation, AttentionScale, DecoderArchitecture, DropoutRates, MlpKind, ModelError, NormKind,
    Positions,
};

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
    /// The decoder this describes.
    ///
    /// # Errors
    /// Sizes that do not fit each other, or rotary parameters that make no sense.
    pub fn architecture(&self) -> Result<DecoderArchitecture, ModelError> {
        let heads = self.num_attention_heads;
        let head_dim = match self.head_dim {
            Some(head_dim) => head_dim,
            None if heads > 0 && self.hidden_size.is_multiple_of(heads) => self.hidden_size / heads,
            None => {
                return Err(ModelError::invalid(
                    "num_attention_heads",
                    heads,
                    format!("a divisor of hidden_size = {}, or a head_dim", self.hidden_size),
                ));
            }
        };
        let rope = rope_from_config(&self.extra, self.max_position_embeddings)?;
        let architecture = DecoderArchitecture {
            vocab_size: self.vocab_size,
            hidden_size: self.hidden_size,
            num_hidden_layers: self.num_hidden_layers,
            num_attention_heads: heads,
            num_key_value_heads: self.num_key_value_heads.unwrap_or(heads),
            head_dim,
            intermediate_size: self.intermediate_size,
            max_position_embeddings: self.max_position_embeddings,
            positions: Positions::Rotary(rope),
            norm: NormKind::RmsNorm,
            norm_epsilon: self.rms_norm_eps,
            mlp: MlpKind::Gated,
            activation: self.hidden_act,
            qkv_bias: self.attention_bias,
            attention_output_bias: self.attention_bias,
            mlp_bias: self.mlp_bias,
            qk_norm: false,
            attention_scale: AttentionScale::InverseSqrtHeadDim,
            tie_word_embeddings: self.tie_word_embeddings,
            dropout: DropoutRates {
                embedding: self.dropout,
                attention: self.attention_dropout,
                residual: self.dropout,
            },
            initializer_range: self.initializer_range,
            scale_residual_init: true,
        };
        architecture.validate()?;
        Ok(architecture)
    }
}

impl TensorNames for LlamaConfig {
    fn parts(&self, path: &str) -> Vec<Part> {
        if let Some((layer, rest)) = block_path(path) {
            let (module, kind) = split_kind(rest);
            let in_layer = |name: &str| format!("model.layers.{layer}.{name}.{kind}");
            return match module {
                "attention_norm" => Part::same(in_layer("input_layernorm")),
                "attention.qkv" => {
                    let names = ["q_proj", "k_proj", "v_proj"];
                    let sizes = self.architecture().map(|a| a.qkv_sizes()).unwrap_or_default();
                    Part::split(
                        names
                            .iter()
                            .zip(sizes)
                            .map(|(n, w)| (in_layer(&format!("self_attn.{n}")), w)),
                    )
                }
                "attention.output" => Part::linear(in_layer("self_attn.o_proj")),
                "attention.query_norm" => Part::same(in_layer("self_attn.q_norm")),
                "attention.key_norm" => Part::same(in_layer("self_attn.k_norm")),
                "mlp_norm" => Part::same(in_layer("post_attention_layernorm")),
                "mlp.up" => Part::split(
                    ["mlp.gate_proj", "mlp.up_proj"].map(|n| (in_layer(n), self.intermediate_size)),
                ),
                "mlp.down" => Part::linear(in_layer("mlp.down_proj")),
                other => panic!("Llama has no module {other}"),
            };
        }
        match split_kind(path) {
            ("decoder.token_embedding", _) => Part::same("model.embed_tokens.weight"),
            ("decoder.final_norm", kind) => Part::same(format!("model.norm.{kind}")),
            ("head.projection", _) => Part::linear("lm_head.weight"),
            (other, _) => panic!("Llama has no module {other}"),
        }
    }

    fn is_redundant(&self, name: &str) -> bool {
        name.ends_with(".rotary_emb.inv_freq")
            || (self.tie_word_embeddings && name == "lm_head.weight")
    }
}

/// `config.json` of a Qwen3 model: Llama's keys, with queries and keys normalised per head.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Qwen3Config(
    /// The keys shared with Llama. `mlp_bias` has no meaning here.
    pub LlamaConfig,
);

impl Qwen3Config {
    /// The decoder this describes.
    ///
    /// # Errors
    /// As [`LlamaConfig::architecture`].
    pub fn architecture(&self) -> Result<DecoderArchitecture, ModelError> {
        if self.0.extra.get("use_sliding_window").and_then(Value::as_bool) == Some(true) {
            return Err(ModelError::invalid("use_sliding_window", "true", "false for Qwen3 here"));
        }
        Ok(DecoderArchitecture { qk_norm: true, ..self.0.architecture()? })
    }
}

impl TensorNames for Qwen3Config {
    fn parts(&self, path: &str) -> Vec<Part> {
        self.0.parts(path)
    }

    fn is_redundant(&self, name: &str) -> bool {
        self.0.is_redundant(name)
    }
}
