//! The original Transformer (Vaswani et al. 2017), as Marian (Junczys-Dowmunt et al. 2018) has it and
//! `transformers` calls it `marian`: sinusoidal positions, norms after each half, embeddings scaled by
//! the root of their width and shared by encoder, decoder and head.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Family, block_path_in, split_kind, usual_keys};
use crate::weights::{Part, TensorNames};
use crate::{
    Activation, Architecture, DropoutRates, MlpKind, ModelError, ModelKind, NormKind,
    NormPlacement, Positions,
};

/// `config.json` of a Marian model, with Hugging Face's keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MarianConfig {
    /// Number of token ids.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub d_model: usize,
    /// Number of encoder blocks.
    pub encoder_layers: usize,
    /// Number of decoder blocks.
    pub decoder_layers: usize,
    /// Number of heads of the encoder; divides `d_model`.
    pub encoder_attention_heads: usize,
    /// Number of heads of the decoder; divides `d_model`.
    pub decoder_attention_heads: usize,
    /// Width inside the encoder's MLPs.
    pub encoder_ffn_dim: usize,
    /// Width inside the decoder's MLPs.
    pub decoder_ffn_dim: usize,
    /// Non-linearity of the MLPs.
    pub activation_function: Activation,
    /// Dropout on embeddings and on what attention and MLP add.
    pub dropout: f64,
    /// Dropout on attention probabilities.
    pub attention_dropout: f64,
    /// Longest sequence.
    pub max_position_embeddings: usize,
    /// Whether embeddings are scaled by `sqrt(d_model)`.
    pub scale_embedding: bool,
    /// Standard deviation of the initial weights.
    pub init_std: f64,
    /// Whether the head is the token embedding.
    pub tie_word_embeddings: bool,
    /// Keys that say nothing about the arithmetic, kept as they were read.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Default for MarianConfig {
    fn default() -> Self {
        Self {
            vocab_size: 58101,
            d_model: 512,
            encoder_layers: 6,
            decoder_layers: 6,
            encoder_attention_heads: 8,
            decoder_attention_heads: 8,
            encoder_ffn_dim: 2048,
            decoder_ffn_dim: 2048,
            activation_function: Activation::Relu,
            dropout: 0.1,
            attention_dropout: 0.0,
            max_position_embeddings: 512,
            scale_embedding: true,
            init_std: 0.02,
            tie_word_embeddings: true,
            extra: Map::new(),
        }
    }
}

impl MarianConfig {
    fn stack(
        &self,
        layers: usize,
        (key, heads): (&'static str, usize),
        intermediate_size: usize,
        causal: bool,
    ) -> Result<Architecture, ModelError> {
        if heads == 0 || !self.d_model.is_multiple_of(heads) {
            let expected = format!("a divisor of d_model = {}", self.d_model);
            return Err(ModelError::invalid(key, heads, expected));
        }
        let scale = if self.scale_embedding { (self.d_model as f64).sqrt() } else { 1.0 };
        Ok(Architecture {
            vocab_size: self.vocab_size,
            hidden_size: self.d_model,
            num_hidden_layers: layers,
            num_attention_heads: heads,
            num_key_value_heads: heads,
            head_dim: self.d_model / heads,
            intermediate_size,
            max_position_embeddings: self.max_position_embeddings,
            causal,
            cross_attention: causal,
            positions: Positions::Sinusoidal,
            embedding_scale: scale,
            norm_placement: NormPlacement::After,
            norm: NormKind::LayerNorm { bias: true },
            norm_epsilon: 1e-5,
            mlp: MlpKind::Plain,
            activation: self.activation_function,
            qkv_bias: true,
            attention_output_bias: true,
            mlp_bias: true,
            tie_word_embeddings: self.tie_word_embeddings,
            dropout: DropoutRates {
                embedding: self.dropout,
                attention: self.attention_dropout,
                residual: self.dropout,
            },
            initializer_range: self.init_std,
            scale_residual_init: false,
            ..Architecture::default()
        })
    }
}

impl Family for MarianConfig {
    fn architecture(&self) -> Result<Architecture, ModelError> {
        let heads = ("decoder_attention_heads", self.decoder_attention_heads);
        self.stack(self.decoder_layers, heads, self.decoder_ffn_dim, true)
    }

    fn encoder_architecture(&self) -> Result<Option<Architecture>, ModelError> {
        let heads = ("encoder_attention_heads", self.encoder_attention_heads);
        Ok(Some(self.stack(self.encoder_layers, heads, self.encoder_ffn_dim, false)?))
    }

    fn kind(&self) -> ModelKind {
        ModelKind::EncoderDecoder
    }

    fn has_logits_bias(&self) -> bool {
        true
    }

    usual_keys!("MarianMTModel");
}

impl TensorNames for MarianConfig {
    fn parts(&self, path: &str) -> Vec<Part> {
        for stack in ["encoder", "decoder"] {
            let Some((layer, rest)) = block_path_in(stack, path) else { continue };
            let (module, kind) = split_kind(rest);
            let in_layer = |name: &str| format!("model.{stack}.layers.{layer}.{name}.{kind}");
            let qkv = |attention: &str| {
                let names = ["q_proj", "k_proj", "v_proj"];
                Part::split(names.map(|n| (in_layer(&format!("{attention}.{n}")), self.d_model)))
            };
            return match module {
                "attention_norm" => Part::same(in_layer("self_attn_layer_norm")),
                "attention.qkv" => qkv("self_attn"),
                "attention.output" => Part::linear(in_layer("self_attn.out_proj")),
                "cross_attention_norm" => Part::same(in_layer("encoder_attn_layer_norm")),
                "cross_attention.qkv" => qkv("encoder_attn"),
                "cross_attention.output" => Part::linear(in_layer("encoder_attn.out_proj")),
                "mlp_norm" => Part::same(in_layer("final_layer_norm")),
                "mlp.up" => Part::linear(in_layer("fc1")),
                "mlp.down" => Part::linear(in_layer("fc2")),
                other => panic!("Marian has no module {other}"),
            };
        }
        match path {
            "encoder.token_embedding.weight" => Part::same("model.shared.weight"),
            "head.projection.weight" => Part::linear("lm_head.weight"),
            "logits_bias" => Part::same("final_logits_bias"),
            other => panic!("Marian has no parameter {other}"),
        }
    }

    fn is_redundant(&self, name: &str) -> bool {
        // Copies of the shared embedding, and the positions, which are computed here.
        name.ends_with(".embed_tokens.weight")
            || name.ends_with(".embed_positions.weight")
            || (self.tie_word_embeddings && name == "lm_head.weight")
    }
}
