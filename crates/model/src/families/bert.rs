//! BERT (Devlin et al. 2019): an encoder with norms after each half, segments, and heads for masked
//! tokens, next sentences, labels and answers; and RoBERTa (Liu et al. 2019), which counts positions
//! behind the padding and has no segments to speak of.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::encoder_class::EncoderClasses;
use super::{Family, block_path_in, split_kind, usual_keys};
use crate::weights::{Part, TensorNames};
use crate::{
    Activation, Architecture, DropoutRates, EncoderHeads, MlpKind, ModelError, ModelKind, NormKind,
    NormPlacement, Positions,
};

/// `config.json` of a BERT model, with Hugging Face's keys and defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BertConfig {
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
    /// Dropout on embeddings and on what attention and MLP add.
    pub hidden_dropout_prob: f64,
    /// Dropout on attention probabilities.
    pub attention_probs_dropout_prob: f64,
    /// Rows of the table of positions.
    pub max_position_embeddings: usize,
    /// Number of segments.
    pub type_vocab_size: usize,
    /// Standard deviation of the initial weights.
    pub initializer_range: f64,
    /// Epsilon of the norms.
    pub layer_norm_eps: f64,
    /// Whether masked tokens are predicted with the token embedding.
    pub tie_word_embeddings: bool,
    /// Keys that say nothing about the arithmetic of the encoder (`architectures`, `id2label`, …),
    /// kept as they were read.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Default for BertConfig {
    fn default() -> Self {
        Self {
            vocab_size: 30522,
            hidden_size: 768,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            intermediate_size: 3072,
            hidden_act: Activation::Gelu,
            hidden_dropout_prob: 0.1,
            attention_probs_dropout_prob: 0.1,
            max_position_embeddings: 512,
            type_vocab_size: 2,
            initializer_range: 0.02,
            layer_norm_eps: 1e-12,
            tie_word_embeddings: true,
            extra: Map::new(),
        }
    }
}

impl Family for BertConfig {
    fn architecture(&self) -> Result<Architecture, ModelError> {
        let heads = self.num_attention_heads;
        if heads == 0 || !self.hidden_size.is_multiple_of(heads) {
            let expected = format!("a divisor of hidden_size = {}", self.hidden_size);
            return Err(ModelError::invalid("num_attention_heads", heads, expected));
        }
        Ok(Architecture {
            vocab_size: self.vocab_size,
            hidden_size: self.hidden_size,
            num_hidden_layers: self.num_hidden_layers,
            num_attention_heads: heads,
            num_key_value_heads: heads,
            head_dim: self.hidden_size / heads,
            intermediate_size: self.intermediate_size,
            max_position_embeddings: self.max_position_embeddings,
            causal: false,
            positions: Positions::Learned,
            token_types: self.type_vocab_size,
            embedding_norm: true,
            norm_placement: NormPlacement::After,
            norm: NormKind::LayerNorm { bias: true },
            norm_epsilon: self.layer_norm_eps,
            mlp: MlpKind::Plain,
            activation: self.hidden_act,
            qkv_bias: true,
            attention_output_bias: true,
            mlp_bias: true,
            tie_word_embeddings: self.tie_word_embeddings,
            dropout: DropoutRates {
                embedding: self.hidden_dropout_prob,
                attention: self.attention_probs_dropout_prob,
                residual: self.hidden_dropout_prob,
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
        let classes =
            EncoderClasses { prefix: "Bert", pooler: true, next_sentence: true, text_dense: None };
        classes.heads(&self.extra)
    }

    usual_keys!("BertModel");
}

impl TensorNames for BertConfig {
    fn parts(&self, path: &str) -> Vec<Part> {
        if let Some(parts) = encoder_parts("bert", self.hidden_size, path) {
            return parts;
        }
        match split_kind(path) {
            ("pooler", kind) => Part::linear(format!("bert.pooler.dense.{kind}")),
            ("masked_lm.transform", kind) => {
                Part::linear(format!("cls.predictions.transform.dense.{kind}"))
            }
            ("masked_lm.norm", kind) => {
                Part::same(format!("cls.predictions.transform.LayerNorm.{kind}"))
            }
            ("masked_lm.projection", _) => Part::linear("cls.predictions.decoder.weight"),
            ("masked_lm", _) => Part::same("cls.predictions.bias"),
            ("next_sentence", kind) => Part::linear(format!("cls.seq_relationship.{kind}")),
            ("classifier.output", kind) => Part::linear(format!("{}.{kind}", last_layer(self))),
            (other, _) => panic!("BERT has no module {other}"),
        }
    }

    fn optional_prefix(&self) -> Option<&'static str> {
        Some("bert.")
    }

    fn is_redundant(&self, name: &str) -> bool {
        // Buffers, the tied decoder, and pre-training heads that a class leaves out.
        let heads = ["predictions.transform.dense", "predictions.transform.LayerNorm"];
        let heads = [&heads[..], &["predictions.decoder", "seq_relationship"]].concat();
        name.ends_with("embeddings.position_ids")
            || name == "cls.predictions.bias"
            || name.strip_prefix("cls.").is_some_and(|rest| heads.contains(&split_kind(rest).0))
            || is_pooler("bert", name)
    }
}

/// Whether a tensor is of the pooler, whose prefix some checkpoints leave out.
fn is_pooler(root: &str, name: &str) -> bool {
    let (module, _) = split_kind(name);
    module == "pooler.dense" || module.strip_prefix(root) == Some(".pooler.dense")
}

/// The name of the last layer of a classification head.
fn last_layer(config: &BertConfig) -> &'static str {
    use crate::ClassifiedUnit::AnswerEnds;
    let heads = config.encoder_heads().unwrap_or_default();
    let is_answer = heads.classifier.is_some_and(|classifier| classifier.unit == AnswerEnds);
    if is_answer { "qa_outputs" } else { "classifier" }
}

/// The tensors of an encoder's own parameters, below `root`.
fn encoder_parts(root: &str, width: usize, path: &str) -> Option<Vec<Part>> {
    if let Some((layer, rest)) = block_path_in("encoder", path) {
        let (module, kind) = split_kind(rest);
        let in_layer = |name: &str| format!("{root}.encoder.layer.{layer}.{name}.{kind}");
        return Some(match module {
            "attention.qkv" => Part::split(
                ["query", "key", "value"]
                    .map(|n| (in_layer(&format!("attention.self.{n}")), width)),
            ),
            "attention.output" => Part::linear(in_layer("attention.output.dense")),
            "attention_norm" => Part::same(in_layer("attention.output.LayerNorm")),
            "mlp.up" => Part::linear(in_layer("intermediate.dense")),
            "mlp.down" => Part::linear(in_layer("output.dense")),
            "mlp_norm" => Part::same(in_layer("output.LayerNorm")),
            other => panic!("BERT has no module {other}"),
        });
    }
    let name = match split_kind(path) {
        ("encoder.token_embedding", _) => "word_embeddings.weight".to_string(),
        ("encoder.position_embedding", _) => "position_embeddings.weight".to_string(),
        ("encoder.token_type_embedding", _) => "token_type_embeddings.weight".to_string(),
        ("encoder.embedding_norm", kind) => format!("LayerNorm.{kind}"),
        _ => return None,
    };
    Some(Part::same(format!("{root}.embeddings.{name}")))
}

/// `config.json` of a RoBERTa model: BERT's keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RobertaConfig {
    /// The keys shared with BERT.
    #[serde(flatten)]
    pub base: BertConfig,
    /// The id of padding, which is also its position.
    pub pad_token_id: usize,
}

