//! Entities that are found in part: the four ways of matching of SemEval-2013 task 9 (Segura-Bedmar
//! et al., 2013), after MUC-5's scoring (Chinchor and Sundheim, 1993).
//!
//! Every true entity is paired with at most one predicted entity of its sentence: first with one of
//! the same place and type, then of the same place, then with one of the same type that overlaps
//! it, then with any that overlaps it; among several, with the first. What is left over is missing
//! or spurious.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Entity;
use crate::error::{Result, same_length};
use crate::statistics::{CorpusMetric, Statistics};

/// What makes a pair of entities right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Matching {
    /// Both ends and the type; [`EntityScores`](super::EntityScores)' rule.
    Strict,
    /// Both ends, whatever the type.
    Exact,
    /// Both ends, whatever the type; an overlap is half right.
    #[default]
    Partial,
    /// The type, and some overlap.
    Type,
}

/// Pairs of entities by how they match, and entities without a pair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MatchCounts {
    /// Pairs that are right.
    pub correct: f64,
    /// Pairs that are wrong.
    pub incorrect: f64,
    /// Pairs that are half right.
    pub partial: f64,
    /// True entities without a pair.
    pub missing: f64,
    /// Predicted entities without a pair.
    pub spurious: f64,
}

impl MatchCounts {
    /// The share of what was predicted that is right.
    pub fn precision(&self) -> f64 {
        self.credit_of(self.spurious)
    }

    /// The share of what is true that was found.
    pub fn recall(&self) -> f64 {
        self.credit_of(self.missing)
    }

    /// The harmonic mean of precision and recall.
    pub fn f1(&self) -> f64 {
        let (precision, recall) = (self.precision(), self.recall());
        let both = precision + recall;
        if both == 0.0 { 0.0 } else { 2.0 * precision * recall / both }
    }

    /// What pairs are worth, among all pairs and the entities of one side that have none.
    fn credit_of(&self, alone: f64) -> f64 {
        let all = self.correct + self.incorrect + self.partial + alone;
        if all == 0.0 { 0.0 } else { (self.correct + self.partial / 2.0) / all }
    }
}

/// Columns of a sentence's statistics: what a pair has in common, and entities without a pair.
const SAME: usize = 0;
const PLACE: usize = 1;
const TYPE: usize = 2;
const OVERLAP: usize = 3;
const MISSING: usize = 4;
const SPURIOUS: usize = 5;

/// True and predicted entities of a corpus, in pairs. As a [`CorpusMetric`] it is F1 under its
/// [`Matching`].
#[derive(Clone, Debug)]
pub struct EntityPairs {
    matching: Matching,
    statistics: Statistics,
}

impl EntityPairs {
    /// From the true and predicted entities of sentences; an entity that is given twice counts
    /// once.
    pub fn new(
        truth: &[Vec<Entity>],
        predicted: &[Vec<Entity>],
        matching: Matching,
    ) -> Result<Self> {
        same_length("predicted sentences", truth.len(), predicted.len())?;
        let mut statistics = Statistics::new(6);
        for (truth, predicted) in truth.iter().zip(predicted) {
            statistics.push(&pair(truth, predicted));
        }
        Ok(Self { matching, statistics })
    }

    /// The counts under any way of matching.
    pub fn counts(&self, matching: Matching) -> MatchCounts {
        counts(matching, &self.statistics.sums())
    }
}

impl CorpusMetric for EntityPairs {
    fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    fn score_of(&self, sums: &[f64]) -> f64 {
        counts(self.matching, sums).f1()
    }
}

fn counts(matching: Matching, sums: &[f64]) -> MatchCounts {
    let (correct, partial) = match matching {
        Matching::Strict => (sums[SAME], 0.0),
        Matching::Exact => (sums[SAME] + sums[PLACE], 0.0),
        Matching::Partial => (sums[SAME] + sums[PLACE], sums[TYPE] + sums[OVERLAP]),
        Matching::Type => (sums[SAME] + sums[TYPE], 0.0),
    };
    let pairs = sums[..MISSING].iter().sum::<f64>();
    MatchCounts {
        correct,
        incorrect: pairs - correct - partial,
        partial,
        missing: sums[MISSING],
        spurious: sums[SPURIOUS],
    }
}

/// A sentence's row: entities are paired from the closest kind of match to the loosest.
fn pair(truth: &[Entity], predicted: &[Entity]) -> [f64; 6] {
    let mut truth: BTreeSet<&Entity> = truth.iter().collect();
    let mut predicted: BTreeSet<&Entity> = predicted.iter().collect();
    let mut row = [0.0; 6];
    for column in [SAME, PLACE, TYPE, OVERLAP] {
        truth.retain(|entity| {
            let mut others = predicted.iter().copied();
            let Some(found) = others.find(|other| matches(column, entity, other)) else {
                return true;
            };
            predicted.remove(found);
            row[column] += 1.0;
            false
        });
    }
    row[MISSING] = truth.len() as f64;
    row[SPURIOUS] = predicted.len() as f64;
    row
}

