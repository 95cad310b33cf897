//! Word and character error rate: the fewest insertions, deletions and substitutions that turn the
//! hypotheses into the references, per word or character of the references.
//!
//! Words stand between white space and nothing is normalised; characters are code points, spaces
//! among them. A corpus' rate is the sum of edits by the sum of lengths, not a mean of rates.

use serde::{Deserialize, Serialize};

use crate::error::{Result, same_length};
use crate::statistics::{CorpusMetric, Statistics};
use crate::words::words;

/// What is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Words between white space.
    #[default]
    Word,
    /// Code points.
    Character,
}

/// Edits and length of one text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Errors {
    /// The fewest edits.
    pub edits: usize,
    /// Words or characters of the reference.
    pub length: usize,
}

/// The errors of one text.
pub fn errors(unit: Unit, hypothesis: &str, reference: &str) -> Errors {
    match unit {
        Unit::Word => compare(words(hypothesis), words(reference)),
        Unit::Character => compare(hypothesis.chars(), reference.chars()),
    }
}

fn compare<T: PartialEq>(
    hypothesis: impl Iterator<Item = T>,
    reference: impl Iterator<Item = T>,
) -> Errors {
    let (hypothesis, reference): (Vec<T>, Vec<T>) = (hypothesis.collect(), reference.collect());
    Errors { edits: edit_distance(&hypothesis, &reference), length: reference.len() }
}

/// Levenshtein's distance, in the space of one row.
pub fn edit_distance<T: PartialEq>(left: &[T], right: &[T]) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (at, item) in left.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], at + 1);
        for (column, other) in right.iter().enumerate() {
            let substituted = diagonal + usize::from(item != other);
            let cheapest = substituted.min(row[column] + 1).min(row[column + 1] + 1);
            diagonal = std::mem::replace(&mut row[column + 1], cheapest);
        }
    }
    row[right.len()]
}

/// The error rate of a corpus, document by document. A row of its statistics is edits and length.
#[derive(Clone, Debug, PartialEq)]
pub struct CorpusErrorRate {
    unit: Unit,
    statistics: Statistics,
}

impl CorpusErrorRate {
    /// No documents yet.
    pub fn new(unit: Unit) -> Self {
        Self { unit, statistics: Statistics::new(2) }
    }

    /// Adds a document.
    pub fn add(&mut self, hypothesis: &str, reference: &str) {
        let Errors { edits, length } = errors(self.unit, hypothesis, reference);
        self.statistics.push(&[edits as f64, length as f64]);
    }
}

impl CorpusMetric for CorpusErrorRate {
    fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// Edits per word or character. Where the references are empty, 1 if there are edits.
    fn score_of(&self, sums: &[f64]) -> f64 {
        match sums[1] {
            _ if sums[0] == 0.0 => 0.0,
            0.0 => 1.0,
            length => sums[0] / length,
        }
    }
}

/// The error rate of a corpus; more than 1 is possible.
pub fn error_rate<H: AsRef<str>, R: AsRef<str>>(
    unit: Unit,
    hypotheses: &[H],
    references: &[R],
) -> Result<f64> {
    same_length("references", hypotheses.len(), references.len())?;
    let mut corpus = CorpusErrorRate::new(unit);
    for (hypothesis, reference) in hypotheses.iter().zip(references) {
        corpus.add(hypothesis.as_ref(), reference.as_ref());
    }
    Ok(corpus.value())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_by_hand() {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        assert_eq!(edit_distance(&chars("kitten"), &chars("sitting")), 3);
        assert_eq!(edit_distance(&chars(""), &chars("abc")), 3);
        assert_eq!(edit_distance(&chars("abc"), &chars("")), 3);
    }

    #[test]
    fn a_corpus_weighs_its_documents_by_length() {
        let rate = error_rate(Unit::Word, &["a", "a b c d"], &["b", "a b c d"]).unwrap();
        assert_eq!(rate, 0.2);
        assert_eq!(error_rate(Unit::Word, &["a"], &[""]), Ok(1.0));
        assert_eq!(error_rate(Unit::Character, &[""], &[""]), Ok(0.0));
        assert!(error_rate(Unit::Word, &["a"], &["a", "b"]).is_err());
    }
}
