//! DistilBERT (Sanh et al. 2019): half of BERT's blocks, no segments, no pooler.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::encoder_class::EncoderClasses;
use super::{Family, block_path_in, split_kind, usual_keys};
use crate::weights::{Part, TensorNames};
use crate::{
    Activation, Architecture, ClassifiedUnit, DropoutRates, EncoderHeads, MlpKind, ModelError,
    ModelKind, NormKind, NormPlacement, Positions,
};

/// `config.json` of a DistilBERT model, with Hugging Face's keys and defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DistilBertConfig {
    /// Number of token ids.
    pub vocab_size: usize,
    /// Rows of the table of positions.
    pub max_position_embeddings: usize,
    /// Number of blocks.
    pub n_layers: usize,
    /// Number of heads; divides `dim`.
    pub n_heads: usize,
    /// Width of the residual stream.
    pub dim: usize,
    /// Width inside the MLP.
    pub hidden_dim: usize,
    /// Dropout on embeddings and on what the MLP adds.
    pub dropout: f64,
    /// Dropout on attention probabilities.
    pub attention_dropout: f64,
    /// Non-linearity of the MLP.
    pub activation: Activation,
    /// Standard deviation of the initial weights.
    pub initializer_range: f64,
    /// Whether masked tokens are predicted with the token embedding.
    pub tie_word_embeddings: bool,
    /// Keys that say nothing about the arithmetic of the encoder, kept as they were read.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Default for DistilBertConfig {
    fn default() -> Self {
        Self {
            vocab_size: 30522,
            max_position_embeddings: 512,
            n_layers: 6,
            n_heads: 12,
            dim: 768,
            hidden_dim: 3072,
            dropout: 0.1,
            attention_dropout: 0.1,
            activation: Activation::Gelu,
            initializer_range: 0.02,
            tie_word_embeddings: true,
            extra: Map::new(),
        }
    }
}

impl Family for DistilBertConfig {
    fn architecture(&self) -> Result<Architecture, ModelError> {
        if self.n_heads == 0 || !self.dim.is_multiple_of(self.n_heads) {
            let expected = format!("a divisor of dim = {}", self.dim);
            return Err(ModelError::invalid("n_heads", self.n_heads, expected));
        }
        Ok(Architecture {
            vocab_size: self.vocab_size,
            hidden_size: self.dim,
            num_hidden_layers: self.n_layers,
            num_attention_heads: self.n_heads,
            num_key_value_heads: self.n_heads,
            head_dim: self.dim / self.n_heads,
            intermediate_size: self.hidden_dim,
            max_position_embeddings: self.max_position_embeddings,
            causal: false,
            positions: Positions::Learned,
            embedding_norm: true,
            norm_placement: NormPlacement::After,
            norm: NormKind::LayerNorm { bias: true },
            norm_epsilon: 1e-12,
            mlp: MlpKind::Plain,
            activation: self.activation,
            qkv_bias: true,
            attention_output_bias: true,
            mlp_bias: true,
            tie_word_embeddings: self.tie_word_embeddings,
            dropout: DropoutRates {
                embedding: self.dropout,
                attention: self.attention_dropout,
                residual: self.dropout,
            },
            initializer_range: self.initializer_range,
            scale_residual_init: false,
            ..Architecture::default()
        })
    }

    fn kind(&self) -> ModelKind {
        ModelKind::Encoder
    }

    fn encoder_heads(&self) -> Result<EncoderHeads, ModelError> {
        let text_dense = Some(Activation::Relu);
        let prefix = "DistilBert";
        let classes = EncoderClasses { prefix, pooler: false, next_sentence: false, text_dense };
        classes.heads(&self.extra)
    }

    usual_keys!("DistilBertModel");
}

impl TensorNames for DistilBertConfig {
    fn parts(&self, path: &str) -> Vec<Part> {
        if let Some((layer, rest)) = block_path_in("encoder", path) {
            let (module, kind) = split_kind(rest);
            let in_layer =
                |name: &str| format!("distilbert.transformer.layer.{layer}.{name}.{kind}");
            return match module {
                "attention.qkv" => Part::split(
                    ["q_lin", "k_lin", "v_lin"]
                        .map(|name| (in_layer(&format!("attention.{name}")), self.dim)),
                ),
                "attention.output" => Part::linear(in_layer("attention.out_lin")),
                "attention_norm" => Part::same(in_layer("sa_layer_norm")),
                "mlp.up" => Part::linear(in_layer("ffn.lin1")),
                "mlp.down" => Part::linear(in_layer("ffn.lin2")),
                "mlp_norm" => Part::same(in_layer("output_layer_norm")),
                other => panic!("DistilBERT has no module {other}"),
            };
        }
        let embeddings = |name: &str| Part::same(format!("distilbert.embeddings.{name}"));
        let unit = self.encoder_heads().unwrap_or_default().classifier.map(|head| head.unit);
        match split_kind(path) {
            ("encoder.token_embedding", _) => embeddings("word_embeddings.weight"),
            ("encoder.position_embedding", _) => embeddings("position_embeddings.weight"),
            ("encoder.embedding_norm", kind) => embeddings(&format!("LayerNorm.{kind}")),
            ("masked_lm.transform", kind) => Part::linear(format!("vocab_transform.{kind}")),
            ("masked_lm.norm", kind) => Part::same(format!("vocab_layer_norm.{kind}")),
            ("masked_lm.projection", _) => Part::linear("vocab_projector.weight"),
            ("masked_lm", _) => Part::same("vocab_projector.bias"),
            ("classifier.dense", kind) => Part::linear(format!("pre_classifier.{kind}")),
            ("classifier.output", kind) if unit == Some(ClassifiedUnit::AnswerEnds) => {
                Part::linear(format!("qa_outputs.{kind}"))
            }
            ("classifier.output", kind) => Part::linear(format!("classifier.{kind}")),
            (other, _) => panic!("DistilBERT has no module {other}"),
        }
    }

    fn optional_prefix(&self) -> Option<&'static str> {
        Some("distilbert.")
    }

    fn is_redundant(&self, name: &str) -> bool {
        let head = ["vocab_transform", "vocab_layer_norm", "vocab_projector"];
        name.ends_with("embeddings.position_ids") || head.contains(&split_kind(name).0)
    }
}
