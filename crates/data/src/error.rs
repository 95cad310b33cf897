//! Everything that can go wrong between a corpus and a batch, each message with its *where*.

use std::io;
use std::path::{Path, PathBuf};

use crate::encoder::BoxError;
use crate::source::Origin;
use crate::split::Split;

/// Result of this crate's operations.
pub type Result<T, E = DataError> = std::result::Result<T, E>;

/// An error in a corpus, a shard or an option.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The file system refused.
    #[error("cannot {action} {path}: {source}", path = path.display())]
    Io {
        /// What was being done, as a verb: `read`, `create`, `map`…
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// A path that was asked for does not exist.
    #[error("{path}: no such file or directory", path = path.display())]
    NotFound {
        /// The path as given.
        path: PathBuf,
    },
    /// A directory or glob pattern holds no file of a supported format.
    #[error("{pattern}: no file found ({supported}, plain or .gz)")]
    NoFiles {
        /// The directory or the glob pattern.
        pattern: String,
        /// The file name extensions that are looked for.
        supported: &'static str,
    },
    /// A file has no bytes.
    #[error("{path}: the file is empty", path = path.display())]
    EmptyFile {
        /// The file.
        path: PathBuf,
    },
    /// A file that should be text is not.
    #[error("{path}: not a text file ({found})", path = path.display())]
    BinaryFile {
        /// The file.
        path: PathBuf,
        /// What gave it away, and what to do if known.
        found: String,
    },
    /// A file's extension does not say which format it has.
    #[error("{path}: unknown format; expected {supported}, plain or .gz, or set `format`", path = path.display())]
    UnknownFormat {
        /// The file.
        path: PathBuf,
        /// The extensions that are understood.
        supported: &'static str,
    },
    /// Text is not UTF-8.
    #[error("{path}: invalid UTF-8 at byte {offset} of the text; convert the file, or read it lossily (--lossy)", path = path.display())]
    InvalidUtf8 {
        /// The file.
        path: PathBuf,
        /// Offset of the first offending byte, after decompression.
        offset: u64,
    },
    /// A record lacks the field that holds the text.
    #[error("{origin}: no field {field:?}; found {found}", found = quoted(found))]
    MissingField {
        /// The record, or the header.
        origin: Origin,
        /// The field that was asked for.
        field: String,
        /// The fields that are there.
        found: Vec<String>,
    },
    /// The text field holds something other than text.
    #[error("{origin}: field {field:?} is {found}, expected text")]
    FieldNotText {
        /// The record.
        origin: Origin,
        /// The field.
        field: String,
        /// What it holds.
        found: String,
    },
    /// A record could not be parsed.
    #[error("{origin}: {reason}")]
    InvalidRecord {
        /// The record.
        origin: Origin,
        /// The parser's reason.
        reason: String,
    },
    /// No document has any text.
    #[error("the corpus has no text: {sources}")]
    EmptyCorpus {
        /// The sources that were read.
        sources: String,
    },
    /// The two sides of pairs have different numbers of texts.
    #[error("pairs are not aligned: {sources} in {source_paths}, but {targets} in {target_paths}")]
    Unaligned {
        /// The files of the sources.
        source_paths: String,
        /// How many there are.
        sources: usize,
        /// The files of the targets.
        target_paths: String,
        /// How many there are.
        targets: usize,
    },
    /// An option has a value that cannot work.
    #[error("{key}: {reason}")]
    InvalidOption {
        /// The option, as in the configuration file.
        key: String,
        /// What is wrong with it, expected and got.
        reason: String,
    },
    /// One side of the split received nothing.
    #[error("the {split} split is empty: {reason}")]
    EmptySplit {
        /// The empty side.
        split: Split,
        /// Why, and what to do.
        reason: String,
    },
    /// The tokenizer failed.
    #[error("{origin}: cannot tokenize: {source}")]
    Encode {
        /// The document.
        origin: Origin,
        /// The tokenizer's error.
        source: BoxError,
    },
    /// The tokenizer gave an id outside its own vocabulary.
    #[error("{path}: token id {id} is outside the vocabulary of {vocab_size}", path = path.display())]
    TokenOutOfRange {
        /// The shard being written.
        path: PathBuf,
        /// The id.
        id: u32,
        /// The size that the tokenizer declares.
        vocab_size: usize,
    },
    /// A file is not a token shard.
    #[error("{path}: not a token shard: {found}", path = path.display())]
    NotAShard {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        found: String,
    },
    /// A shard ends before its header says.
    #[error("{path}: truncated token shard: expected {expected} bytes, got {found}", path = path.display())]
    TruncatedShard {
        /// The shard.
        path: PathBuf,
        /// Its size according to its header.
        expected: u64,
        /// Its size on disk.
        found: u64,
    },
    /// A shard's content disagrees with its checksum.
    #[error("{path}: corrupt token shard: {what}; delete it and prepare the data again", path = path.display())]
    CorruptShard {
        /// The shard.
        path: PathBuf,
        /// Which part, expected and got.
        what: String,
    },
    /// A shard was written with another tokenizer.
    #[error("{path}: written with tokenizer {found}, but this one is {expected}; prepare the data again", path = path.display())]
    WrongTokenizer {
        /// The shard.
        path: PathBuf,
        /// Fingerprint of the tokenizer in use.
        expected: String,
        /// Fingerprint in the shard.
        found: String,
    },
    /// The text is shorter than one training window.
    #[error(
        "a context of {context} tokens needs at least {needed} tokens of text, but {what} has {tokens}; use a shorter context or more text",
        needed = context + 1
    )]
    ContextTooLong {
        /// The split or source.
        what: String,
        /// The window length asked for.
        context: usize,
        /// Tokens that are there.
        tokens: u64,
    },
    /// The text has no token to predict from another.
    #[error(
        "{what} has {tokens} token(s); a language model needs at least 2, one to predict the next from"
    )]
    TooFewTokens {
        /// The split or source.
        what: String,
        /// Tokens that are there.
        tokens: u64,
    },
    /// An index is past the end.
    #[error("{what} {index} is out of range: there are {len}")]
    OutOfRange {
        /// What was indexed.
        what: &'static str,
        /// The index.
        index: u64,
        /// How many there are.
        len: u64,
    },
    /// The description of a prepared corpus cannot be read.
    #[error("{path}: bad manifest: {reason}", path = path.display())]
    BadManifest {
        /// The manifest.
        path: PathBuf,
        /// The parser's reason.
        reason: String,
    },
    /// A background thread could not be started, or ended without a result.
    #[error("the batch prefetching thread failed: {reason}")]
    Prefetch {
        /// Why.
        reason: String,
    },
}

impl DataError {
    /// Wraps an operating system error; a missing file gets its own, shorter variant.
    pub(crate) fn io(action: &'static str, path: impl AsRef<Path>, source: io::Error) -> Self {
        let path = path.as_ref().to_path_buf();
        if source.kind() == io::ErrorKind::NotFound && matches!(action, "open" | "read") {
            return Self::NotFound { path };
        }
        Self::Io { action, path, source }
    }
}

fn quoted(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    let quoted: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    quoted.join(", ")
}
