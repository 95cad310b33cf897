//! T5 v1.0 (Raffel et al. 2020) and v1.1: an encoder–decoder with positions as a bias on the scores,
//! RMSNorm, and no biases; v1.1 has a gated MLP and a head of its own.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Family, block_path_in, split_kind, usual_keys};
use crate::weights::{Part, TensorNames};
use crate::{
    Activation, Architecture, AttentionScale, DropoutRates, MlpKind, ModelError, ModelKind,
    Positions,
};

/// `config.json` of a T5 model, with Hugging Face's keys and defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct T5Config {
    /// Number of token ids.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub d_model: usize,
    /// Width of a head; need not be `d_model / num_heads`.
    pub d_kv: usize,
    /// Width inside the MLP.
    pub d_ff: usize,
    /// Number of encoder blocks.
    pub num_layers: usize,
    /// Number of decoder blocks; as many as of the encoder when absent.
    pub num_decoder_layers: Option<usize>,
    /// Number of heads.
    pub num_heads: usize,
    /// Buckets of distances.
    pub relative_attention_num_buckets: usize,
    /// Distances from here on share a bucket.
    pub relative_attention_max_distance: usize,
    /// Dropout, everywhere.
    pub dropout_rate: f64,
    /// Epsilon of the norms.
    pub layer_norm_epsilon: f64,
    /// `relu`, or `gated-gelu`, `gated-silu`.
    pub feed_forward_proj: String,
    /// Whether the head is the token embedding.
    pub tie_word_embeddings: bool,
    /// Whether hidden states are scaled by `1 / sqrt(d_model)` before the head; as
    /// `tie_word_embeddings` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale_decoder_outputs: Option<bool>,
    /// Longest sequence that training should see; the positions have no limit of their own.
    pub n_positions: usize,
    /// Standard deviation of the initial weights (not in Hugging Face's config).
    pub initializer_range: f64,
    /// Keys that say nothing about the arithmetic, kept as they were read.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Default for T5Config {
    fn default() -> Self {
        Self {
            vocab_size: 32128,
            d_model: 512,
            d_kv: 64,
            d_ff: 2048,
            num_layers: 6,
            num_decoder_layers: None,
            num_heads: 8,
            relative_attention_num_buckets: 32,
            relative_attention_max_distance: 128,
            dropout_rate: 0.1,
            layer_norm_epsilon: 1e-6,
            feed_forward_proj: "relu".to_string(),
            tie_word_embeddings: true,
            scale_decoder_outputs: None,
            n_positions: 512,
            initializer_range: 0.02,
            extra: Map::new(),
        }
    }
}

impl T5Config {
    fn mlp(&self) -> Result<(MlpKind, Activation), ModelError> {
        Ok(match self.feed_forward_proj.as_str() {
            "relu" => (MlpKind::Plain, Activation::Relu),
            "gelu" => (MlpKind::Plain, Activation::Gelu),
            "silu" => (MlpKind::Plain, Activation::Silu),
            // v1.1 was trained with the tanh approximation under this name.
            "gated-gelu" => (MlpKind::Gated, Activation::GeluNew),
            "gated-silu" => (MlpKind::Gated, Activation::Silu),
            "gated-relu" => (MlpKind::Gated, Activation::Relu),
            other => {
                let expected = "relu, gelu or silu, or one of them behind gated-";
                return Err(ModelError::invalid("feed_forward_proj", other, expected));
            }
        })
    }

    fn stack(&self, layers: usize, causal: bool) -> Result<Architecture, ModelError> {
        let (mlp, activation) = self.mlp()?;
        let is_scaled = self.scale_decoder_outputs.unwrap_or(self.tie_word_embeddings);
        Ok(Architecture {
            vocab_size: self.vocab_size,
            hidden_size: self.d_model,
            num_hidden_layers: layers,
            num_attention_heads: self.num_heads,
            num_key_value_heads: self.num_heads,
            head_dim: self.d_kv,
            intermediate_size: self.d_ff,
            max_position_embeddings: self.n_positions,
            causal,
            cross_attention: causal,
            positions: Positions::RelativeBias {
                buckets: self.relative_attention_num_buckets,
                max_distance: self.relative_attention_max_distance,
            },
            norm_epsilon: self.layer_norm_epsilon,
            mlp,
            activation,
            attention_scale: AttentionScale::One,
            tie_word_embeddings: self.tie_word_embeddings,
            head_scale: if is_scaled { (self.d_model as f64).sqrt().recip() } else { 1.0 },
            dropout: DropoutRates {
                embedding: self.dropout_rate,
                attention: self.dropout_rate,
                residual: self.dropout_rate,
            },
            initializer_range: self.initializer_range,
            ..Architecture::default()
        })
    }
}

