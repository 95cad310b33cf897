//! What can go wrong between raw text and a reported model.

use std::path::PathBuf;

use thiserror::Error;

/// An error of the facade; errors of the parts pass through.
#[derive(Debug, Error)]
pub enum WujiError {
    /// A config file, preset or `--set` is wrong.
    #[error("{origin}: {problem}")]
    Config {
        /// The file, preset or option.
        origin: String,
        /// What is wrong, with key, found and expected.
        problem: String,
    },
    /// A file could not be read or written.
    #[error("{action} {path}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// The run directory already holds a run.
    #[error(
        "{path} already holds a run; continue it with --resume {path}, or choose another --out"
    )]
    RunExists {
        /// The directory.
        path: PathBuf,
    },
    /// There is no run.
    #[error("{path} holds no run: {reason}")]
    NoRun {
        /// The directory.
        path: PathBuf,
        /// What is missing.
        reason: String,
    },
    /// The inputs changed between the start of a run and its resumption.
    #[error("{what} changed since the run in {path} began: it was {was}, it is {is}")]
    Changed {
        /// The run directory.
        path: PathBuf,
        /// Tokenizer or data.
        what: &'static str,
        /// Fingerprint in the run directory.
        was: String,
        /// Fingerprint now.
        is: String,
    },
    /// The report of a run that has not been finished.
    #[error(
        "{path} holds a run that is not finished; continue it with `wuji train --resume {path}`"
    )]
    Unfinished {
        /// The run directory.
        path: PathBuf,
    },
    /// A file given as input does not hold what is needed of it.
    #[error("{path}: {problem}")]
    Input {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong, with what was expected and what was found.
        problem: String,
    },
    /// Something that this version cannot do.
    #[error("{what} is not in this version; {instead}")]
    Unsupported {
        /// What was asked for.
        what: String,
        /// What can be done.
        instead: String,
    },
    /// A model that is named as on the Hugging Face Hub is neither in the cache nor to be downloaded.
    #[error(
        "no model {name:?} on this machine:\n  no file or directory of that name\n  in the cache {cache}: {missing}\n  \
         from {endpoint}: {reason}\nOn a machine with a network, `hf download {name}` gets it; give its directory \
         here, or copy the cache and say where it is with HF_HUB_CACHE"
    )]
    NotDownloaded {
        /// The model.
        name: String,
        /// The cache.
        cache: PathBuf,
        /// What the cache lacks.
        missing: String,
        /// Where it would have come from.
        endpoint: String,
        /// Why it did not.
        reason: String,
    },
    /// The device failed while it computed.
    #[error("the device failed: {0}")]
    Execution(String),
    /// From `wuji-device`.
    #[error(transparent)]
    Device(#[from] wuji_device::DeviceError),
    /// From `wuji-tokenizer`.
    #[error(transparent)]
    Tokenizer(#[from] wuji_tokenizer::TokenizerError),
    /// From `wuji-data`.
    #[error(transparent)]
    Data(#[from] wuji_data::DataError),
    /// From the catalogue of public data sets.
    #[error(transparent)]
    Catalogue(#[from] wuji_data::catalogue::CatalogueError),
    /// From `wuji-classical`.
    #[error("classical model: {0}")]
    Classical(#[from] wuji_classical::ClassicalError),
    /// From `wuji-model`.
    #[error(transparent)]
    Model(#[from] wuji_model::ModelError),
    /// From `wuji-training`.
    #[error(transparent)]
    Training(#[from] wuji_training::TrainingError),
    /// From the search.
    #[error(transparent)]
    Search(#[from] wuji_training::search::SearchError),
    /// From `wuji-inference`.
    #[error(transparent)]
    Inference(#[from] wuji_inference::InferenceError),
    /// From `wuji-evaluation`.
    #[error(transparent)]
    Evaluation(#[from] wuji_evaluation::EvaluationError),
    /// From a model behind the protocol.
    #[error(transparent)]
    TextModel(#[from] wuji_protocol::TextModelError),
    /// A report could not be rendered: a bug of this crate.
    #[error("rendering {what}: {reason}")]
    Render {
        /// Which document.
        what: &'static str,
        /// Why.
        reason: String,
    },
}

impl WujiError {
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
        source: std::io::Error,
    ) -> Self {
        Self::Io { action, path: path.into(), source }
    }

    pub(crate) fn input(path: impl Into<PathBuf>, problem: impl Into<String>) -> Self {
        Self::Input { path: path.into(), problem: problem.into() }
    }

    pub(crate) fn config(origin: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Config { origin: origin.into(), problem: problem.into() }
    }
}
