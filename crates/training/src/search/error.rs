//! What can go wrong while searching.

use std::path::PathBuf;

use thiserror::Error;

/// An error of the search; every variant says where.
#[derive(Debug, Error)]
pub enum SearchError {
    /// A text is not TOML at all.
    #[error("the search space is not TOML: {reason}")]
    NotToml {
        /// The parser's answer, with line and column.
        reason: String,
    },
    /// A key of a space or of a study's settings makes no sense.
    #[error("{key}: expected {expected}, got {found}")]
    Invalid {
        /// The key, from the top of the file.
        key: String,
        /// What would do.
        expected: String,
        /// What there is.
        found: String,
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
    /// A whole line of a journal does not belong there: somebody else wrote it, or the disk lost it.
    #[error("{path}:{line}: {reason}")]
    BadJournal {
        /// The journal.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// Another process searches in this directory.
    #[error(
        "{path} is in use by another search (process {owner}); choose another --out or wait for it"
    )]
    InUse {
        /// The directory.
        path: PathBuf,
        /// The process that holds it, as it wrote itself down.
        owner: String,
    },
    /// The directory already holds a study.
    #[error(
        "{path} already holds a search; continue it with --resume {path}, or choose another --out"
    )]
    Exists {
        /// The directory.
        path: PathBuf,
    },
    /// The directory holds no study.
    #[error("{path} holds no search to resume: {reason}")]
    NoStudy {
        /// The directory.
        path: PathBuf,
        /// What is missing.
        reason: String,
    },
    /// A report or a result came for a trial that is not running.
    #[error("trial {number}: expected {expected}, got one that is {found}")]
    WrongState {
        /// The trial.
        number: u64,
        /// The state that it should be in.
        expected: &'static str,
        /// The state that it is in.
        found: &'static str,
    },
}

impl SearchError {
    pub(super) fn invalid(
        key: impl Into<String>,
        expected: impl Into<String>,
        found: impl ToString,
    ) -> Self {
        Self::Invalid { key: key.into(), expected: expected.into(), found: found.to_string() }
    }

    pub(super) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
        source: std::io::Error,
    ) -> Self {
        Self::Io { action, path: path.into(), source }
    }
}
