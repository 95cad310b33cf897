//! What can be wrong with what a metric is given.

use thiserror::Error;

/// An error of this crate; every variant says where.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum EvaluationError {
    /// There is nothing to measure.
    #[error("{what}: there is nothing to measure")]
    Empty {
        /// What was empty.
        what: &'static str,
    },
    /// Two lists that belong together differ in length.
    #[error("{what}: expected {expected} of them, found {found}")]
    LengthMismatch {
        /// What there is a wrong number of.
        what: String,
        /// How many there should be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A hypothesis has nothing to be compared with.
    #[error("document {document} has no reference")]
    NoReference {
        /// Position of the document, from 0.
        document: usize,
    },
    /// An option is outside of what it can be.
    #[error("option {option}: expected {expected}, found {found}")]
    InvalidOption {
        /// Name of the option.
        option: &'static str,
        /// What it may be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// A label or an index is not below the number of classes or documents.
    #[error("{what} at position {position}: expected less than {bound}, found {found}")]
    OutOfRange {
        /// What is out of range.
        what: &'static str,
        /// Where it stands, from 0.
        position: usize,
        /// What it must stay below.
        bound: usize,
        /// What it is.
        found: usize,
    },
    /// A number is not one that the measure can use.
    #[error("{what} at position {position}: expected {expected}, found {found}")]
    InvalidValue {
        /// What the number is.
        what: &'static str,
        /// Where it stands, from 0.
        position: usize,
        /// What it may be.
        expected: &'static str,
        /// What it is.
        found: f64,
    },
    /// The figure does not exist for this data.
    #[error("{what} is undefined: {reason}")]
    Undefined {
        /// The figure.
        what: &'static str,
        /// Why it does not exist.
        reason: &'static str,
    },
    /// A tag does not belong to the tagging scheme.
    #[error("sentence {sentence}, token {token}: expected a tag of {scheme}, found {found:?}")]
    BadTag {
        /// Position of the sentence, from 0.
        sentence: usize,
        /// Position of the token in the sentence, from 0.
        token: usize,
        /// The scheme.
        scheme: &'static str,
        /// The tag.
        found: String,
    },
}

/// What functions of this crate return.
pub type Result<T> = std::result::Result<T, EvaluationError>;

/// Errs unless there are `expected` of `what`.
pub(crate) fn same_length(what: &str, expected: usize, found: usize) -> Result<()> {
    if expected == found {
        return Ok(());
    }
    Err(EvaluationError::LengthMismatch { what: what.to_owned(), expected, found })
}

/// Errs if there is none of `what`.
pub(crate) fn not_empty(what: &'static str, len: usize) -> Result<()> {
    if len == 0 { Err(EvaluationError::Empty { what }) } else { Ok(()) }
}

/// Errs at the first value that is not finite.
pub(crate) fn all_finite(what: &'static str, values: &[f64]) -> Result<()> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(position) => Err(EvaluationError::InvalidValue {
            what,
            position,
            expected: "a finite number",
            found: values[position],
        }),
    }
}
