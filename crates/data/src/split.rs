//! Which text trains and which validates: decided once, by a rule that anyone can repeat.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use crate::corpus::Corpus;
use crate::error::{DataError, Result};
use crate::random::fraction;
use crate::source::{DocumentPart, DocumentParts, DocumentSource, FileSource, SourceOptions};

/// A side of the split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Split {
    /// Text that the model learns from.
    Train,
    /// Text that is held out.
    Validation,
}

impl fmt::Display for Split {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Train => "train",
            Self::Validation => "validation",
        })
    }
}

/// How a corpus is split.
///
/// ```
/// use wuji_data::SplitOptions;
/// let options: SplitOptions =
///     toml::from_str("kind = 'content-hash'\nvalidation_fraction = 0.05\nseed = 1").unwrap();
/// assert_eq!(options, SplitOptions::ContentHash { validation_fraction: 0.05, seed: 1 });
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum SplitOptions {
    /// The last part of each source validates: the text is cut before character
    /// `floor(characters · (1 − validation_fraction))`, as nanoGPT cuts it. The document in which
    /// the cut falls is divided, so this suits one long text rather than many short ones.
    Position {
        /// Share of the characters that validate, between 0 and 1.
        validation_fraction: f64,
    },
    /// Whole documents validate, chosen by a hash of what they say: letters and digits of their
    /// beginning, without case. Copies that differ in punctuation, spaces or case fall on the
    /// same side, and neither the order of files nor the rest of the corpus changes the side.
    ContentHash {
        /// Expected share of the documents that validate, between 0 and 1.
        validation_fraction: f64,
        /// Another seed chooses other documents.
        #[serde(default)]
        seed: u64,
    },
    /// Files of their own validate, and the whole corpus trains.
    Files {
        /// The validation text.
        validation: Box<SourceOptions>,
    },
}

impl Default for SplitOptions {
    fn default() -> Self {
        Self::Position { validation_fraction: 0.1 }
    }
}

impl Corpus {
    /// The documents of one side, source by source: for whatever learns from text directly, such
    /// as a tokenizer.
    pub fn texts(&self, options: &SplitOptions, split: Split) -> Result<DocumentParts> {
        let assignments = assignments(self, options)?;
        Ok(Box::new(assignments.into_iter().flat_map(move |assignment| {
            let parts = match assignment.parts() {
                Ok(parts) => parts,
                Err(error) => Box::new(std::iter::once(Err(error))) as SplitParts,
            };
            parts.filter_map(move |part| match part {
                Ok((side, part)) => (side == split).then_some(Ok(part)),
                Err(error) => Some(Err(error)),
            })
        })))
    }
}

/// A source and the rule for its documents.
pub(crate) struct Assignment {
    pub source: Arc<dyn DocumentSource>,
    pub weight: Option<f64>,
    pub rule: Rule,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Rule {
    All(Split),
    Position { validation_fraction: f64 },
    ContentHash { validation_fraction: f64, seed: u64 },
}

/// A stream of document parts with their sides.
pub(crate) type SplitParts = Box<dyn Iterator<Item = Result<(Split, DocumentPart)>> + Send>;

/// Checks the options and applies them to each source.
pub(crate) fn assignments(corpus: &Corpus, options: &SplitOptions) -> Result<Vec<Assignment>> {
    let rule = match *options {
        SplitOptions::Position { validation_fraction } => Rule::Position { validation_fraction },
        SplitOptions::ContentHash { validation_fraction, seed } => {
            Rule::ContentHash { validation_fraction, seed }
        }
        SplitOptions::Files { .. } => Rule::All(Split::Train),
    };
    if let Rule::Position { validation_fraction } | Rule::ContentHash { validation_fraction, .. } =
        rule
        && !(validation_fraction > 0.0 && validation_fraction < 1.0)
    {
        return Err(DataError::InvalidOption {
            key: "validation_fraction".to_owned(),
            reason: format!("expected a number between 0 and 1, got {validation_fraction}"),
        });
    }
    let mut assignments: Vec<Assignment> = corpus
        .sources()
        .iter()
        .map(|source| Assignment { source: source.source.clone(), weight: source.weight, rule })
        .collect();
    if let SplitOptions::Files { validation } = options {
        let source = Arc::new(FileSource::open(validation)?);
        assignments.push(Assignment { source, weight: None, rule: Rule::All(Split::Validation) });
    }
    Ok(assignments)
}

impl Assignment {
    /// The documents with their sides, in the order of the source.
    pub(crate) fn parts(&self) -> Result<SplitParts> {
        let parts = self.source.parts()?;
        Ok(match self.rule {
            Rule::All(split) => Box::new(parts.map(move |part| Ok((split, part?)))),
            Rule::Position { validation_fraction } => {
                let characters = count_characters(self.source.as_ref())?;
                // In this order nanoGPT's `int(0.9 * n)` comes out for a fraction of 0.1.
                let cut = (characters as f64 * (1.0 - validation_fraction)) as u64;
                Box::new(by_position(parts, cut))
            }
            Rule::ContentHash { validation_fraction, seed } => {
                Box::new(by_content(parts, validation_fraction, seed))
            }
        })
    }

