//! How much a generated text repeats itself: seq-rep-n and rep/l (Welleck et al., "Neural text
//! generation with unlikelihood training", ICLR 2020), and its longest repeated span.
//!
//! seq-rep-n looks at one text at a time, and the figure of a set is the mean;
//! [`distinct`](crate::distinct::distinct) looks at all texts together.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::error::{EvaluationError, Result};
use crate::error_rate::Unit;
use crate::words::words;

/// The share of n-grams that occurred earlier in the same text: one less the share of different
/// ones. 0 for a text without n-grams.
pub fn seq_rep(text: &str, order: usize, unit: Unit) -> Result<f64> {
    at_least_one("order of seq-rep-n", order)?;
    let items = items(text, unit);
    let ngrams = items.windows(order);
    let (all, different) = (ngrams.len(), ngrams.collect::<HashSet<_>>().len());
    Ok(if all == 0 { 0.0 } else { 1.0 - different as f64 / all as f64 })
}

/// The share of items that are among the `window` items before them. 0 for a text without items.
pub fn rep_within(text: &str, window: usize, unit: Unit) -> Result<f64> {
    at_least_one("window of rep/l", window)?;
    let items = items(text, unit);
    let mut last = HashMap::new();
    let mut repeated = 0;
    for (at, item) in items.iter().enumerate() {
        repeated += usize::from(last.insert(*item, at).is_some_and(|before| at - before <= window));
    }
    Ok(if items.is_empty() { 0.0 } else { repeated as f64 / items.len() as f64 })
}

/// A span of a text that occurs again later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeat {
    /// Where it is, in bytes of the text.
    pub first: Range<usize>,
    /// Where it is again; the two may overlap, as they do in a loop.
    pub again: Range<usize>,
    /// Its length in words or characters.
    pub length: usize,
}

/// The longest span that occurs twice, of several the first; none where no item occurs twice.
pub fn longest_repeat(text: &str, unit: Unit) -> Option<Repeat> {
    let items = items(text, unit);
    let sorted = sorted_suffixes(&items);
    let common = |a: usize, b: usize| {
        items[a..].iter().zip(&items[b..]).take_while(|(left, right)| left == right).count()
    };
    // Suffixes that begin alike are neighbours. Of equally long spans, the first in the text.
    let best = sorted.windows(2).map(|pair| {
        let (a, b) = (pair[0].min(pair[1]), pair[0].max(pair[1]));
        (common(a, b), std::cmp::Reverse((a, b)))
    });
    let (length, std::cmp::Reverse((first, again))) = best.max()?;
    let offset = |item: &str| item.as_ptr() as usize - text.as_ptr() as usize;
    let bytes = |from: usize| {
        let last = items[from + length - 1];
        offset(items[from])..offset(last) + last.len()
    };
    (length > 0).then(|| Repeat { first: bytes(first), again: bytes(again), length })
}

/// Positions in the order of the text that begins there, by doubling of the compared length
/// (Manber and Myers, 1993): a text that is one loop is no slower than another.
fn sorted_suffixes(items: &[&str]) -> Vec<usize> {
    let mut sorted: Vec<usize> = (0..items.len()).collect();
    sorted.sort_by_key(|at| items[*at]);
    let mut ranks = ranks_of(&sorted, |at| items[at]);
    let mut length = 1;
    while length < items.len() {
        // One more than a rank, so that a text that ends comes first.
        let key = |at: usize| (ranks[at], ranks.get(at + length).map_or(0, |rank| rank + 1));
        sorted.sort_by_key(|at| key(*at));
        ranks = ranks_of(&sorted, key);
        length *= 2;
    }
    sorted
}

/// The rank of every position, the same where keys are.
fn ranks_of<K: PartialEq>(sorted: &[usize], key: impl Fn(usize) -> K) -> Vec<usize> {
    let mut ranks = vec![0; sorted.len()];
    for pair in sorted.windows(2) {
        ranks[pair[1]] = ranks[pair[0]] + usize::from(key(pair[0]) != key(pair[1]));
    }
    ranks
}

fn items(text: &str, unit: Unit) -> Vec<&str> {
    match unit {
        Unit::Word => words(text).collect(),
        Unit::Character => {
            text.char_indices().map(|(at, c)| &text[at..at + c.len_utf8()]).collect()
        }
    }
}

fn at_least_one(option: &'static str, found: usize) -> Result<()> {
    if found > 0 {
        return Ok(());
    }
    Err(EvaluationError::InvalidOption { option, expected: "at least 1", found: "0".to_owned() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_loop_repeats_and_a_sentence_does_not() {
        // Bigrams "a b", "b a", "a b", "b a": two of four are different.
        assert_eq!(seq_rep("a b a b a", 2, Unit::Word), Ok(0.5));
        assert_eq!(seq_rep("the cat sat down", 1, Unit::Word), Ok(0.0));
        assert_eq!(seq_rep("好好好好", 1, Unit::Character), Ok(0.75));
        assert_eq!(seq_rep("a", 4, Unit::Word), Ok(0.0));
        assert!(seq_rep("a", 0, Unit::Word).is_err());
    }

    #[test]
    fn an_item_counts_as_repeated_within_its_window_only() {
        assert_eq!(rep_within("a b a c a", 2, Unit::Word), Ok(0.4));
        assert_eq!(rep_within("a b a c a", 1, Unit::Word), Ok(0.0));
        assert_eq!(rep_within("", 1, Unit::Word), Ok(0.0));
        assert!(rep_within("a", 0, Unit::Word).is_err());
    }

    #[test]
    fn the_longest_repeat_is_given_in_bytes() {
        let text = "他说：今天好。她说：今天好！";
        let found = longest_repeat(text, Unit::Character).unwrap();
        assert_eq!((found.length, &text[found.first.clone()]), (5, "说：今天好"));
        assert_eq!(&text[found.again], "说：今天好");
        let found = longest_repeat("so it goes  on and so it  goes", Unit::Word).unwrap();
        assert_eq!((found.first, found.again, found.length), (0..10, 19..30, 3));
        assert_eq!(longest_repeat("a b c", Unit::Word), None);
        assert_eq!(longest_repeat("", Unit::Word), None);
    }

    proptest! {
        #[test]
        fn no_longer_span_occurs_twice(text in "[ab]{0,14}") {
            let occurs_twice = |length: usize| {
                let spans: Vec<&[u8]> = text.as_bytes().windows(length).collect();
                (1..spans.len()).any(|at| spans[..at].contains(&spans[at]))
            };
            let longest = (1..=text.len()).rev().find(|length| occurs_twice(*length));
            let found = longest_repeat(&text, Unit::Character);
            prop_assert_eq!(found.as_ref().map(|found| found.length), longest);
            if let Some(Repeat { first, again, .. }) = found {
                prop_assert!(first.start < again.start);
                prop_assert_eq!(&text[first], &text[again]);
            }
        }
    }
}
