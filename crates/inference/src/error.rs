//! What can go wrong between a request and its text.

use std::path::PathBuf;

use burn::tensor::TensorReadError;
use thiserror::Error;
use wuji_model::ModelError;
use wuji_protocol::TextModelError;
use wuji_tokenizer::TokenizerError;

/// An error of this crate; every variant says where.
#[derive(Debug, Error)]
pub enum InferenceError {
    /// There is nothing to condition the first token on.
    #[error(
        "nothing comes before the first token, and the tokenizer has no begin- or end-of-text token to start from"
    )]
    EmptyPrompt,
    /// There is nothing to score.
    #[error("the continuation has no tokens")]
    EmptyContinuation,
    /// A text is too short to be scored: without a begin- or end-of-text token to start from, its
    /// first token has nothing to be predicted from.
    #[error("the text has no token that can be scored")]
    NothingToScore,
    /// The prompt alone does not fit the model's positions.
    #[error("the prompt has {tokens} tokens, but the model reads at most {context_length}")]
    PromptTooLong {
        /// Tokens of the prompt.
        tokens: usize,
        /// Positions of the model.
        context_length: usize,
    },
    /// A source text without tokens.
    #[error("the source has no tokens")]
    EmptySource,
    /// There is no token that a target begins with.
    #[error(
        "no token to begin the target with: neither config.json (decoder_start_token_id, bos_token_id) nor the tokenizer names one"
    )]
    NoStartToken,
    /// A text to fill in has nothing to be filled.
    #[error("there is nothing to fill: the text has none of the mask tokens {masks}")]
    NothingToFill {
        /// The mask tokens, or their ids.
        masks: String,
    },
    /// A token that a method needs is in no vocabulary.
    #[error("{path}: neither config.json nor the tokenizer names {token}")]
    MissingToken {
        /// The model directory.
        path: PathBuf,
        /// The token, by the part that it plays.
        token: &'static str,
    },
    /// The model is of a kind that cannot do what is asked of it.
    #[error("{path}: a {model_type} model does not {ability}")]
    WrongKind {
        /// The model directory.
        path: PathBuf,
        /// `model_type` of its config.
        model_type: String,
        /// What it was asked for, as a verb.
        ability: &'static str,
    },
    /// A model without what a method needs.
    #[error("the model has no {part}, which {purpose} needs")]
    MissingPart {
        /// The head or the embedding.
        part: &'static str,
        /// What was asked for.
        purpose: &'static str,
    },
    /// A scored continuation alone does not fit the model's positions.
    #[error("the continuation has {tokens} tokens, but the model reads at most {context_length}")]
    ContinuationTooLong {
        /// Tokens of the continuation.
        tokens: usize,
        /// Positions of the model.
        context_length: usize,
    },
    /// A token id that the model has no row for: tokenizer and model do not belong together.
    #[error("token id {id} at position {position}: the model's vocabulary has {vocab_size} ids")]
    TokenOutOfRange {
        /// The id.
        id: u32,
        /// Where in the sequence it is.
        position: usize,
        /// Ids that the model has.
        vocab_size: usize,
    },
    /// The tokenizer beside a model has ids that the model lacks.
    #[error(
        "{path}: the tokenizer needs {tokenizer_size} ids, but the model's vocabulary has {vocab_size}"
    )]
    TokenizerMismatch {
        /// The model directory.
        path: PathBuf,
        /// Ids that the tokenizer needs.
        tokenizer_size: usize,
        /// Ids that the model has.
        vocab_size: usize,
    },
    /// The model gave NaN or infinity: its weights are broken or it overflowed.
    #[error("the logits of new token {position} are not finite (id {id}: {value})")]
    NonFiniteLogits {
        /// Which new token, counted from 0.
        position: usize,
        /// The first id with such a logit.
        id: usize,
        /// The logit.
        value: f32,
    },
    /// Minimum length, bad words and no-repeat n-grams together exclude every token.
    #[error("the options exclude every token at new token {position}")]
    NoCandidates {
        /// Which new token, counted from 0.
        position: usize,
    },
    /// The device could not compute or hand back a result.
    #[error("reading a result from the device: {0}")]
    Device(#[from] TensorReadError),
    /// The model directory could not be read.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The tokenizer could not be read, or could not encode or decode.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    /// A file of the model directory could not be read.
    #[error("reading {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// `generation_config.json` is malformed.
    #[error("{path}: {source}")]
    GenerationConfig {
        /// The file.
        path: PathBuf,
        /// The parser's complaint, with line and column.
        source: serde_json::Error,
    },
}

impl InferenceError {
    /// As the error of request `index` of a batch: what the caller can mend is an invalid request,
    /// the rest is a failure of the model.
    pub(crate) fn at_request(self, index: usize) -> TextModelError {
        match self {
            Self::EmptyPrompt
            | Self::EmptyContinuation
            | Self::NothingToScore
            | Self::PromptTooLong { .. }
            | Self::ContinuationTooLong { .. }
            | Self::EmptySource
            | Self::NothingToFill { .. }
            | Self::NoCandidates { .. }
            | Self::Tokenizer(TokenizerError::UnknownCharacter { .. }) => {
                TextModelError::InvalidRequest { index, reason: self.to_string() }
            }
            other => TextModelError::model(other),
        }
    }
}

impl From<InferenceError> for TextModelError {
    fn from(error: InferenceError) -> Self {
        error.at_request(0)
    }
}