impl Family for T5Config {
    fn architecture(&self) -> Result<Architecture, ModelError> {
        let buckets = self.relative_attention_num_buckets;
        if buckets < 4 {
            let expected = "at least 4: near and far, before and after";
            return Err(ModelError::invalid("relative_attention_num_buckets", buckets, expected));
        }
        let distance = self.relative_attention_max_distance;
        if distance <= buckets / 2 {
            let expected = format!("more than {}, half of the buckets", buckets / 2);
            return Err(ModelError::invalid("relative_attention_max_distance", distance, expected));
        }
        self.stack(self.num_decoder_layers.unwrap_or(self.num_layers), true)
    }

    fn encoder_architecture(&self) -> Result<Option<Architecture>, ModelError> {
        Ok(Some(self.stack(self.num_layers, false)?))
    }

    fn kind(&self) -> ModelKind {
        ModelKind::EncoderDecoder
    }

    usual_keys!("T5ForConditionalGeneration", positions: n_positions);
}

impl T5Config {
    fn block_parts(&self, stack: &str, layer: usize, rest: &str) -> Vec<Part> {
        let (module, kind) = split_kind(rest);
        // The MLP is the last of two sub-layers in the encoder, of three in the decoder.
        let mlp = if stack == "decoder" { 2 } else { 1 };
        let name =
            |sub: usize, name: &str| format!("{stack}.block.{layer}.layer.{sub}.{name}.{kind}");
        let qkv = |sub: usize, attention: &str| {
            let width = self.num_heads * self.d_kv;
            Part::split(["q", "k", "v"].map(|n| (name(sub, &format!("{attention}.{n}")), width)))
        };
        let in_mlp = |n: &str| name(mlp, &format!("DenseReluDense.{n}"));
        match module {
            "attention_norm" => Part::same(name(0, "layer_norm")),
            "attention.qkv" => qkv(0, "SelfAttention"),
            "attention.output" => Part::linear(name(0, "SelfAttention.o")),
            "cross_attention_norm" => Part::same(name(1, "layer_norm")),
            "cross_attention.qkv" => qkv(1, "EncDecAttention"),
            "cross_attention.output" => Part::linear(name(1, "EncDecAttention.o")),
            "mlp_norm" => Part::same(name(mlp, "layer_norm")),
            "mlp.up" if matches!(self.mlp(), Ok((MlpKind::Gated, _))) => {
                Part::split(["wi_0", "wi_1"].map(|n| (in_mlp(n), self.d_ff)))
            }
            "mlp.up" => Part::linear(in_mlp("wi")),
            "mlp.down" => Part::linear(in_mlp("wo")),
            other => panic!("T5 has no module {other}"),
        }
    }
}

impl TensorNames for T5Config {
    fn parts(&self, path: &str) -> Vec<Part> {
        for stack in ["encoder", "decoder"] {
            if let Some((layer, rest)) = block_path_in(stack, path) {
                return self.block_parts(stack, layer, rest);
            }
        }
        match path {
            "encoder.token_embedding.weight" => Part::same("shared.weight"),
            "head.projection.weight" => Part::linear("lm_head.weight"),
            "encoder.final_norm.weight" => Part::same("encoder.final_layer_norm.weight"),
            "decoder.final_norm.weight" => Part::same("decoder.final_layer_norm.weight"),
            other => match other.split_once('.') {
                Some((stack, "relative_bias.weight")) => Part::same(format!(
                    "{stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight"
                )),
                _ => panic!("T5 has no parameter {other}"),
            },
        }
    }

    fn is_redundant(&self, name: &str) -> bool {
        // Copies of the shared embedding, and a table that early files carry without using it.
        name.ends_with(".embed_tokens.weight")
            || name.ends_with("EncDecAttention.relative_attention_bias.weight")
            || (self.tie_word_embeddings && name == "lm_head.weight")
    }
}
