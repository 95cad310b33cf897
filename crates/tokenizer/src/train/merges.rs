//! Learning merges: the training half of byte pair encoding (Sennrich et al. 2016), for byte-level BPE and WordPiece.
//!
//! Why not the `tokenizers` crate's trainer: it cannot break ties as CS336's reference does, it counts pairs in 32
//! bits, which a corpus of a few gigabytes overflows, and for WordPiece its ids change from run to run. Where the
//! rules agree the results do too (tested against it).

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};
use std::sync::Arc;

use super::TieBreak;

/// Two neighbouring symbols.
pub(super) type Pair = (u32, u32);

/// The bytes of a token, shared between the queue's entries.
type TokenBytes = Arc<[u8]>;

/// A word of the corpus as symbols (indices into the tokens), with how often it occurs.
#[derive(Debug, Clone)]
pub(super) struct Word {
    pub(super) symbols: Vec<u32>,
    pub(super) count: u64,
}

/// What to learn.
#[derive(Debug, Clone)]
pub(super) struct Rules<'rules> {
    /// Stop at this number of tokens.
    pub(super) vocab_size: usize,
    /// Stop when the most frequent pair is rarer than this.
    pub(super) min_frequency: u64,
    /// Never make a token of more characters than this.
    pub(super) max_token_length: Option<usize>,
    /// What a token begins with that continues a word (`##`); it is dropped when the token is appended to another.
    pub(super) continuing_prefix: &'rules str,
    /// The order of equally frequent pairs.
    pub(super) tie_break: TieBreak,
    /// The bytes of a token, for [`TieBreak::GreatestBytes`].
    pub(super) token_bytes: fn(&str) -> Vec<u8>,
}

/// Learnt tokens and merges.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Learnt {
    /// The initial tokens, then the merged ones in the order in which they were learnt.
    pub(super) tokens: Vec<String>,
    /// Merges, most frequent first.
    pub(super) merges: Vec<Pair>,
}

/// Learns merges of `words` over the symbols `tokens`.
pub(super) fn learn(tokens: Vec<String>, words: Vec<Word>, rules: &Rules<'_>) -> Learnt {
    let mut learner = Learner::new(tokens, words, rules);
    while learner.tokens.len() < rules.vocab_size
        && let Some(pair) = learner.most_frequent()
    {
        learner.add_merge(pair);
    }
    Learnt { tokens: learner.tokens, merges: learner.merges }
}

/// A pair in the queue, greatest first: count, then the rule for ties.
///
/// Counts go stale when neighbours are merged; an entry is checked when it comes up.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    count: u64,
    bytes: Option<(TokenBytes, TokenBytes)>,
    smaller_ids: Reverse<Pair>,
}

struct Learner<'rules> {
    rules: &'rules Rules<'rules>,
    tokens: Vec<String>,
    ids: HashMap<String, u32>,
    bytes: Vec<TokenBytes>,
    words: Vec<Word>,
    counts: HashMap<Pair, u64>,
    /// Words in which the pair occurs or occurred.
    places: HashMap<Pair, Vec<u32>>,
    queue: BinaryHeap<Candidate>,
    merges: Vec<Pair>,
    ranks: HashMap<Pair, usize>,
}

impl<'rules> Learner<'rules> {
    fn new(tokens: Vec<String>, words: Vec<Word>, rules: &'rules Rules<'rules>) -> Self {
        let mut learner = Self {
            rules,
            ids: HashMap::new(),
            tokens: Vec::new(),
            bytes: Vec::new(),
            words,
            counts: HashMap::new(),
            places: HashMap::new(),
            queue: BinaryHeap::new(),
            merges: Vec::new(),
            ranks: HashMap::new(),
        };
        for token in tokens {
            learner.token_id(token);
        }
        for index in 0..learner.words.len() {
            let word = &learner.words[index];
            let pairs: Vec<Pair> = word.symbols.windows(2).map(|pair| (pair[0], pair[1])).collect();
            let count = word.count;
            for pair in pairs {
                *learner.counts.entry(pair).or_default() += count;
                learner.note_place(pair, index as u32);
            }
        }
        let pairs: Vec<Pair> = learner.counts.keys().copied().collect();
        for pair in pairs {
            learner.queue_pair(pair);
        }
        learner
    }

    /// The id of `token`, new if need be. Two merges may give the same token (`th e` and `t he`).
    fn token_id(&mut self, token: String) -> u32 {
        if let Some(id) = self.ids.get(&token) {
            return *id;
        }
        let id = self.tokens.len() as u32;
        if self.rules.tie_break == TieBreak::GreatestBytes {
            self.bytes.push((self.rules.token_bytes)(&token).into());
        }
        self.ids.insert(token.clone(), id);
        self.tokens.push(token);
        id
    }

    fn note_place(&mut self, pair: Pair, word: u32) {
        let places = self.places.entry(pair).or_default();
        if places.last() != Some(&word) {
            places.push(word);
        }
    }

    fn queue_pair(&mut self, pair: Pair) {
        let bytes = (self.rules.tie_break == TieBreak::GreatestBytes).then(|| {
            (Arc::clone(&self.bytes[pair.0 as usize]), Arc::clone(&self.bytes[pair.1 as usize]))
        });
        self.queue.push(Candidate { count: self.counts[&pair], bytes, smaller_ids: Reverse(pair) });
    }

