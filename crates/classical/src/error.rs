//! What can go wrong in this crate, always with the place.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::embeddings::VectorFilePlace;
use crate::ngram::{MAX_ORDER, MAX_VOCAB_SIZE};

/// An error of the classical language models.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ClassicalError {
    /// The order is outside the supported range, or larger than what was counted.
    #[error("n-gram order must be from 1 to {max}, got {order}")]
    Order {
        /// The order asked for.
        order: usize,
        /// The largest order possible here: [`MAX_ORDER`], or the order of the counts.
        max: usize,
    },
    /// The range of orders to choose from is empty.
    #[error(
        "no n-gram order to choose from: the range is {start} to {end} (within 1 to {MAX_ORDER})"
    )]
    EmptyOrderRange {
        /// First order of the range.
        start: usize,
        /// Last order of the range.
        end: usize,
    },
    /// The vocabulary leaves nothing to predict, or is absurdly large.
    #[error("vocabulary size must be from {min} to {MAX_VOCAB_SIZE}, got {vocab_size}")]
    VocabSize {
        /// The size asked for.
        vocab_size: usize,
        /// The smallest size that works with these boundaries.
        min: usize,
    },
    /// The begin- or end-of-sentence id does not fit the vocabulary.
    #[error("{role} id {token} does not fit a vocabulary of {vocab_size} tokens: {expected}")]
    BoundaryToken {
        /// `bos` or `eos`.
        role: &'static str,
        /// The id given.
        token: u32,
        /// The size of the vocabulary.
        vocab_size: usize,
        /// What would be right.
        expected: &'static str,
    },
    /// There is nothing to learn from.
    #[error("no training tokens: {documents} documents were given and all of them are empty")]
    EmptyCorpus {
        /// How many (empty) documents there were.
        documents: usize,
    },
    /// A token id is not in the vocabulary.
    #[error(
        "token id {token} at position {position} of document {document} is outside the vocabulary of {vocab_size} tokens"
    )]
    TokenOutOfRange {
        /// Which document, from 0.
        document: usize,
        /// Which token of it, from 0.
        position: usize,
        /// The id found.
        token: u32,
        /// The size of the vocabulary.
        vocab_size: usize,
    },
    /// A document holds the begin-of-sentence id, which the model itself puts in front.
    #[error(
        "token id {token} at position {position} of document {document} is the begin-of-sentence id, which is added by the model and must not be in the documents"
    )]
    ReservedToken {
        /// Which document, from 0.
        document: usize,
        /// Which token of it, from 0.
        position: usize,
        /// The id found.
        token: u32,
    },
    /// Positions are 32-bit numbers to keep the tables small.
    #[error(
        "at least {tokens} training tokens at order {order} are more than the n-gram tables can number ({limit}): use a lower order or a part of the text"
    )]
    CorpusTooLarge {
        /// Tokens read when the limit was met.
        tokens: usize,
        /// The order asked for.
        order: usize,
        /// How many n-grams can be numbered.
        limit: usize,
    },
    /// Count cut-offs that are zero or fall with the order.
    #[error(
        "count cut-offs by order must be at least 1 and not fall from one order to the next, got {min_counts:?}"
    )]
    MinCounts {
        /// The cut-offs given, order 1 first.
        min_counts: Vec<u32>,
    },
    /// The factor of stupid back-off is no proper factor.
    #[error("the back-off factor must be above 0 and at most 1, got {factor}")]
    BackoffFactor {
        /// The factor given.
        factor: f64,
    },
    /// The threshold of pruning is below zero or not a number.
    #[error("the pruning threshold must be a finite number of at least 0, got {threshold}")]
    PruneThreshold {
        /// The threshold given.
        threshold: f64,
    },
    /// A list of words cannot name the tokens of a model in a file.
    #[error("word {word:?} of token {token}: expected {expected}")]
    Word {
        /// Which token, from 0.
        token: usize,
        /// Its word.
        word: String,
        /// What would be right.
        expected: &'static str,
    },
    /// A vocabulary does not have as many words as the model needs.
    #[error("a vocabulary of {words} words for a model that needs {expected}")]
    Words {
        /// Words there are.
        words: usize,
        /// Words there must be: one for each token, and one for a `bos` beside them.
        expected: usize,
    },
    /// An ARPA file does not say what it should.
    #[error("{path}, line {line}: expected {expected}, got {got}", path = .path.display())]
    Arpa {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What should be there.
        expected: String,
        /// What is there.
        got: String,
    },
    /// A file could not be read or written.
    #[error("cannot {action} {path}: {source}", path = .path.display())]
    Io {
        /// What was tried, such as `open`.
        action: &'static str,
        /// The file, or the directory of a temporary one.
        path: PathBuf,
        /// The reason.
        source: IoError,
    },
    /// Not one label for each row, or no rows.
    #[error("{labels} labels for {rows} rows: expected one each, and at least one")]
    Labels {
        /// Rows of features.
        rows: usize,
        /// Labels.
        labels: usize,
    },
    /// A label that is no class, or too few classes to tell apart.
    #[error("row {row} has the label {label}: expected one below {classes}, of at least 2 classes")]
    Label {
        /// Which row, from 0.
        row: usize,
        /// The label found.
        label: usize,
        /// The number of classes.
        classes: usize,
    },
    /// What is added to counts.
    #[error("smoothing of {alpha}: expected a positive number")]
    Smoothing {
        /// The number given.
        alpha: f64,
    },
    /// Numbers that are no distribution.
    #[error("{what}: {found}; expected {expected} that are not negative and sum to 1")]
    Distribution {
        /// Whose.
        what: String,
        /// What was given.
        found: String,
        /// How many there should be.
        expected: usize,
    },
    /// An option with a value that makes no sense.
    #[error("{name} of {found}: expected {expected}")]
    Setting {
        /// Which option.
        name: &'static str,
        /// Its value.
        found: f64,
        /// What would be right.
        expected: &'static str,
    },
    /// Not one vector for each word.
    #[error("{values} numbers for {words} words: expected {dim} each, and at least one word")]
    VectorShape {
        /// Words.
        words: usize,
        /// Numbers of a vector.
        dim: usize,
        /// Numbers in all.
        values: usize,
    },
    /// Two vectors of one word.
    #[error("the words {first} and {second} are both {word:?}: expected each word once")]
    RepeatedWord {
        /// The word.
        word: String,
        /// Where it is first, from 0.
        first: usize,
        /// Where it is again.
        second: usize,
    },
    /// A vector with a number that is infinite or none.
    #[error("the vector of {word:?} has the number {found}: expected finite ones")]
    NotFinite {
        /// Whose vector.
        word: String,
        /// The number.
        found: f32,
    },
    /// A word without a vector.
    #[error("no vector for {word:?}")]
    UnknownWord {
        /// The word.
        word: String,
    },
    /// A word that the word2vec formats cannot hold.
    #[error("cannot write {word:?}: a word of a vector file is not empty and holds no white space")]
    UnwritableWord {
        /// The word.
        word: String,
    },
    /// A file that cannot be read.
    #[error("cannot read {path}: {kind}")]
    ReadFile {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        kind: std::io::ErrorKind,
    },
    /// A file that cannot be written.
    #[error("cannot write {path}: {kind}")]
    WriteFile {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        kind: std::io::ErrorKind,
    },
    /// A vector file that is not what it should be.
    #[error("{path}, {place}: expected {expected}, got {found}")]
    VectorFile {
        /// Which file.
        path: PathBuf,
        /// The line of a text file, the byte of a binary one.
        place: VectorFilePlace,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A sequence without symbols.
    #[error("an empty sequence: expected at least one symbol")]
    EmptySequence,
    /// A symbol outside the model's.
    #[error("symbol {symbol} at position {position}: expected one below {symbols}")]
    Symbol {
        /// Where, from 0.
        position: usize,
        /// The symbol found.
        symbol: usize,
        /// The number of symbols.
        symbols: usize,
    },
    /// A state outside the model's.
    #[error("state {state} at position {position}: expected one below {states}")]
    State {
        /// Where, from 0.
        position: usize,
        /// The state found.
        state: usize,
        /// The number of states.
        states: usize,
    },
    /// Not as many scores as there should be.
    #[error("{found} {what}: expected {expected}")]
    ScoreCount {
        /// Which.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// A score that no sum can hold.
    #[error("number {at} of the {what} is {score}: expected a number or -inf")]
    ScoreValue {
        /// Which.
        what: &'static str,
        /// Where, from 0.
        at: usize,
        /// The score.
        score: f64,
    },
    /// Sequences that are not what the rows are of.
    #[error("sequences of {sum} positions in all for {rows} rows: expected as many")]
    Lengths {
        /// Positions of all sequences.
        sum: usize,
        /// Rows of features.
        rows: usize,
    },
    /// What large weights cost.
    #[error("an L2 penalty of {l2}: expected a number from 0 on")]
    Penalty {
        /// The number given.
        l2: f64,
    },
    /// A tag that is not of a span.
    #[error("tag {tag:?} at position {position}: expected O, or B- or I- and a kind")]
    Tag {
        /// Where, from 0.
        position: usize,
        /// The tag found.
        tag: String,
    },
    /// A feature template that cannot be read.
    #[error(
        "feature template {text:?}: expected PROPERTY[DISTANCE], or several with + between, where a property \
         is word, lower, shape, outline, classes, prefixN, suffixN or, alone, runN"
    )]
    Template {
        /// The template.
        text: String,
    },
    /// A row of a table that has not a cell for every column.
    #[error("row {row} of the table has {found} cells: expected {expected}")]
    TableRow {
        /// Which row, from 0.
        row: usize,
        /// Its cells.
        found: usize,
        /// Columns of the table.
        expected: usize,
    },
    /// A cell of a column of numbers that is none.
    #[error("row {row}, column {column:?}: {text:?} is no finite number and not marked as missing")]
    TableCell {
        /// Which row, from 0.
        row: usize,
        /// Name of the column.
        column: String,
        /// What is in the cell.
        text: String,
    },
    /// Options of gradient boosting that make no sense, in the words of the library behind it.
    #[error("gradient boosting cannot be fitted: {reason}")]
    Boosting {
        /// What is wrong.
        reason: String,
    },
    /// The held-out fraction is not a proper fraction.
    #[error("held-out fraction must be above 0 and below 1, got {fraction}")]
    HeldoutFraction {
        /// The fraction given.
        fraction: f64,
    },
    /// One side of the split would be empty.
    #[error(
        "cannot hold out a fraction of {fraction} of {tokens} training tokens in {documents} documents: one side would be empty"
    )]
    HeldoutSplit {
        /// The fraction given.
        fraction: f64,
        /// Training tokens there are.
        tokens: usize,
        /// Documents there are.
        documents: usize,
    },
}

impl ClassicalError {
    pub(crate) fn io(action: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::Io { action, path: path.to_owned(), source: IoError(Arc::new(source)) }
    }
}

/// The operating system's reason. Two are equal when they are of the same kind, so that errors of
/// this crate can be compared and cloned.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct IoError(Arc<std::io::Error>);

impl IoError {
    /// The kind of the error.
    pub fn kind(&self) -> std::io::ErrorKind {
        self.0.kind()
    }
}

impl PartialEq for IoError {
    fn eq(&self, other: &Self) -> bool {
        self.kind() == other.kind()
    }
}
