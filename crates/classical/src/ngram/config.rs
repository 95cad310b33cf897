//! The options of an n-gram model and their limits.

use serde::{Deserialize, Serialize};

use crate::ClassicalError;

/// The largest order: beyond it a corpus of any size that fits in memory has only singletons.
pub const MAX_ORDER: usize = 9;

/// The largest vocabulary. The empty context keeps 16 bytes for every token of the vocabulary,
/// seen or not, so the limit turns a mistyped size into an error instead of a failed allocation.
pub const MAX_VOCAB_SIZE: usize = 1 << 24;

/// What is counted, and so what every model of these counts looks like: the order, the vocabulary
/// and the ends of documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NgramConfig {
    /// Tokens per n-gram, 1 to [`MAX_ORDER`]: an order-`n` model looks at `n - 1` tokens of context.
    pub order: usize,
    /// Token ids are `0..vocab_size`; a distribution has this many entries.
    pub vocab_size: usize,
    /// What happens at the ends of documents. Default: [`Boundaries::Stream`].
    #[serde(default)]
    pub boundaries: Boundaries,
}

/// The name from when Kneser–Ney was the only smoothing.
pub type KneserNeyConfig = NgramConfig;

/// What happens at the ends of documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Boundaries {
    /// Nothing is added. The first tokens of a document are predicted from as much context as
    /// there is, no n-gram crosses from one document to the next, and the start of a document
    /// counts as one more left neighbour of its first n-grams. The convention for a running
    /// text, and for token streams that already hold their own separators.
    #[default]
    Stream,
    /// The textbook convention for sentences: `order - 1` times `bos` in front and one `eos` behind.
    Sentences {
        /// Stands for the start of a document. It is context only and never predicted: its
        /// probability is zero and it has no share of the uniform distribution. Either
        /// `vocab_size` (an id of its own) or an id of the vocabulary that no document holds.
        bos: u32,
        /// Predicted at the end of every document; `None` predicts no end.
        eos: Option<u32>,
    },
}

impl Boundaries {
    /// The id of the start of a document, if it has one.
    pub(crate) fn bos(&self) -> Option<u32> {
        match *self {
            Self::Stream => None,
            Self::Sentences { bos, .. } => Some(bos),
        }
    }
}

impl NgramConfig {
    /// A model of a running stream ([`Boundaries::Stream`]).
    pub fn new(order: usize, vocab_size: usize) -> Self {
        Self { order, vocab_size, boundaries: Boundaries::Stream }
    }

    /// The same with other document boundaries.
    pub fn with_boundaries(self, boundaries: Boundaries) -> Self {
        Self { boundaries, ..self }
    }

    /// Checks everything that does not depend on the documents.
    pub(crate) fn validate(&self) -> Result<(), ClassicalError> {
        if !(1..=MAX_ORDER).contains(&self.order) {
            return Err(ClassicalError::Order { order: self.order, max: MAX_ORDER });
        }
        let min = match self.boundaries {
            Boundaries::Sentences { bos: 0, .. } => 2, // one to predict beside `bos`
            _ => 1,
        };
        if !(min..=MAX_VOCAB_SIZE).contains(&self.vocab_size) {
            return Err(ClassicalError::VocabSize { vocab_size: self.vocab_size, min });
        }
        match self.boundaries {
            Boundaries::Stream => Ok(()),
            Boundaries::Sentences { bos, eos } => self.validate_sentences(bos, eos),
        }
    }

    fn validate_sentences(&self, bos: u32, eos: Option<u32>) -> Result<(), ClassicalError> {
        let error = |role, token, expected| {
            Err(ClassicalError::BoundaryToken {
                role,
                token,
                vocab_size: self.vocab_size,
                expected,
            })
        };
        if bos as usize > self.vocab_size {
            return error("bos", bos, "expected at most the vocabulary size");
        }
        match eos {
            Some(eos) if eos as usize >= self.vocab_size => {
                error("eos", eos, "expected an id of the vocabulary, since it is predicted")
            }
            Some(eos) if eos == bos => error("eos", eos, "expected another id than bos"),
            _ => Ok(()),
        }
    }

    /// The id that stands for the start of a document inside the tables. In a stream it is one
    /// past the vocabulary and contexts that hold it are left out of the model.
    pub(crate) fn boundary(&self) -> u32 {
        match self.boundaries {
            Boundaries::Stream => self.vocab_size as u32,
            Boundaries::Sentences { bos, .. } => bos,
        }
    }

    /// The part of a context that a model of this order looks at.
    pub(crate) fn used<'a>(&self, context: &'a [u32]) -> &'a [u32] {
        &context[context.len() - context.len().min(self.order - 1)..]
    }

    /// The id predicted at the end of a document, if any.
    pub(crate) fn eos(&self) -> Option<u32> {
        match self.boundaries {
            Boundaries::Stream => None,
            Boundaries::Sentences { eos, .. } => eos,
        }
    }

    /// How many tokens can be predicted: all but a `bos` inside the vocabulary.
    pub(crate) fn predicted_vocab_size(&self) -> usize {
        self.vocab_size - usize::from((self.boundary() as usize) < self.vocab_size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bos_inside_the_vocabulary_is_not_predicted() {
        let sentences = |bos| Boundaries::Sentences { bos, eos: None };
        let config = NgramConfig::new(2, 10);
        assert_eq!(config.predicted_vocab_size(), 10);
        assert_eq!(config.with_boundaries(sentences(10)).predicted_vocab_size(), 10);
        assert_eq!(config.with_boundaries(sentences(3)).predicted_vocab_size(), 9);
    }

    #[test]
    fn wrong_options_are_named() {
        let check = |config: NgramConfig, message: &str| {
            assert_eq!(config.validate().unwrap_err().to_string(), message);
        };
        let sentences = |vocab_size, bos, eos| {
            NgramConfig::new(2, vocab_size).with_boundaries(Boundaries::Sentences { bos, eos })
        };
        check(NgramConfig::new(0, 5), "n-gram order must be from 1 to 9, got 0");
        check(NgramConfig::new(10, 5), "n-gram order must be from 1 to 9, got 10");
        check(NgramConfig::new(2, 0), "vocabulary size must be from 1 to 16777216, got 0");
        check(sentences(1, 0, None), "vocabulary size must be from 2 to 16777216, got 1");
        check(
            sentences(5, 6, None),
            "bos id 6 does not fit a vocabulary of 5 tokens: expected at most the vocabulary size",
        );
        check(
            sentences(5, 5, Some(5)),
            "eos id 5 does not fit a vocabulary of 5 tokens: expected an id of the vocabulary, since it is predicted",
        );
        check(
            sentences(5, 1, Some(1)),
            "eos id 1 does not fit a vocabulary of 5 tokens: expected another id than bos",
        );
    }
}