    fn most_frequent(&mut self) -> Option<Pair> {
        while let Some(mut candidate) = self.queue.pop() {
            let pair = candidate.smaller_ids.0;
            let count = self.counts.get(&pair).copied().unwrap_or(0);
            if candidate.count > count {
                if count > 0 {
                    candidate.count = count;
                    self.queue.push(candidate);
                }
            } else if candidate.count == count && !self.ranks.contains_key(&pair) && self.fits(pair)
            {
                return (count >= self.rules.min_frequency.max(1)).then_some(pair);
            }
        }
        None
    }

    fn fits(&self, pair: Pair) -> bool {
        let length =
            |token: &str| token.trim_start_matches(self.rules.continuing_prefix).chars().count();
        self.rules.max_token_length.is_none_or(|longest| {
            length(&self.tokens[pair.0 as usize]) + length(&self.tokens[pair.1 as usize]) <= longest
        })
    }

    fn add_merge(&mut self, pair: Pair) {
        let (left, right) = (&self.tokens[pair.0 as usize], &self.tokens[pair.1 as usize]);
        let tail = right.strip_prefix(self.rules.continuing_prefix).unwrap_or(right);
        let merged = format!("{left}{tail}");
        self.token_id(merged);
        self.ranks.insert(pair, self.merges.len());
        self.merges.push(pair);
        // A merge that gives a token which is there already may complete pairs with an older rule, which encoding
        // would apply at once; so the words here must follow.
        let mut due = BTreeSet::from([self.merges.len() - 1]);
        while let Some(rank) = due.pop_first() {
            due.extend(self.apply(self.merges[rank]));
        }
    }

    /// Merges `pair` wherever it occurs; gives the ranks of older merges for which this made new places.
    fn apply(&mut self, pair: Pair) -> Vec<usize> {
        let left = &self.tokens[pair.0 as usize];
        let right = &self.tokens[pair.1 as usize];
        let tail = right.strip_prefix(self.rules.continuing_prefix).unwrap_or(right);
        let merged = self.ids[&format!("{left}{tail}")];
        let mut grown = BTreeSet::new();
        for word in self.places.remove(&pair).unwrap_or_default() {
            let entry = &mut self.words[word as usize];
            let count = entry.count;
            let Some(symbols) = merge_symbols(&entry.symbols, pair, merged) else { continue };
            let before = std::mem::replace(&mut entry.symbols, symbols.clone());
            for gone in before.windows(2) {
                let total = self.counts.entry((gone[0], gone[1])).or_default();
                *total = total.saturating_sub(count);
            }
            for made in symbols.windows(2) {
                let made = (made[0], made[1]);
                *self.counts.entry(made).or_default() += count;
                if made.0 == merged || made.1 == merged {
                    self.note_place(made, word);
                    grown.insert(made);
                }
            }
        }
        self.counts.remove(&pair);
        let mut older = Vec::new();
        for made in grown {
            match self.ranks.get(&made) {
                Some(rank) => older.push(*rank),
                None => self.queue_pair(made),
            }
        }
        older
    }
}

/// `symbols` with every `pair`, from the left, replaced by `merged`; `None` if there is none.
fn merge_symbols(symbols: &[u32], pair: Pair, merged: u32) -> Option<Vec<u32>> {
    let mut result = Vec::with_capacity(symbols.len());
    let mut rest = symbols;
    while let Some((&first, tail)) = rest.split_first() {
        if first == pair.0 && tail.first() == Some(&pair.1) {
            result.push(merged);
            rest = &tail[1..];
        } else {
            result.push(first);
            rest = tail;
        }
    }
    (result.len() < symbols.len()).then_some(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(vocab_size: usize) -> Rules<'static> {
        Rules {
            vocab_size,
            min_frequency: 1,
            max_token_length: None,
            continuing_prefix: "",
            tie_break: TieBreak::SmallestIds,
            token_bytes: |token| token.as_bytes().to_vec(),
        }
    }

    fn learn_words(words: &[(&str, u64)], rules: &Rules<'_>) -> Vec<String> {
        let mut letters: Vec<String> =
            words.iter().flat_map(|(word, _)| word.chars()).map(String::from).collect();
        letters.sort_unstable();
        letters.dedup();
        let symbol = |letter: char| {
            letters.iter().position(|known| *known == letter.to_string()).unwrap() as u32
        };
        let words = words
            .iter()
            .map(|(word, count)| Word {
                symbols: word.chars().map(symbol).collect(),
                count: *count,
            })
            .collect();
        let first = letters.len();
        learn(letters, words, rules).tokens.split_off(first)
    }

    #[test]
    fn the_example_of_sennrich_is_learnt_with_the_greatest_pair_first() {
        let words = [("low", 5), ("lower", 2), ("widest", 3), ("newest", 6)];
        let rules = Rules { tie_break: TieBreak::GreatestBytes, ..rules(16) };
        // The worked example of CS336's assignment.
        assert_eq!(learn_words(&words, &rules), ["st", "est", "ow", "low", "west", "ne"]);
    }

    #[test]
    fn frequency_and_length_are_limits() {
        let rules = Rules { min_frequency: 3, max_token_length: Some(2), ..rules(100) };
        assert_eq!(learn_words(&[("abc", 4), ("xy", 2)], &rules), ["ab"]);
    }

    #[test]
    fn runs_merge_from_the_left() {
        assert_eq!(merge_symbols(&[7, 7, 7], (7, 7), 9), Some(vec![9, 7]));
        assert_eq!(merge_symbols(&[7, 8], (8, 7), 9), None);
    }
}
