//! A recurrent language model: embedding, recurrent layers, head (Mikolov et al. 2010; with
//! dropout where Zaremba et al. 2014 have it).

use std::path::Path;

use burn::module::Module;
use burn::tensor::{Bool, Device, Int, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wuji_kernels::Nonlinearity;

use super::cell::stack_tensor;
use super::config::{self, CellKind, ConfigFile, NonlinearityName};
use super::directory::recurrent_directory;
use super::{RecurrentStack, RecurrentState};
use crate::ModelError;
use crate::layers::{Embedding, Linear, dropout};
use crate::weights::{Part, TensorNames};

/// `config.json` of a recurrent language model, `model_type` `wuji_rnn`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RecurrentLmConfig {
    /// Number of token ids.
    pub vocab_size: usize,
    /// Units of each recurrent layer; default 256.
    pub hidden_size: usize,
    /// Width of the embedding; default 256.
    pub embedding_size: usize,
    /// Recurrent layers; default 1.
    pub num_layers: usize,
    /// Their cell; default `lstm`.
    pub cell: CellKind,
    /// Non-linearity of an Elman cell; default `tanh`. Others have their own.
    #[serde(with = "NonlinearityName")]
    pub activation: Nonlinearity,
    /// Dropout on the embeddings, between layers and before the head; default 0.
    pub dropout: f64,
    /// Whether the head is the embedding; default true. Where `hidden_size` is not
    /// `embedding_size`, a projection comes between.
    pub tie_word_embeddings: bool,
    /// Initial embeddings and head are uniform within ± this; default 0.1. Other matrices are
    /// uniform within ± 1 / sqrt(inputs).
    pub initializer_range: f64,
    /// Keys that say nothing about the arithmetic, kept as they were read.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Default for RecurrentLmConfig {
    fn default() -> Self {
        Self {
            vocab_size: 256,
            hidden_size: 256,
            embedding_size: 256,
            num_layers: 1,
            cell: CellKind::Lstm,
            activation: Nonlinearity::Tanh,
            dropout: 0.0,
            tie_word_embeddings: true,
            initializer_range: 0.1,
            extra: Map::new(),
        }
    }
}

impl ConfigFile for RecurrentLmConfig {
    const MODEL_TYPE: &'static str = "wuji_rnn";

    fn validate(&self) -> Result<(), ModelError> {
        config::all_positive(&[
            ("vocab_size", self.vocab_size),
            ("hidden_size", self.hidden_size),
            ("embedding_size", self.embedding_size),
            ("num_layers", self.num_layers),
        ])?;
        config::check_rates(self.dropout, self.initializer_range)
    }
}

impl RecurrentLmConfig {
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
    /// As [`RecurrentLmConfig::from_path`].
    pub fn from_json(text: &str) -> Result<Self, ModelError> {
        config::parse(text, "config")
    }
}

impl TensorNames for RecurrentLmConfig {
    fn parts(&self, path: &str) -> Vec<Part> {
        match path.split_once('.') {
            Some(("embedding", _)) => Part::same(path),
            Some(("rnn", rest)) => stack_tensor("rnn", rest, false)
                .unwrap_or_else(|| panic!("no recurrent parameter {rest}")),
            Some(("projection" | "head", _)) => Part::linear(path),
            _ => panic!("a recurrent language model has no parameter {path}"),
        }
    }

    fn is_redundant(&self, name: &str) -> bool {
        self.tie_word_embeddings && name == "head.weight"
    }
}

/// A recurrent language model: token ids in, next-token logits out.
#[derive(Module, Debug)]
pub struct RecurrentLm {
    /// `[vocab_size, embedding_size]`.
    pub embedding: Embedding,
    /// The recurrent layers.
    pub rnn: RecurrentStack,
    /// From `hidden_size` to `embedding_size`, before a tied head of another width.
    pub projection: Option<Linear>,
    /// `[hidden_size, vocab_size]`; the embedding's transpose when absent.
    pub head: Option<Linear>,
    #[module(skip)]
    config: RecurrentLmConfig,
}

recurrent_directory!(RecurrentLm, RecurrentLmConfig);

impl RecurrentLm {
    fn zeros(config: &RecurrentLmConfig, device: &Device) -> Result<Self, ModelError> {
        config.validate()?;
        let c = config;
        let cell = c.cell.cell(c.activation);
        let sizes = [c.embedding_size, c.hidden_size, c.num_layers];
        let tied = c.tie_word_embeddings;
        let projected = tied && c.hidden_size != c.embedding_size;
        Ok(Self {
            embedding: Embedding::zeros(c.vocab_size, c.embedding_size, device),
            rnn: RecurrentStack::new(cell, sizes, c.dropout, device),
            projection: projected
                .then(|| Linear::zeros(c.hidden_size, c.embedding_size, true, device)),
            head: (!tied).then(|| Linear::zeros(c.hidden_size, c.vocab_size, false, device)),
            config: config.clone(),
        })
    }

    /// Checks ids before a forward pass, where they enter.
    ///
    /// # Errors
    /// An id outside the vocabulary.
    pub fn check_input(&self, ids: &[u32]) -> Result<(), ModelError> {
        config::check_ids(ids, self.config.vocab_size)
    }

    /// Logits `[batch, seq, vocab_size]` of `ids` `[batch, seq]`.
    pub fn forward(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        self.forward_with_state(ids, None).0
    }

    /// Logits of a padded batch; where `mask` `[batch, seq]` is false there is padding, whose
    /// logits mean nothing and which no other logit sees.
    pub fn forward_masked(&self, ids: Tensor<2, Int>, mask: Tensor<2, Bool>) -> Tensor<3> {
        let (hidden, _) = self.hidden_states(ids, None, Some(mask));
        self.logits(hidden)
    }

    /// Logits of `ids` `[batch, seq]` after what `state` has read (nothing when absent), and the
    /// state after them. Reading a text in pieces gives the logits of reading it whole.
    pub fn forward_with_state(
        &self,
        ids: Tensor<2, Int>,
        state: Option<RecurrentState>,
    ) -> (Tensor<3>, RecurrentState) {
        let (hidden, state) = self.hidden_states(ids, state, None);
        (self.logits(hidden), state)
    }

    /// Hidden states `[batch, seq, width]` for [`RecurrentLm::logits`], and the state after them.
    pub fn hidden_states(
        &self,
        ids: Tensor<2, Int>,
        state: Option<RecurrentState>,
        mask: Option<Tensor<2, Bool>>,
    ) -> (Tensor<3>, RecurrentState) {
        let rate = self.config.dropout;
        // Ids are turned round rather than their vectors: time comes first in recurrent layers.
        let embedded = dropout(self.embedding.forward(ids.transpose()), rate);
        let mask = mask.map(Tensor::transpose);
        let (hidden, state) = self.rnn.forward_time_major(embedded, state, mask);
        let hidden = dropout(hidden, rate).swap_dims(0, 1); // [batch, seq, hidden_size]
        let hidden = match &self.projection {
            Some(projection) => projection.forward(hidden),
            None => hidden,
        };
        (hidden, state)
    }

    /// Logits `[batch, seq, vocab_size]` of what [`RecurrentLm::hidden_states`] returns.
    pub fn logits(&self, hidden: Tensor<3>) -> Tensor<3> {
        match &self.head {
            Some(head) => head.forward(hidden),
            None => {
                let weight = self.embedding.weight.val().transpose();
                wuji_kernels::linear(hidden, weight, None)
            }
        }
    }
}
