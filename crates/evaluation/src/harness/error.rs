//! What can be wrong with a task, its data, or a model's answers.

use std::path::PathBuf;

use thiserror::Error;
use wuji_data::DataError;
use wuji_protocol::TextModelError;

use crate::EvaluationError;

/// An error of the harness; every variant says where.
#[derive(Debug, Error)]
pub enum HarnessError {
    /// A task file is wrong.
    #[error("task {task}, {key}: {reason}")]
    Task {
        /// The task.
        task: String,
        /// The key in its file.
        key: String,
        /// What is wrong, expected and found.
        reason: String,
    },
    /// A record does not fit its task.
    #[error("task {task}, record {record}, {key}: {reason}")]
    Record {
        /// The task.
        task: String,
        /// The record, from 1, of those that `only` leaves.
        record: usize,
        /// The key of the task file that was being worked out.
        key: String,
        /// What is wrong, expected and found.
        reason: String,
    },
    /// There is no task or suite of this name.
    #[error("no task or suite {name:?}{}", .nearest.as_ref().map(|name| format!("; did you mean {name:?}?")).unwrap_or_default())]
    Unknown {
        /// What was asked for.
        name: String,
        /// The nearest name there is.
        nearest: Option<String>,
    },
    /// Data cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The model failed.
    #[error(transparent)]
    Model(#[from] TextModelError),
    /// A score cannot be worked out.
    #[error("task {task}: {source}")]
    Score {
        /// The task.
        task: String,
        /// Why.
        source: EvaluationError,
    },
    /// A floor cannot be trained.
    #[error("task {task}, floor {floor}: {reason}")]
    Floor {
        /// The task.
        task: String,
        /// The floor.
        floor: &'static str,
        /// Why.
        reason: String,
    },
    /// The file system refused.
    #[error("cannot {action} {path}: {source}", path = path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// A file of results is not one.
    #[error("{path}: {reason}", path = path.display())]
    Results {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}
