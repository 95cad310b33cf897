//! Precision, recall and F1 of named entities: an entity counts if its type and both its ends are
//! right (Tjong Kim Sang and De Meulder, CoNLL 2003). Numbers are seqeval's.
//!
//! Entities that are found only in part are [`EntityPairs`]' business.
//!
//! How tags become entities is [`decode`]; the counts are
//! [`BinaryCounts`], without true negatives.

mod decode;
mod overlap;

use std::collections::{BTreeMap, HashSet};

pub use decode::{Entity, Scheme, decode};
pub use overlap::{EntityPairs, MatchCounts, Matching};

use crate::classification::{Average, BinaryCounts, average};
use crate::error::{Result, same_length};
use crate::statistics::{CorpusMetric, Statistics};

/// True and predicted entities of a corpus.
///
/// A row of its statistics is a sentence's entities that are right, too many, and missing, so what
/// can be resampled is micro F1.
#[derive(Clone, Debug)]
pub struct EntityScores {
    types: BTreeMap<String, BinaryCounts>,
    statistics: Statistics,
    tokens: u64,
    right_tokens: u64,
}

impl EntityScores {
    /// From the true and predicted tags of sentences.
    pub fn new<S: AsRef<str>>(
        truth: &[Vec<S>],
        predicted: &[Vec<S>],
        scheme: Scheme,
    ) -> Result<Self> {
        same_length("predicted sentences", truth.len(), predicted.len())?;
        let mut scores = Self {
            types: BTreeMap::new(),
            statistics: Statistics::new(3),
            tokens: 0,
            right_tokens: 0,
        };
        for (sentence, (truth, predicted)) in truth.iter().zip(predicted).enumerate() {
            same_length(
                &format!("predicted tags of sentence {sentence}"),
                truth.len(),
                predicted.len(),
            )?;
            let pairs = truth.iter().zip(predicted);
            let right = pairs.filter(|(truth, predicted)| truth.as_ref() == predicted.as_ref());
            scores.right_tokens += right.count() as u64;
            scores.tokens += truth.len() as u64;
            scores.add(decode(sentence, truth, scheme)?, decode(sentence, predicted, scheme)?);
        }
        Ok(scores)
    }

    /// Adds the entities of a sentence.
    fn add(&mut self, truth: Vec<Entity>, predicted: Vec<Entity>) {
        let truth: HashSet<Entity> = truth.into_iter().collect();
        let predicted: HashSet<Entity> = predicted.into_iter().collect();
        let mut row = [0.0; 3];
        for entity in truth.union(&predicted) {
            let (is, said) = (truth.contains(entity), predicted.contains(entity));
            self.types.entry(entity.kind.clone()).or_default().add(is, said);
            row[if is && said {
                0
            } else if said {
                1
            } else {
                2
            }] += 1.0;
        }
        self.statistics.push(&row);
    }

    /// The counts of every type that occurs or is predicted, by name.
    pub fn per_type(&self) -> &BTreeMap<String, BinaryCounts> {
        &self.types
    }

    /// One figure of the counts of all types.
    pub fn average(&self, how: Average, figure: impl Fn(&BinaryCounts) -> f64) -> f64 {
        let types: Vec<BinaryCounts> = self.types.values().copied().collect();
        average(&types, how, figure)
    }

    /// The share of tokens with the right tag, outside of entities too, which flatters.
    pub fn token_accuracy(&self) -> f64 {
        if self.tokens == 0 { 0.0 } else { self.right_tokens as f64 / self.tokens as f64 }
    }
}

impl CorpusMetric for EntityScores {
    fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// Micro F1.
    fn score_of(&self, sums: &[f64]) -> f64 {
        let [right, extra, missing] = [sums[0], sums[1], sums[2]];
        let all = 2.0 * right + extra + missing;
        if all == 0.0 { 0.0 } else { 2.0 * right / all }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(text: &str) -> Vec<Vec<&str>> {
        text.lines().map(|line| line.split(' ').collect()).collect()
    }

    #[test]
    fn both_ends_and_the_type_must_be_right() {
        let truth = tags("B-PER I-PER O B-LOC\nO B-ORG O O");
        let predicted = tags("B-PER O O B-LOC\nO B-LOC O O");
        let scores = EntityScores::new(&truth, &predicted, Scheme::Iob2).unwrap();
        assert_eq!(scores.average(Average::Micro, BinaryCounts::precision), 1.0 / 3.0);
        assert_eq!(scores.per_type()["PER"].recall(), 0.0);
        assert_eq!(scores.per_type()["LOC"].precision(), 0.5);
        assert_eq!(scores.value(), scores.average(Average::Micro, BinaryCounts::f1));
        assert_eq!(scores.token_accuracy(), 0.75);
    }

    #[test]
    fn sentences_that_do_not_fit_are_errors() {
        assert!(EntityScores::new(&tags("O O"), &tags("O"), Scheme::Lenient).is_err());
        assert!(EntityScores::new(&tags("O"), &tags("O\nO"), Scheme::Lenient).is_err());
    }
}
