//! The feed-forward language model: a window of tokens through a multi-layer perceptron (Bengio,
//! Ducharme, Vincent and Jauvin 2003).

use std::path::Path;

use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wuji_kernels::Nonlinearity;

use super::config::{self, ConfigFile, NonlinearityName};
use super::directory::recurrent_directory;
use crate::ModelError;
use crate::layers::{Embedding, Linear, dropout};
use crate::weights::{Part, TensorNames};

/// `config.json` of a feed-forward language model, `model_type` `wuji_mlp`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FeedForwardConfig {
    /// Number of token ids.
    pub vocab_size: usize,
    /// Tokens that a prediction sees, the last one included; default 8.
    pub context_size: usize,
    /// Width of the embedding; default 64.
    pub embedding_size: usize,
    /// Width of the hidden layers; default 256.
    pub hidden_size: usize,
    /// Hidden layers; default 1, as in the paper.
    pub num_layers: usize,
    /// Their non-linearity; default `tanh`, as in the paper.
    #[serde(with = "NonlinearityName")]
    pub activation: Nonlinearity,
    /// Whether the embeddings also reach the output directly (the paper's `W`); default false.
    pub direct_connections: bool,
    /// Whether places before the first token hold a learned vector rather than zeros; default true.
    pub learned_padding: bool,
    /// Dropout on the embeddings and after hidden layers; default 0.
    pub dropout: f64,
    /// Initial embeddings, direct connections and head are uniform within ± this; default 0.1.
    /// Other matrices are uniform within ± 1 / sqrt(inputs).
    pub initializer_range: f64,
    /// Keys that say nothing about the arithmetic, kept as they were read.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Default for FeedForwardConfig {
    fn default() -> Self {
        Self {
            vocab_size: 256,
            context_size: 8,
            embedding_size: 64,
            hidden_size: 256,
            num_layers: 1,
            activation: Nonlinearity::Tanh,
            direct_connections: false,
            learned_padding: true,
            dropout: 0.0,
            initializer_range: 0.1,
            extra: Map::new(),
        }
    }
}

impl ConfigFile for FeedForwardConfig {
    const MODEL_TYPE: &'static str = "wuji_mlp";

    fn validate(&self) -> Result<(), ModelError> {
        config::all_positive(&[
            ("vocab_size", self.vocab_size),
            ("context_size", self.context_size),
            ("embedding_size", self.embedding_size),
            ("hidden_size", self.hidden_size),
            ("num_layers", self.num_layers),
        ])?;
        config::check_rates(self.dropout, self.initializer_range)
    }
}

impl FeedForwardConfig {
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
    /// As [`FeedForwardConfig::from_path`].
    pub fn from_json(text: &str) -> Result<Self, ModelError> {
        config::parse(text, "config")
    }
}

impl TensorNames for FeedForwardConfig {
    fn parts(&self, path: &str) -> Vec<Part> {
        match path.split_once('.') {
            Some(("embedding", _)) => Part::same(path),
            Some(("layers" | "direct" | "head", _)) => Part::linear(path),
            None if path == "padding" => Part::same("padding.weight"),
            _ => panic!("a feed-forward language model has no parameter {path}"),
        }
    }

    fn is_redundant(&self, _name: &str) -> bool {
        false
    }
}

/// A feed-forward language model: the logits at a position are a function of the last
/// `context_size` tokens.
#[derive(Module, Debug)]
pub struct FeedForwardLm {
    /// `[vocab_size, embedding_size]`.
    pub embedding: Embedding,
    /// What stands before the first token, `[1, embedding_size]`; zeros when absent.
    pub padding: Option<Param<Tensor<2>>>,
    /// Hidden layers; the first reads `context_size · embedding_size` values, oldest token first.
    pub layers: Vec<Linear>,
    /// `[context_size · embedding_size, vocab_size]`, without a bias.
    pub direct: Option<Linear>,
    /// `[hidden_size, vocab_size]`, with a bias.
    pub head: Linear,
    #[module(skip)]
    config: FeedForwardConfig,
}

recurrent_directory!(FeedForwardLm, FeedForwardConfig);

impl FeedForwardLm {
    fn zeros(config: &FeedForwardConfig, device: &Device) -> Result<Self, ModelError> {
        config.validate()?;
        let c = config;
        let window = c.context_size * c.embedding_size;
        let inputs = |layer| if layer == 0 { window } else { c.hidden_size };
        let layer = |l| Linear::zeros(inputs(l), c.hidden_size, true, device);
        let padding = || Param::from_tensor(Tensor::zeros([1, c.embedding_size], device));
        Ok(Self {
            embedding: Embedding::zeros(c.vocab_size, c.embedding_size, device),
            padding: c.learned_padding.then(padding),
            layers: (0..c.num_layers).map(layer).collect(),
            direct: c
                .direct_connections
                .then(|| Linear::zeros(window, c.vocab_size, false, device)),
            head: Linear::zeros(c.hidden_size, c.vocab_size, true, device),
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

    /// Logits `[batch, seq, vocab_size]` of `ids` `[batch, seq]`; those at position `t` see the
    /// tokens `t - context_size + 1 ..= t`.
    pub fn forward(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        self.logits(self.windows(ids))
    }

    /// The embeddings that each position sees, side by side, oldest first:
    /// `[batch, seq, context_size · embedding_size]`.
    pub fn windows(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        let [batch, seq] = ids.dims();
        let (context, width) = (self.config.context_size, self.config.embedding_size);
        let embedded = dropout(self.embedding.forward(ids), self.config.dropout);
        if context == 1 {
            return embedded;
        }
        let before = match &self.padding {
            Some(padding) => padding.val(),
            None => Tensor::zeros([1, width], &embedded.device()),
        };
        let before = before.unsqueeze_dim::<3>(0).expand([batch, context - 1, width]);
        let padded = Tensor::cat(vec![before, embedded], 1); // [batch, context - 1 + seq, width]
        let ages = (0..context).map(|start| padded.clone().narrow(1, start, seq)).collect();
        Tensor::cat(ages, 2)
    }

    /// Logits of what [`FeedForwardLm::windows`] returns: the paper's `b + W x + U tanh(d + H x)`.
    pub fn logits(&self, windows: Tensor<3>) -> Tensor<3> {
        let hidden = self.layers.iter().fold(windows.clone(), |hidden, layer| {
            dropout(self.config.activation.apply(layer.forward(hidden)), self.config.dropout)
        });
        let logits = self.head.forward(hidden);
        match &self.direct {
            Some(direct) => logits + direct.forward(windows),
            None => logits,
        }
    }
}
