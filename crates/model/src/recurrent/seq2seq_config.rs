//! The config of a recurrent encoder–decoder, and its tensors' names.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::cell::stack_tensor;
use super::config::{self, CellKind, ConfigFile};
use crate::ModelError;
use crate::weights::{Part, TensorNames};

/// How a decoder scores source positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AttentionKind {
    /// `v · tanh(W s + U h)`, of the state before the step, whose input is what is read (Bahdanau
    /// et al. 2015).
    Additive,
    /// `s · W h`, of the state after the step (Luong et al. 2015).
    #[serde(alias = "multiplicative")]
    General,
    /// `s · h`: as general, without a matrix.
    Dot,
}

/// `config.json` of a recurrent encoder–decoder, `model_type` `wuji_rnn_seq2seq`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Seq2SeqConfig {
    /// Number of token ids of the source.
    pub source_vocab_size: usize,
    /// Number of token ids of the target.
    pub target_vocab_size: usize,
    /// Width of both embeddings; default 256.
    pub embedding_size: usize,
    /// Units of each decoder layer, and width of the attention; default 256.
    pub hidden_size: usize,
    /// Units of each encoder layer in each direction; half of `hidden_size` when absent.
    pub encoder_hidden_size: Option<usize>,
    /// Layers of the encoder and of the decoder; default 1.
    pub num_layers: usize,
    /// Their cell, `lstm` or `gru`; default `gru`.
    pub cell: CellKind,
    /// How source positions are scored; default `additive`.
    pub attention: AttentionKind,
    /// Whether a step of a multiplicative decoder reads the attentional state of the one before;
    /// default true. Without it all steps are computed at once. Additive attention always feeds
    /// what it reads to the next step.
    pub input_feeding: bool,
    /// Dropout on embeddings, between layers and before the head; default 0.2.
    pub dropout: f64,
    /// Whether the head is the target's embedding; default false.
    pub tie_word_embeddings: bool,
    /// Initial embeddings and head are uniform within ± this; default 0.1. Other matrices are
    /// uniform within ± 1 / sqrt(inputs).
    pub initializer_range: f64,
    /// Keys that say nothing about the arithmetic (`bos_token_id`, …), kept as they were read.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Default for Seq2SeqConfig {
    fn default() -> Self {
        Self {
            source_vocab_size: 8000,
            target_vocab_size: 8000,
            embedding_size: 256,
            hidden_size: 256,
            encoder_hidden_size: None,
            num_layers: 1,
            cell: CellKind::Gru,
            attention: AttentionKind::Additive,
            input_feeding: true,
            dropout: 0.2,
            tie_word_embeddings: false,
            initializer_range: 0.1,
            extra: Map::new(),
        }
    }
}

impl ConfigFile for Seq2SeqConfig {
    const MODEL_TYPE: &'static str = "wuji_rnn_seq2seq";

    fn validate(&self) -> Result<(), ModelError> {
        config::all_positive(&[
            ("source_vocab_size", self.source_vocab_size),
            ("target_vocab_size", self.target_vocab_size),
            ("embedding_size", self.embedding_size),
            ("hidden_size", self.hidden_size),
            ("encoder_hidden_size", self.encoder_hidden_size()),
            ("num_layers", self.num_layers),
        ])?;
        config::check_rates(self.dropout, self.initializer_range)?;
        if self.cell == CellKind::Elman {
            return Err(ModelError::invalid("cell", "elman", "lstm or gru"));
        }
        if self.attention == AttentionKind::Dot && self.memory_size() != self.hidden_size {
            return Err(ModelError::invalid(
                "encoder_hidden_size",
                self.encoder_hidden_size(),
                format!("half of hidden_size = {}, as attention is dot", self.hidden_size),
            ));
        }
        Ok(())
    }
}

impl Seq2SeqConfig {
    /// Reads `config.json` of a model directory, or the file itself.
    ///
    /// # Errors
    /// The file cannot be read, is not such a config, or has values that make no sense.
    pub fn from_path(path: &Path) -> Result<Self, ModelError> {
        config::read(path)
    }

    /// Reads a config from JSON text.
    ///
    /// # Errors
    /// As [`Seq2SeqConfig::from_path`].
    pub fn from_json(text: &str) -> Result<Self, ModelError> {
        config::parse(text, "config")
    }

    /// Units of each encoder layer in each direction.
    pub fn encoder_hidden_size(&self) -> usize {
        self.encoder_hidden_size.unwrap_or(self.hidden_size / 2)
    }

    /// Width of what the decoder attends to: both directions.
    pub(super) fn memory_size(&self) -> usize {
        2 * self.encoder_hidden_size()
    }

    /// Width of the attentional state, which the head reads.
    pub(super) fn readout_size(&self) -> usize {
        if self.tie_word_embeddings { self.embedding_size } else { self.hidden_size }
    }

    /// Width of what a step reads beside its token.
    pub(super) fn feed_size(&self) -> Option<usize> {
        match self.attention {
            AttentionKind::Additive => Some(self.memory_size()),
            _ => self.input_feeding.then(|| self.readout_size()),
        }
    }
}

impl TensorNames for Seq2SeqConfig {
    fn parts(&self, path: &str) -> Vec<Part> {
        let stack = |prefix, rest, bidirectional| {
            stack_tensor(prefix, rest, bidirectional)
                .unwrap_or_else(|| panic!("no parameter {rest} in the {prefix}"))
        };
        match path.split_once('.') {
            Some(("source_embedding" | "target_embedding", _)) => Part::same(path),
            Some(("encoder", rest)) => stack("encoder", rest, true),
            Some(("decoder", rest)) => stack("decoder", rest, false),
            Some(("feed", _)) => Part::linear("decoder.weight_feed_l0"),
            Some(("bridge" | "attention" | "combine" | "head", _)) => Part::linear(path),
            _ => panic!("a recurrent encoder–decoder has no parameter {path}"),
        }
    }

    fn is_redundant(&self, name: &str) -> bool {
        self.tie_word_embeddings && name == "head.weight"
    }
}
