//! GPT-2 (Radford et al. 2019): learned positions, LayerNorm before each half, GELU.
//!
//! `bias = false` is nanoGPT's variant without biases. The file format has no word for it, so such
//! a model is written with zero biases (which `transformers` loads to identical logits) and an extra
//! key `"bias": false` by which it is recognised when read back.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Family, block_path, split_kind, usual_keys};
use crate::weights::{Part, TensorNames};
use crate::{
    Activation, Architecture, AttentionScale, DropoutRates, MlpKind, ModelError, NormKind,
    Positions,
};

/// `config.json` of a GPT-2 model, with Hugging Face's keys and defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Gpt2Config {
    /// Number of token ids.
    pub vocab_size: usize,
    /// Longest sequence.
    pub n_positions: usize,
    /// Width of the residual stream.
    pub n_embd: usize,
    /// Number of blocks.
    pub n_layer: usize,
    /// Number of attention heads; divides `n_embd`.
    pub n_head: usize,
    /// Width inside the MLP; `4 · n_embd` when absent.
    pub n_inner: Option<usize>,
    /// Non-linearity of the MLP.
    pub activation_function: Activation,
    /// Dropout on what attention and MLP add.
    pub resid_pdrop: f64,
    /// Dropout on the embeddings.
    pub embd_pdrop: f64,
    /// Dropout on attention probabilities.
    pub attn_pdrop: f64,
    /// Epsilon of the norms.
    pub layer_norm_epsilon: f64,
    /// Standard deviation of the initial weights.
    pub initializer_range: f64,
    /// Whether scores are divided by `sqrt(head_dim)`.
    pub scale_attn_weights: bool,
    /// Whether scores are also divided by the layer's number.
    pub scale_attn_by_inverse_layer_idx: bool,
    /// Whether the head is the token embedding.
    pub tie_word_embeddings: bool,
    /// Whether linear layers and norms have biases (not in Hugging Face's config; see above).
    pub bias: bool,
    /// Keys that say nothing about the arithmetic (`bos_token_id`, `architectures`, …), kept as
    /// they were read.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Default for Gpt2Config {
    fn default() -> Self {
        Self {
            vocab_size: 50257,
            n_positions: 1024,
            n_embd: 768,
            n_layer: 12,
            n_head: 12,
            n_inner: None,
            activation_function: Activation::GeluNew,
            resid_pdrop: 0.1,
            embd_pdrop: 0.1,
            attn_pdrop: 0.1,
            layer_norm_epsilon: 1e-5,
            initializer_range: 0.02,
            scale_attn_weights: true,
            scale_attn_by_inverse_layer_idx: false,
            tie_word_embeddings: true,
            bias: true,
            extra: Map::new(),
        }
    }
}

impl Family for Gpt2Config {
    fn architecture(&self) -> Result<Architecture, ModelError> {
        if self.n_head == 0 || !self.n_embd.is_multiple_of(self.n_head) {
            return Err(ModelError::invalid(
                "n_head",
                self.n_head,
                format!("a divisor of n_embd = {}", self.n_embd),
            ));
        }
        let attention_scale = match (self.scale_attn_weights, self.scale_attn_by_inverse_layer_idx)
        {
            (true, false) => AttentionScale::InverseSqrtHeadDim,
            (true, true) => AttentionScale::InverseSqrtHeadDimAndLayer,
            (false, true) => AttentionScale::InverseLayer,
            (false, false) => AttentionScale::One,
        };
        Ok(Architecture {
            vocab_size: self.vocab_size,
            hidden_size: self.n_embd,
            num_hidden_layers: self.n_layer,
            num_attention_heads: self.n_head,
            num_key_value_heads: self.n_head,
            head_dim: self.n_embd / self.n_head,
            intermediate_size: self.n_inner.unwrap_or(4 * self.n_embd),
            max_position_embeddings: self.n_positions,
            positions: Positions::Learned,
            norm: NormKind::LayerNorm { bias: self.bias },
            norm_epsilon: self.layer_norm_epsilon,
            mlp: MlpKind::Plain,
            activation: self.activation_function,
            qkv_bias: self.bias,
            attention_output_bias: self.bias,
            mlp_bias: self.bias,
            attention_scale,
            tie_word_embeddings: self.tie_word_embeddings,
            dropout: DropoutRates {
                embedding: self.embd_pdrop,
                attention: self.attn_pdrop,
                residual: self.resid_pdrop,
            },
            initializer_range: self.initializer_range,
            ..Architecture::default()
        })
    }

    usual_keys!("GPT2LMHeadModel", positions: n_positions);
}

impl TensorNames for Gpt2Config {
    fn parts(&self, path: &str) -> Vec<Part> {
        if let Some((layer, rest)) = block_path(path) {
            let (module, kind) = split_kind(rest);
            let name = match module {
                "attention_norm" => "ln_1",
                "attention.qkv" => "attn.c_attn",
                "attention.output" => "attn.c_proj",
                "mlp_norm" => "ln_2",
                "mlp.up" => "mlp.c_fc",
                "mlp.down" => "mlp.c_proj",
                other => panic!("GPT-2 has no module {other}"),
            };
            return Part::same(format!("transformer.h.{layer}.{name}.{kind}"));
        }
        match split_kind(path) {
            ("decoder.token_embedding", _) => Part::same("transformer.wte.weight"),
            ("decoder.position_embedding", _) => Part::same("transformer.wpe.weight"),
            ("decoder.final_norm", kind) => Part::same(format!("transformer.ln_f.{kind}")),
            ("head.projection", _) => Part::linear("lm_head.weight"),
            (other, _) => panic!("GPT-2 has no module {other}"),
        }
    }

    fn optional_prefix(&self) -> Option<&'static str> {
        Some("transformer.")
    }

    fn is_redundant(&self, name: &str) -> bool {
        // Causal masks that early files carry as buffers, and the tied head.
        name.ends_with(".attn.bias")
            || name.ends_with(".attn.masked_bias")
            || (self.tie_word_embeddings && name == "lm_head.weight")
    }

    fn absent_as_zeros(&self) -> Vec<(String, Vec<usize>)> {
        if self.bias {
            return Vec::new();
        }
        let (width, inner) = (self.n_embd, self.n_inner.unwrap_or(4 * self.n_embd));
        let mut zeros = vec![("transformer.ln_f.bias".to_string(), vec![width])];
        for layer in 0..self.n_layer {
            for (name, size) in [
                ("ln_1", width),
                ("attn.c_attn", 3 * width),
                ("attn.c_proj", width),
                ("ln_2", width),
                ("mlp.c_fc", inner),
                ("mlp.c_proj", width),
            ] {
                zeros.push((format!("transformer.h.{layer}.{name}.bias"), vec![size]));
            }
        }
        zeros
    }
}
