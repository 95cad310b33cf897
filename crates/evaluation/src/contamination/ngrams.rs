//! Tokens of a text and the hashes of its n-grams, in one pass.

use std::collections::VecDeque;
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::Range;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::error::{EvaluationError, Result};
use crate::words::{is_space, segments};

/// What an n-gram is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NgramUnit {
    /// Words between white space, in lower case and without what is no letter or digit at their
    /// ends, as for GPT-3.
    #[default]
    Word,
    /// Chinese characters and kana one by one, and runs of other letters and digits, in lower
    /// case.
    Character,
}

/// Which n-grams are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NgramOptions {
    /// Tokens of an n-gram; 13 by default. Fewer find more, of which more is chance.
    pub order: usize,
    /// What a token is; a word by default.
    pub unit: NgramUnit,
}

impl Default for NgramOptions {
    fn default() -> Self {
        Self { order: 13, unit: NgramUnit::Word }
    }
}

impl NgramOptions {
    pub(super) fn check(&self) -> Result<()> {
        if self.order > 0 {
            return Ok(());
        }
        let (expected, found) = ("at least 1", self.order.to_string());
        Err(EvaluationError::InvalidOption { option: "order", expected, found })
    }
}

/// Where the tokens of a text are, in bytes.
pub(super) fn tokens(text: &str, unit: NgramUnit) -> Box<dyn Iterator<Item = Range<usize>> + '_> {
    match unit {
        NgramUnit::Character => Box::new(segments(text).into_iter()),
        NgramUnit::Word => Box::new(text.split(is_space).filter_map(|word| {
            let bare = word.trim_matches(|character: char| !character.is_alphanumeric());
            let start = bare.as_ptr() as usize - text.as_ptr() as usize;
            (!bare.is_empty()).then_some(start..start + bare.len())
        })),
    }
}

/// The hashes of a text's n-grams: sums of the tokens' hashes times powers of an odd number, so
/// that the next hash follows from the one before without looking at `order` tokens again.
pub(super) struct NgramHashes<'a> {
    text: &'a str,
    tokens: Box<dyn Iterator<Item = Range<usize>> + 'a>,
    order: usize,
    /// The hashes of the last `order` tokens.
    window: VecDeque<u64>,
    sum: u64,
    /// What the oldest token's hash was multiplied with.
    weight_of_oldest: u64,
    /// A token in lower case; kept to save allocations.
    lower: String,
}

/// Odd, so that multiplying by it loses nothing modulo 2^64.
const BASE: u64 = 0x9e37_79b9_7f4a_7c15;

impl<'a> NgramHashes<'a> {
    pub(super) fn new(text: &'a str, options: NgramOptions) -> Self {
        let NgramOptions { order, unit } = options;
        Self {
            text,
            tokens: tokens(text, unit),
            order,
            window: VecDeque::with_capacity(order),
            sum: 0,
            weight_of_oldest: (1..order).fold(1, |power: u64, _| power.wrapping_mul(BASE)),
            lower: String::new(),
        }
    }

    fn hash_of(&mut self, token: Range<usize>) -> u64 {
        let token = &self.text[token];
        self.lower.clear();
        if token.is_ascii() {
            self.lower.push_str(token);
            self.lower.make_ascii_lowercase();
        } else {
            self.lower.extend(token.chars().flat_map(char::to_lowercase));
        }
        xxh3_64(self.lower.as_bytes())
    }
}

impl Iterator for NgramHashes<'_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        loop {
            let token = self.tokens.next()?;
            let hash = self.hash_of(token);
            if self.window.len() == self.order {
                let oldest = self.window.pop_front().unwrap_or_default();
                self.sum = self.sum.wrapping_sub(oldest.wrapping_mul(self.weight_of_oldest));
            }
            self.window.push_back(hash);
            self.sum = self.sum.wrapping_mul(BASE).wrapping_add(hash);
            if self.window.len() == self.order {
                return Some(self.sum);
            }
        }
    }
}

/// For tables whose keys are hashes already.
pub(super) type ByHash = BuildHasherDefault<Identity>;

/// A hasher that passes its one number on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashes(text: &str, order: usize) -> Vec<u64> {
        NgramHashes::new(text, NgramOptions { order, unit: NgramUnit::Word }).collect()
    }

    #[test]
    fn an_ngram_has_one_hash_wherever_it_stands_and_however_it_is_written() {
        let all = hashes("x y a b c z", 3);
        assert_eq!(all[2], hashes("a b c", 3)[0]);
        assert_eq!(all[2], hashes("\"A, b\" (C)!", 3)[0]);
        assert_ne!(all[2], hashes("c b a", 3)[0]);
        assert!(hashes("a b", 3).is_empty());
    }

    #[test]
    fn tokens_are_words_without_what_surrounds_them() {
        let text = " — Don't, (İstanbul)… 3.5%";
        let found: Vec<&str> = tokens(text, NgramUnit::Word).map(|range| &text[range]).collect();
        assert_eq!(found, ["Don't", "İstanbul", "3.5"]);
    }
}