impl Default for RobertaConfig {
    fn default() -> Self {
        Self { base: BertConfig::default(), pad_token_id: 1 }
    }
}

impl Family for RobertaConfig {
    fn architecture(&self) -> Result<Architecture, ModelError> {
        let padding_id = self.pad_token_id;
        Ok(Architecture {
            positions: Positions::LearnedAfterPadding { padding_id },
            ..self.base.architecture()?
        })
    }

    fn kind(&self) -> ModelKind {
        ModelKind::Encoder
    }

    fn encoder_heads(&self) -> Result<EncoderHeads, ModelError> {
        let text_dense = Some(Activation::Tanh);
        let classes =
            EncoderClasses { prefix: "Roberta", pooler: true, next_sentence: false, text_dense };
        classes.heads(&self.base.extra)
    }

    fn default_class_name(&self) -> &'static str {
        "RobertaModel"
    }

    fn vocab_size(&self) -> usize {
        self.base.vocab_size
    }

    fn set_vocab_size(&mut self, size: usize) {
        self.base.vocab_size = size;
    }

    fn max_position_embeddings(&self) -> usize {
        // Positions begin behind the padding's own.
        self.base.max_position_embeddings.saturating_sub(self.pad_token_id + 1)
    }

    fn extra(&self) -> &Map<String, Value> {
        &self.base.extra
    }

    fn extra_mut(&mut self) -> &mut Map<String, Value> {
        &mut self.base.extra
    }

    fn tensor_names(&self) -> &dyn TensorNames {
        self
    }
}

impl TensorNames for RobertaConfig {
    fn parts(&self, path: &str) -> Vec<Part> {
        if let Some(parts) = encoder_parts("roberta", self.base.hidden_size, path) {
            return parts;
        }
        let answers = self.encoder_heads().unwrap_or_default().classifier;
        let answers = answers.filter(|head| head.unit == crate::ClassifiedUnit::AnswerEnds);
        match split_kind(path) {
            ("pooler", kind) => Part::linear(format!("roberta.pooler.dense.{kind}")),
            ("masked_lm.transform", kind) => Part::linear(format!("lm_head.dense.{kind}")),
            ("masked_lm.norm", kind) => Part::same(format!("lm_head.layer_norm.{kind}")),
            ("masked_lm.projection", _) => Part::linear("lm_head.decoder.weight"),
            ("masked_lm", _) => Part::same("lm_head.bias"),
            ("classifier.dense", kind) => Part::linear(format!("classifier.dense.{kind}")),
            ("classifier.output", kind) if answers.is_some() => {
                Part::linear(format!("qa_outputs.{kind}"))
            }
            ("classifier.output", kind) => match self.encoder_heads().unwrap_or_default() {
                EncoderHeads { classifier: Some(head), .. } if head.dense.is_some() => {
                    Part::linear(format!("classifier.out_proj.{kind}"))
                }
                _ => Part::linear(format!("classifier.{kind}")),
            },
            (other, _) => panic!("RoBERTa has no module {other}"),
        }
    }

    fn optional_prefix(&self) -> Option<&'static str> {
        Some("roberta.")
    }

    fn is_redundant(&self, name: &str) -> bool {
        let head = ["dense", "layer_norm", "decoder"];
        name.ends_with("embeddings.position_ids")
            || name == "lm_head.bias"
            || name.strip_prefix("lm_head.").is_some_and(|rest| head.contains(&split_kind(rest).0))
            || is_pooler("roberta", name)
    }
}
