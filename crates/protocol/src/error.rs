//! What can go wrong at the seam between a model and its users.

use std::fmt;

/// An option outside its range: which, what it was, and what is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidOption {
    /// Name of the option, as in [`GenerateOptions`](crate::GenerateOptions).
    pub option: &'static str,
    /// The value given.
    pub got: String,
    /// The values allowed.
    pub expected: &'static str,
}

impl fmt::Display for InvalidOption {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} is {}, expected {}", self.option, self.got, self.expected)
    }
}

/// Why a [`TextModel`](crate::TextModel) could not answer.
#[derive(Debug, thiserror::Error)]
pub enum TextModelError {
    /// One or more options of a request are outside their range; all of them are listed.
    #[error("invalid generation options: {}", join(.problems))]
    InvalidOptions {
        /// Every problem found, in the order of the options.
        problems: Vec<InvalidOption>,
    },
    /// A request cannot be answered by this model, whatever its options.
    #[error("request {index}: {reason}")]
    InvalidRequest {
        /// Which request of the batch, counted from 0.
        index: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The model has no such ability.
    #[error("this model does not support {what}")]
    Unsupported {
        /// The ability asked for.
        what: &'static str,
    },
    /// The model itself failed.
    #[error("the model failed: {0}")]
    Model(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl TextModelError {
    /// Wraps the error of a model implementation.
    pub fn model(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Model(source.into())
    }
}

fn join(problems: &[InvalidOption]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
