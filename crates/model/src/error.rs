//! What can go wrong when a model is described, built, read or written.

use std::path::PathBuf;

use thiserror::Error;

/// An error of this crate; every variant says where.
#[derive(Debug, Error)]
pub enum ModelError {
    /// A file could not be read or written.
    #[error("{action} {path}: {source}")]
    Io {
        /// What was tried, as a verb: "reading", "writing".
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// `config.json` (or the `[model]` section) is not JSON of the expected shape.
    #[error("{origin}: not a model config: {source}")]
    ConfigSyntax {
        /// The file or section.
        origin: String,
        /// The parser's complaint, with line and column where it has them.
        source: serde_json::Error,
    },
    /// `model_type` names a family that this build does not have.
    #[error("{origin}: model_type {found:?} is not supported; this build has {supported}")]
    UnsupportedModelType {
        /// The file or section.
        origin: String,
        /// What it says.
        found: String,
        /// The families there are.
        supported: String,
    },
    /// The config is of another kind of model than is asked for.
    #[error("model_type {model_type:?} is {found}; expected {expected}")]
    WrongKind {
        /// What the config says.
        model_type: &'static str,
        /// What that is.
        found: &'static str,
        /// What is asked for.
        expected: &'static str,
    },
    /// A config value makes no sense, alone or beside another.
    #[error("model config: {key} = {found}: expected {expected}")]
    InvalidConfig {
        /// The offending key.
        key: &'static str,
        /// Its value.
        found: String,
        /// What would do.
        expected: String,
    },
    /// A weight file is malformed.
    #[error("{path}: not a valid {format} file: {reason}")]
    BadWeightFile {
        /// The file.
        path: PathBuf,
        /// What it would be: safetensors, PyTorch, GGUF.
        format: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The weight files and the architecture disagree; everything that disagrees is listed.
    #[error("{origin}: weights do not fit the architecture:\n  {}", problems.join("\n  "))]
    WeightMismatch {
        /// The file or directory.
        origin: String,
        /// One line per tensor: missing, unexpected, or of another shape.
        problems: Vec<String>,
    },
    /// A tensor holds numbers of another kind than what is asked of it.
    #[error("{origin}: {tensor} is of type {found}; expected {expected}")]
    WrongNumberType {
        /// The file or directory.
        origin: String,
        /// The tensor.
        tensor: String,
        /// The type that it has.
        found: String,
        /// The types that would do.
        expected: String,
    },
    /// A model cannot be written in a format, or a file of that format is of no family that is read.
    #[error("{path}: {format} files of this kind are not supported: {reason}")]
    UnsupportedFormat {
        /// The file.
        path: PathBuf,
        /// The format.
        format: &'static str,
        /// What it is about the model.
        reason: String,
    },
    /// A directory holds several weight files, and none has precedence.
    #[error("{path} holds several weight files ({}): give one of them", candidates.join(", "))]
    SeveralWeights {
        /// The directory.
        path: PathBuf,
        /// The files.
        candidates: Vec<String>,
    },
    /// A weight file that says nothing of the architecture.
    #[error(
        "{path}: weights alone, without a config; give the directory that holds config.json too"
    )]
    NoConfig {
        /// The file.
        path: PathBuf,
    },
    /// No weights were found where a model was expected.
    #[error(
        "{path}: no model.safetensors and no pytorch_model.bin here, whole or with an index of shards"
    )]
    NoWeights {
        /// The directory.
        path: PathBuf,
    },
    /// A llama2.c checkpoint is malformed.
    #[error("{path}: not a llama2.c checkpoint: {reason}")]
    BadLlama2c {
        /// The file.
        path: PathBuf,
        /// Which field, what was found and what was expected.
        reason: String,
    },
    /// An input does not fit the model.
    #[error("input: {0}")]
    Input(String),
}

impl ModelError {
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
        source: std::io::Error,
    ) -> Self {
        Self::Io { action, path: path.into(), source }
    }

    pub(crate) fn bad_weights(
        path: impl Into<PathBuf>,
        format: &'static str,
        reason: String,
    ) -> Self {
        Self::BadWeightFile { path: path.into(), format, reason }
    }

    pub(crate) fn invalid(
        key: &'static str,
        found: impl ToString,
        expected: impl Into<String>,
    ) -> Self {
        Self::InvalidConfig { key, found: found.to_string(), expected: expected.into() }
    }
}