    /// Whether documents of this side can occur.
    pub(crate) fn has(&self, split: Split) -> bool {
        match self.rule {
            Rule::All(only) => only == split,
            Rule::Position { .. } | Rule::ContentHash { .. } => true,
        }
    }
}

fn count_characters(source: &dyn DocumentSource) -> Result<u64> {
    let mut characters = 0;
    for part in source.parts()? {
        characters += part?.text.chars().count() as u64;
    }
    Ok(characters)
}

/// The first `cut` characters train, the rest validates.
fn by_position(
    parts: DocumentParts,
    cut: u64,
) -> impl Iterator<Item = Result<(Split, DocumentPart)>> + Send {
    let mut seen = 0;
    let mut in_validation = false;
    parts.flat_map(move |part| {
        let part = match part {
            Ok(part) => part,
            Err(error) => return vec![Err(error)],
        };
        let before = seen;
        seen += part.text.chars().count() as u64;
        if seen <= cut {
            return vec![Ok((Split::Train, part))];
        }
        let first = !std::mem::replace(&mut in_validation, true);
        let (train, mut validation) = divide(part, cut.saturating_sub(before));
        // What validates first begins a document there, even in the middle of its text.
        validation.begins |= first;
        let train = train.map(|part| Ok((Split::Train, part)));
        train.into_iter().chain([Ok((Split::Validation, validation))]).collect()
    })
}

/// Cuts a part before its character number `at`; the first half does not end its document, so
/// that no separator claims that the text ended there.
fn divide(part: DocumentPart, at: u64) -> (Option<DocumentPart>, DocumentPart) {
    if at == 0 {
        return (None, part);
    }
    let index = part.text.char_indices().nth(at as usize);
    let index = index.map_or(part.text.len(), |(index, _)| index);
    let mut train = part.clone();
    train.text.truncate(index);
    train.ends = false;
    let validation = DocumentPart { text: part.text[index..].to_owned(), begins: true, ..part };
    (Some(train), validation)
}

/// Each document goes where the hash of its beginning says.
fn by_content(
    parts: DocumentParts,
    validation_fraction: f64,
    seed: u64,
) -> impl Iterator<Item = Result<(Split, DocumentPart)>> + Send {
    let mut side = Split::Train;
    parts.map(move |part| {
        let part = part?;
        if part.begins {
            let hash = fraction(content_hash(&part.text, seed));
            side = if hash < validation_fraction { Split::Validation } else { Split::Train };
        }
        Ok((side, part))
    })
}

/// How many letters and digits of a document decide its side: enough to tell documents apart,
/// few enough that they always lie in its first part.
const HASHED_CHARACTERS: usize = 4096;

/// Hash of the letters and digits, without case; of the text itself if it has none.
fn content_hash(text: &str, seed: u64) -> u64 {
    let mut hasher = Xxh3::with_seed(seed);
    let mut characters = text
        .chars()
        .filter(|character| character.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .take(HASHED_CHARACTERS)
        .peekable();
    if characters.peek().is_none() {
        hasher.update(text.trim().as_bytes());
    }
    for character in characters {
        hasher.update(&u32::from(character).to_le_bytes());
    }
    hasher.digest()
}
