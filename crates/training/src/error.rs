//! What can go wrong while training.

use std::path::PathBuf;

use thiserror::Error;

use crate::OptimizerKind;

/// An error of this crate; every variant says where.
#[derive(Debug, Error)]
pub enum TrainingError {
    /// A config value makes no sense.
    #[error("training.{key} = {found}: expected {expected}")]
    InvalidConfig {
        /// The key, without its section.
        key: &'static str,
        /// Its value.
        found: String,
        /// What would do.
        expected: String,
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
    /// A checkpoint is unusable.
    #[error("checkpoint {path}: {reason}")]
    BadCheckpoint {
        /// The checkpoint's directory or the file in it.
        path: PathBuf,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A run is to go on with another optimiser than the one whose state was kept.
    #[error(
        "checkpoint {path} holds the state of {stored}, but training.optimizer is {configured}; resume with {stored}, \
         or start a new run"
    )]
    OtherOptimizer {
        /// The checkpoint.
        path: PathBuf,
        /// What it was written with.
        stored: OptimizerKind,
        /// What the config says.
        configured: OptimizerKind,
    },
    /// Another process trains in this directory.
    #[error(
        "{path} is in use by another run (process {owner}); choose another --out or wait for it"
    )]
    RunInUse {
        /// The run directory.
        path: PathBuf,
        /// The process that holds it, as it wrote itself down.
        owner: String,
    },
    /// A loss or gradient was infinite or not a number, and the policy is to stop.
    #[error(
        "step {step}: {what} is not finite (loss {loss}, gradient norm {grad_norm}). The weights are as \
         they were before this step; the batch is in {}. Lower training.learning_rate, \
         set training.max_grad_norm, or set training.on_non_finite = \"skip\"",
        batch.as_ref().map_or("the data order".to_string(), |path| path.display().to_string())
    )]
    NonFinite {
        /// The optimiser step, from 0.
        step: u64,
        /// "loss" or "gradient norm".
        what: &'static str,
        /// The loss.
        loss: f64,
        /// The gradient norm.
        grad_norm: f64,
        /// Where the offending batch was written.
        batch: Option<PathBuf>,
    },
    /// Too many steps in a row were skipped as not finite.
    #[error("step {step}: {skipped} steps in a row were not finite; training cannot go on")]
    TooManySkipped {
        /// The last of them.
        step: u64,
        /// How many.
        skipped: u32,
    },
    /// An objective makes batches of another kind than the model takes.
    #[error("the objective {objective} is not for this kind of model")]
    WrongBatch {
        /// The objective's name.
        objective: String,
    },
    /// The model could not be built, read or written.
    #[error(transparent)]
    Model(#[from] wuji_model::ModelError),
    /// Data could not be read.
    #[error(transparent)]
    Data(#[from] wuji_data::DataError),
    /// An observer failed, e.g. because the disk is full.
    #[error("{what}: {source}")]
    Observer {
        /// What it was doing.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
}

impl TrainingError {
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
        source: std::io::Error,
    ) -> Self {
        Self::Io { action, path: path.into(), source }
    }
}
