//! What can go wrong with data sets: their manifests, their files, and the way from the network to the disk.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::fingerprint::Fingerprint;

/// An error of the catalogue. No message names a host: what a user can act on is the data set.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogueError {
    /// A manifest is not TOML, lacks a key or has one that nobody reads.
    #[error("{path}: {source}")]
    Toml {
        /// The manifest.
        path: String,
        /// The parser's reason, with line and column.
        source: Box<toml::de::Error>,
    },
    /// A manifest contradicts itself or its folder; all problems at once.
    #[error("{path}: {}", problems.join("; "))]
    Invalid {
        /// The manifest.
        path: String,
        /// Everything that is wrong.
        problems: Vec<String>,
    },
    /// A folder of data sets holds none.
    #[error("{}: no data set found; expected folders that hold a manifest.toml", path.display())]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// No data set has this id.
    #[error("no data set is called {id:?}{}", suggestion.as_ref().map(|name| format!("; did you mean {name:?}?")).unwrap_or_default())]
    Unknown {
        /// The id that was asked for.
        id: String,
        /// The nearest id there is, if one is near.
        suggestion: Option<String>,
    },
    /// A data set has no column that is running text.
    #[error("data set {id:?} is no plain text corpus (its records: {columns})")]
    NoText {
        /// The data set.
        id: String,
        /// What its records are.
        columns: String,
    },
    /// A file of a data set is not under the data root.
    #[error(
        "data set {id:?}: {} is missing; get it with `wuji data fetch {id}` or point --data-root at a copy of the data sets",
        path.display()
    )]
    Missing {
        /// The data set.
        id: String,
        /// Where the file should be.
        path: PathBuf,
    },
    /// Nothing of a data set can be had from its source as it is.
    #[error("data set {id:?} cannot be fetched: {steps}; point --data-root at a local copy")]
    NeedsLocalCopy {
        /// The data set.
        id: String,
        /// What was done to the source, per file.
        steps: String,
    },
    /// The source of a data set did not answer.
    #[error(
        "cannot reach the source of data set {id:?} for {file}: {reason}; check the network, or point --data-root at a local copy"
    )]
    Offline {
        /// The data set.
        id: String,
        /// The file.
        file: String,
        /// What the network said.
        reason: String,
    },
    /// The source broke off too often.
    #[error(
        "the download of {file} of data set {id:?} broke off after {received} of {expected} bytes: {reason}; run the command again to go on from there"
    )]
    Interrupted {
        /// The data set.
        id: String,
        /// The file.
        file: String,
        /// Bytes that are kept in the partial file.
        received: u64,
        /// Bytes that the file has.
        expected: u64,
        /// What the network said.
        reason: String,
    },
    /// The source refused.
    #[error(
        "the source of data set {id:?} answered {status} for {file}; it may have moved: point --data-root at a local copy"
    )]
    Status {
        /// The data set.
        id: String,
        /// The file.
        file: String,
        /// The HTTP status.
        status: u16,
    },
    /// The source sent something else than the manifest promises; nothing was kept.
    #[error(
        "{file} of data set {id:?} is not what the manifest promises: expected {expected}, got {found}; nothing was kept"
    )]
    WrongContent {
        /// The data set.
        id: String,
        /// The file.
        file: String,
        /// Hash or size in the manifest.
        expected: String,
        /// Hash or size that was received.
        found: String,
    },
    /// The proxy given in the options is not a URL.
    #[error("the proxy {proxy:?} is not a valid URL")]
    Proxy {
        /// The proxy.
        proxy: String,
    },
    /// The file system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was being done, as a verb.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// A file could not be read to its end.
    #[error(transparent)]
    Read(Box<DataError>),
}

impl CatalogueError {
    /// For `map_err`: wraps an operating system error with what was being done to which path.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_path_buf();
        move |source| Self::Io { action, path, source }
    }

    pub(super) fn wrong_hash(
        id: &str,
        file: &str,
        expected: Fingerprint,
        found: Fingerprint,
    ) -> Self {
        Self::WrongContent {
            id: id.to_owned(),
            file: file.to_owned(),
            expected: format!("sha256 {expected}"),
            found: format!("sha256 {found}"),
        }
    }
}

impl From<DataError> for CatalogueError {
    fn from(error: DataError) -> Self {
        Self::Read(Box::new(error))
    }
}
