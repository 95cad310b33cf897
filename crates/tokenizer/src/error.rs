//! The one error type of this crate. Every message says where: file, line or byte offset, and what was expected.

use std::path::PathBuf;

use crate::tokenizer::PipelineError;

/// What can go wrong when a tokenizer is trained, loaded, used or saved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenizerError {
    /// A file could not be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system or the decompressor said.
        source: std::io::Error,
    },

    /// A file could not be written; nothing that was there before is lost.
    #[error("cannot write {path}: {source}")]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },

    /// A file had no content.
    #[error("{path} is empty: expected a tokenizer")]
    EmptyFile {
        /// The file.
        path: PathBuf,
    },

    /// A directory held no file that this crate can read a tokenizer from.
    #[error("no tokenizer in directory {path}: looked for {looked_for}")]
    NoTokenizerInDirectory {
        /// The directory.
        path: PathBuf,
        /// The file names that would have been taken.
        looked_for: &'static str,
    },

    /// A directory held several tokenizers and none has precedence.
    #[error("directory {path} holds several tokenizers ({}): name the file", candidates.join(", "))]
    AmbiguousDirectory {
        /// The directory.
        path: PathBuf,
        /// The files that could have been meant.
        candidates: Vec<String>,
    },

    /// A file was not in any format that this crate reads.
    #[error("{path} is not a tokenizer: {reason}; readable are {}", crate::load::READABLE)]
    UnrecognizedFormat {
        /// The file.
        path: PathBuf,
        /// What the content looked like.
        reason: String,
    },

    /// A format of several files lacked one of them.
    #[error("{path} needs {missing} beside it")]
    MissingCompanion {
        /// The file that was given.
        path: PathBuf,
        /// The file that was looked for.
        missing: PathBuf,
    },

    /// A text file held bytes that are not UTF-8.
    #[error("{path} is not UTF-8 text: invalid byte at offset {offset}")]
    InvalidUtf8 {
        /// The file.
        path: PathBuf,
        /// Offset of the first invalid byte (after decompression).
        offset: usize,
    },

    /// A JSON file did not parse.
    #[error("{path}:{line}:{column}: invalid JSON: {message}")]
    Json {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What the parser said.
        message: String,
    },

    /// A tokenizer description parsed but contradicts itself.
    #[error("{path}: {field}: {message}")]
    InvalidDescription {
        /// The file.
        path: PathBuf,
        /// The key or entry, for example `model.merges[12]`.
        field: String,
        /// What was expected and what was there.
        message: String,
    },

    /// A binary file was cut short or is damaged.
    #[error("{path} is a damaged {format} file: at byte {offset}: {message}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The format that was being read.
        format: &'static str,
        /// Byte offset (after decompression) of the problem.
        offset: u64,
        /// What was expected and what was there.
        message: String,
    },

    /// A vocabulary named the same token twice.
    #[error("{path}:{line}: token {token:?} was already given at line {first_line}")]
    DuplicateToken {
        /// The file.
        path: PathBuf,
        /// Line of the repetition, from 1.
        line: usize,
        /// Line of the first occurrence, from 1.
        first_line: usize,
        /// The token.
        token: String,
    },

    /// A line of a merges file was not a usable merge rule.
    #[error("{path}:{line}: merge rule {text:?} {reason}")]
    BadMerge {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// The line.
        text: String,
        /// Why it cannot be used.
        reason: String,
    },

    /// A trainer configuration cannot be used; all problems are listed.
    #[error("tokenizer configuration: {}", problems.join("; "))]
    InvalidConfig {
        /// One sentence per problem, starting with the key.
        problems: Vec<String>,
    },

    /// There was nothing to learn from.
    #[error("the training corpus is empty: {texts} texts with {bytes} bytes gave no {unit}")]
    EmptyCorpus {
        /// Number of texts seen.
        texts: u64,
        /// Number of bytes seen.
        bytes: u64,
        /// What was looked for: words or characters.
        unit: &'static str,
    },

    /// The vocabulary cannot hold even the symbols that everything is built from.
    #[error(
        "vocab_size {requested} is too small: {special} special tokens and {alphabet} {unit} need {}",
        special + alphabet
    )]
    VocabularyTooSmall {
        /// The size asked for.
        requested: usize,
        /// Number of special tokens.
        special: usize,
        /// Number of basic symbols.
        alphabet: usize,
        /// What the basic symbols are.
        unit: &'static str,
    },

    /// The model could not be trained.
    #[error("training the tokenizer failed: {source}")]
    Train {
        /// What the `tokenizers` crate said.
        source: PipelineError,
    },

    /// A character vocabulary without an unknown token met a character it lacks.
    #[error(
        "character {character:?} (U+{:04X}) at byte {offset} is not in the vocabulary of {vocab_size} tokens; \
         train with it in the corpus or with an unknown token (special_tokens = [\"<unk>\"])",
        u32::from(*character)
    )]
    UnknownCharacter {
        /// The character.
        character: char,
        /// Its byte offset in the text.
        offset: usize,
        /// Size of the vocabulary.
        vocab_size: usize,
    },

    /// A text could not be encoded.
    #[error("cannot encode the text: {source}")]
    Encode {
        /// What the `tokenizers` crate said.
        source: PipelineError,
    },

    /// Ids could not be decoded.
    #[error("cannot decode the ids: {source}")]
    Decode {
        /// What the `tokenizers` crate said.
        source: PipelineError,
    },

    /// GGUF has no words for a tokenizer of this kind.
    #[error("GGUF cannot hold this tokenizer: {reason}")]
    NotInGguf {
        /// What it lacks words for.
        reason: String,
    },

    /// A batch was asked for with options that contradict the tokenizer.
    #[error("batch options: {message}")]
    InvalidBatch {
        /// What was expected and what was given.
        message: String,
    },
}
