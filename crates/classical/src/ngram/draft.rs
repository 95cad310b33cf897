//! Guesses at what comes next, for a neural model to check several tokens in one read.
//!
//! Prompt lookup (Saxena 2023; Yang et al. 2023, "Inference with reference") finds the end of the
//! text earlier in the text; a trained n-gram model knows its training text. Both are free beside
//! a network's step.
//!
//! Guesses are deterministic: to speculative sampling (Leviathan et al. 2023) the draft is a
//! distribution with all its mass on one token. A guess x is then accepted with the network's own
//! probability p(x), and where it is refused the token is drawn from p without x: the
//! text is distributed exactly as without guesses. Greedy decoding accepts x while it is the
//! network's argmax.

use super::generate::most_probable;
use super::model::NgramModel;

/// A guessed token.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DraftToken {
    /// The token.
    pub id: u32,
    /// How sure the draft is of it: to decide whether it is worth checking, not to accept it.
    pub probability: f64,
}

/// Guesses how a text goes on.
pub trait Draft {
    /// The most likely token after `ids`, or `None` where there is nothing to go by.
    fn next(&self, ids: &[u32]) -> Option<DraftToken>;

    /// Up to `k` tokens after `ids`, each taken for true by the next. Ends before the first that is less
    /// probable than `min_probability`.
    fn propose(&self, ids: &[u32], k: usize, min_probability: f64) -> Vec<DraftToken> {
        let mut ids = ids.to_vec();
        let mut proposed = Vec::with_capacity(k);
        while proposed.len() < k
            && let Some(token) = self.next(&ids)
            && token.probability >= min_probability
        {
            ids.push(token.id);
            proposed.push(token);
        }
        proposed
    }
}

/// A trained model always knows something to say, except that the text ends.
impl Draft for NgramModel {
    fn next(&self, ids: &[u32]) -> Option<DraftToken> {
        let mut distribution = Vec::new();
        self.distribution(ids, &mut distribution);
        let id = most_probable(&distribution);
        let probability = distribution[id as usize];
        (self.config().eos() != Some(id)).then_some(DraftToken { id, probability })
    }
}

/// Looks for the last tokens of a text earlier in the same text.
///
/// ```
/// use wuji_classical::{Draft, PromptLookup};
///
/// let lookup = PromptLookup::default();
/// // After 1 2 there was 3 4.
/// let proposed = lookup.propose(&[1, 2, 3, 4, 9, 1, 2], 2, 0.0);
/// assert_eq!(proposed.iter().map(|token| token.id).collect::<Vec<_>>(), [3, 4]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PromptLookup {
    /// Most tokens that are looked for. Default 4.
    pub max_ngram: usize,
    /// Fewest tokens that must be found; zero is as one. Default 2.
    pub min_ngram: usize,
}

impl Default for PromptLookup {
    fn default() -> Self {
        Self { max_ngram: 4, min_ngram: 2 }
    }
}

impl Draft for PromptLookup {
    /// The token that followed the longest match most often, the latest one among equals.
    /// The probability is its share of what followed that match.
    fn next(&self, ids: &[u32]) -> Option<DraftToken> {
        let mut longest = self.min_ngram.max(1);
        let mut followers: Vec<u32> = Vec::new();
        for end in 1..ids.len() {
            let matched = self.matched(&ids[..end], ids);
            if matched > longest {
                followers.clear();
                longest = matched;
            }
            if matched == longest {
                followers.push(ids[end]);
            }
        }
        let count = |id: u32| followers.iter().filter(|&&other| other == id).count();
        let id = followers.iter().copied().max_by_key(|&id| count(id))?; // the last of equals
        Some(DraftToken { id, probability: count(id) as f64 / followers.len() as f64 })
    }
}

impl PromptLookup {
    /// How many tokens at the ends of both are equal, as far as is looked.
    fn matched(&self, earlier: &[u32], ids: &[u32]) -> usize {
        let pairs = earlier.iter().rev().zip(ids.iter().rev()).take(self.max_ngram);
        pairs.take_while(|(a, b)| a == b).count()
    }
}

/// Asks one draft, and another where the first knows nothing: the text itself before a trained model.
#[derive(Debug, Clone, Copy)]
pub struct FirstOf<A, B>(
    /// Asked first.
    pub A,
    /// Asked where the first has no guess.
    pub B,
);

impl<A: Draft, B: Draft> Draft for FirstOf<A, B> {
    fn next(&self, ids: &[u32]) -> Option<DraftToken> {
        self.0.next(ids).or_else(|| self.1.next(ids))
    }
}

impl<D: Draft + ?Sized> Draft for &D {
    fn next(&self, ids: &[u32]) -> Option<DraftToken> {
        (**self).next(ids)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Boundaries, KneserNey, KneserNeyConfig};
    use super::*;

    fn ids(proposed: &[DraftToken]) -> Vec<u32> {
        proposed.iter().map(|token| token.id).collect()
    }

    #[test]
    fn the_longest_match_decides_and_then_the_majority() {
        let lookup = PromptLookup { max_ngram: 3, min_ngram: 1 };
        // "1 2" was followed by 5; 2 alone by 7, 7 and 5.
        let text = [2, 7, 2, 7, 1, 2, 5, 1, 2];
        assert_eq!(lookup.next(&text), Some(DraftToken { id: 5, probability: 1.0 }));
        // After 2 alone: 7 twice of three times.
        let single = PromptLookup { max_ngram: 1, min_ngram: 1 };
        assert_eq!(single.next(&text), Some(DraftToken { id: 7, probability: 2.0 / 3.0 }));
        // Once each: the latest.
        assert_eq!(single.next(&[1, 3, 1, 4, 1]), Some(DraftToken { id: 4, probability: 0.5 }));
    }

    #[test]
    fn nothing_found_is_no_guess() {
        let lookup = PromptLookup::default();
        assert_eq!(lookup.next(&[]), None);
        assert_eq!(lookup.next(&[1, 2, 3, 4]), None);
        assert_eq!(lookup.next(&[2, 3, 7, 2]), None); // one token is too little
        assert_eq!(PromptLookup { max_ngram: 1, min_ngram: 2 }.next(&[1, 1, 1, 1]), None);
    }

    #[test]
    fn a_guess_goes_on_from_itself_and_round_a_loop() {
        let lookup = PromptLookup::default();
        assert_eq!(ids(&lookup.propose(&[1, 2, 3, 1, 2], 7, 0.0)), [3, 1, 2, 3, 1, 2, 3]);
        assert!(lookup.propose(&[1, 2, 3, 1, 2], 0, 0.0).is_empty());
        assert!(lookup.propose(&[1, 2, 3, 1, 2], 3, 1.1).is_empty());
    }

    #[test]
    fn a_trained_model_fills_in_and_stops_at_the_end() {
        let boundaries = Boundaries::Sentences { bos: 9, eos: Some(0) };
        let config = KneserNeyConfig::new(3, 9).with_boundaries(boundaries);
        let model = KneserNey::train(config, [&[5, 6, 7][..], &[5, 6, 7], &[8, 6, 7]]).unwrap();
        let draft = FirstOf(PromptLookup::default(), &*model);
        assert_eq!(ids(&draft.propose(&[9, 5], 9, 0.0)), [6, 7]);
        let sure = model.log_prob(&[9, 5], 6).exp();
        assert_eq!(draft.next(&[9, 5]), Some(DraftToken { id: 6, probability: sure }));
        // The text itself comes first.
        assert_eq!(ids(&draft.propose(&[5, 6, 1, 5, 6], 1, 0.0)), [1]);
    }
}
