//! The original GLM (Du et al. 2022): blank infilling with two positions per token, one in the text and
//! one in the blank that is being filled. Its tensors are called as in the authors' checkpoints.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Family, block_path, split_kind, usual_keys};
use crate::weights::{Part, TensorNames};
use crate::{Activation, Architecture, DropoutRates, MlpKind, ModelError, NormKind, Positions};

/// `config.json` of an original GLM.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GlmOriginalConfig {
    /// Number of token ids.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Number of blocks.
    pub num_layers: usize,
    /// Number of heads; divides `hidden_size`.
    pub num_attention_heads: usize,
    /// Width inside the MLP; `4 · hidden_size` when absent.
    pub intermediate_size: Option<usize>,
    /// Rows of both tables of positions.
    pub max_sequence_length: usize,
    /// Epsilon of the norms.
    pub layernorm_epsilon: f64,
    /// Non-linearity of the MLP.
    pub hidden_act: Activation,
    /// Standard deviation of the initial weights.
    pub initializer_range: f64,
    /// Dropout on embeddings and on what attention and MLP add.
    pub output_dropout_prob: f64,
    /// Dropout on attention probabilities.
    pub attention_dropout_prob: f64,
    /// Keys that say nothing about the arithmetic (`mask_token_id`, `sop_token_id`, …), kept as
    /// they were read.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Default for GlmOriginalConfig {
    fn default() -> Self {
        Self {
            vocab_size: 30592,
            hidden_size: 768,
            num_layers: 12,
            num_attention_heads: 12,
            intermediate_size: None,
            max_sequence_length: 512,
            layernorm_epsilon: 1e-5,
            hidden_act: Activation::GeluNew,
            initializer_range: 0.02,
            output_dropout_prob: 0.0,
            attention_dropout_prob: 0.0,
            extra: Map::new(),
        }
    }
}

impl Family for GlmOriginalConfig {
    fn architecture(&self) -> Result<Architecture, ModelError> {
        let heads = self.num_attention_heads;
        if heads == 0 || !self.hidden_size.is_multiple_of(heads) {
            let expected = format!("a divisor of hidden_size = {}", self.hidden_size);
            return Err(ModelError::invalid("num_attention_heads", heads, expected));
        }
        Ok(Architecture {
            vocab_size: self.vocab_size,
            hidden_size: self.hidden_size,
            num_hidden_layers: self.num_layers,
            num_attention_heads: heads,
            num_key_value_heads: heads,
            head_dim: self.hidden_size / heads,
            intermediate_size: self.intermediate_size.unwrap_or(4 * self.hidden_size),
            max_position_embeddings: self.max_sequence_length,
            // Part A sees itself in both directions: the mask comes with the batch.
            causal: false,
            positions: Positions::LearnedTwice,
            norm: NormKind::LayerNorm { bias: true },
            norm_epsilon: self.layernorm_epsilon,
            mlp: MlpKind::Plain,
            activation: self.hidden_act,
            qkv_bias: true,
            attention_output_bias: true,
            mlp_bias: true,
            tie_word_embeddings: true,
            dropout: DropoutRates {
                embedding: self.output_dropout_prob,
                attention: self.attention_dropout_prob,
                residual: self.output_dropout_prob,
            },
            initializer_range: self.initializer_range,
            ..Architecture::default()
        })
    }

    usual_keys!("GLMForConditionalGeneration", positions: max_sequence_length);
}

impl TensorNames for GlmOriginalConfig {
    fn parts(&self, path: &str) -> Vec<Part> {
        if let Some((layer, rest)) = block_path(path) {
            let (module, kind) = split_kind(rest);
            let in_layer = |name: &str| format!("transformer.layers.{layer}.{name}.{kind}");
            return match module {
                "attention_norm" => Part::same(in_layer("input_layernorm")),
                "attention.qkv" => Part::linear(in_layer("attention.query_key_value")),
                "attention.output" => Part::linear(in_layer("attention.dense")),
                "mlp_norm" => Part::same(in_layer("post_attention_layernorm")),
                "mlp.up" => Part::linear(in_layer("mlp.dense_h_to_4h")),
                "mlp.down" => Part::linear(in_layer("mlp.dense_4h_to_h")),
                other => panic!("GLM has no module {other}"),
            };
        }
        match split_kind(path) {
            ("decoder.token_embedding", _) => Part::same("word_embeddings.weight"),
            ("decoder.position_embedding", _) => {
                Part::same("transformer.position_embeddings.weight")
            }
            ("decoder.block_position_embedding", _) => {
                Part::same("transformer.block_position_embeddings.weight")
            }
            ("decoder.final_norm", kind) => {
                Part::same(format!("transformer.final_layernorm.{kind}"))
            }
            (other, _) => panic!("GLM has no module {other}"),
        }
    }

    fn is_redundant(&self, _name: &str) -> bool {
        false
    }
}