/// Whether a pair has in common what its column says.
fn matches(column: usize, left: &Entity, right: &Entity) -> bool {
    match column {
        SAME => left == right,
        PLACE => (left.start, left.end) == (right.start, right.end),
        TYPE => left.kind == right.kind && overlap(left, right),
        _ => overlap(left, right),
    }
}

fn overlap(left: &Entity, right: &Entity) -> bool {
    left.start < right.end && right.start < left.end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entities(list: &[(&str, usize, usize)]) -> Vec<Entity> {
        let entity = |(kind, start, end): &(&str, usize, usize)| Entity {
            start: *start,
            end: *end,
            kind: (*kind).to_owned(),
        };
        list.iter().map(entity).collect()
    }

    /// One pair of each kind, one missing and one spurious entity.
    fn one_of_each() -> EntityPairs {
        let truth = entities(&[("A", 0, 2), ("A", 3, 5), ("A", 6, 8), ("A", 9, 11), ("A", 20, 21)]);
        let predicted =
            entities(&[("A", 0, 2), ("B", 3, 5), ("A", 7, 9), ("B", 10, 12), ("B", 30, 31)]);
        EntityPairs::new(&[truth], &[predicted], Matching::Partial).unwrap()
    }

    #[test]
    fn each_way_of_matching_by_hand() {
        let pairs = one_of_each();
        let figures = |matching| {
            let counts = pairs.counts(matching);
            assert_eq!((counts.missing, counts.spurious), (1.0, 1.0));
            (counts.correct, counts.partial, counts.incorrect)
        };
        assert_eq!(figures(Matching::Strict), (1.0, 0.0, 3.0));
        assert_eq!(figures(Matching::Exact), (2.0, 0.0, 2.0));
        assert_eq!(figures(Matching::Partial), (2.0, 2.0, 0.0));
        assert_eq!(figures(Matching::Type), (2.0, 0.0, 2.0));
        assert_eq!(pairs.counts(Matching::Partial).recall(), 3.0 / 5.0);
        assert!((pairs.value() - 3.0 / 5.0).abs() < 1e-12);
    }

    #[test]
    fn figures_are_nervaluates() {
        // nervaluate 1.2.1 on the same entities: correct, incorrect, partial, and F1.
        let truth = [
            entities(&[("A", 0, 2), ("A", 3, 5), ("A", 6, 8), ("A", 9, 11), ("A", 20, 21)]),
            entities(&[("B", 0, 1), ("A", 4, 9)]),
            vec![],
            entities(&[("B", 2, 4)]),
        ];
        let predicted = [
            entities(&[("A", 0, 2), ("B", 3, 5), ("A", 7, 9), ("B", 10, 12), ("B", 30, 31)]),
            entities(&[("B", 0, 1), ("B", 4, 6)]),
            entities(&[("A", 0, 1)]),
            vec![],
        ];
        let expected = [
            (Matching::Strict, (2.0, 4.0, 0.0), 0.25),
            (Matching::Exact, (3.0, 3.0, 0.0), 0.375),
            (Matching::Partial, (3.0, 0.0, 3.0), 0.5625),
            (Matching::Type, (3.0, 3.0, 0.0), 0.375),
        ];
        for (matching, counts, f1) in expected {
            let pairs = EntityPairs::new(&truth, &predicted, matching).unwrap();
            let found = pairs.counts(matching);
            assert_eq!((found.correct, found.incorrect, found.partial), counts, "{matching:?}");
            assert_eq!((found.missing, found.spurious, found.f1()), (2.0, 2.0, f1));
            assert_eq!(pairs.value(), f1);
        }
    }

    #[test]
    fn a_close_match_is_not_taken_by_an_entity_that_only_overlaps() {
        // The first true entity overlaps what the second one is.
        let truth = entities(&[("A", 0, 3), ("A", 2, 5)]);
        let predicted = entities(&[("A", 2, 5)]);
        let pairs = EntityPairs::new(&[truth], &[predicted], Matching::Strict).unwrap();
        let counts = pairs.counts(Matching::Strict);
        assert_eq!((counts.correct, counts.missing), (1.0, 1.0));
    }

    #[test]
    fn nothing_to_find_and_nothing_found_is_zero_as_everywhere_else() {
        let pairs = EntityPairs::new(&[vec![]], &[vec![]], Matching::Type).unwrap();
        assert_eq!(pairs.value(), 0.0);
        assert!(EntityPairs::new(&[vec![]], &[], Matching::Type).is_err());
    }
}
