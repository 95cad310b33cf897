//! What an objective must know of a vocabulary: which ids are not text, and which token plays which
//! part in an example.
//!
//! It holds ids only. Where words begin, for whole-word masking, is a [`WordTable`]'s knowledge.

use wuji_tokenizer::Tokenizer;

use super::words::WordTable;
use crate::dice::Dice;
use crate::error::{DataError, Result};

/// The special tokens of a vocabulary, by the part that they play.
///
/// ```
/// use wuji_data::objectives::SpecialIds;
/// let special = SpecialIds { mask: Some(4), pad: Some(0), ..SpecialIds::new(100) };
/// assert!(special.is_special(4) && !special.is_special(5));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpecialIds {
    /// Number of ids; every id is smaller.
    pub vocab_size: u32,
    /// Fills the rows of a batch up to one length.
    pub pad: Option<u32>,
    /// Begins a text (BERT's `[CLS]`).
    pub cls: Option<u32>,
    /// Ends a segment (BERT's `[SEP]`).
    pub sep: Option<u32>,
    /// Ends a document, and the sequences of an encoder-decoder.
    pub eos: Option<u32>,
    /// Stands for what is to be guessed (`[MASK]`).
    pub mask: Option<u32>,
    /// Stands for whole sentences (GLM's `[sMASK]`).
    pub sentence_mask: Option<u32>,
    /// Stands for the rest of the text (GLM's `[gMASK]`).
    pub generation_mask: Option<u32>,
    /// Begins a piece of GLM's part B.
    pub start_of_piece: Option<u32>,
    /// Ends a piece of GLM's part B.
    pub end_of_piece: Option<u32>,
    /// T5's `extra_id_0`, `extra_id_1`, … in this order, whatever their ids.
    pub sentinels: Vec<u32>,
    /// Fill-in-the-middle: before the prefix.
    pub fim_prefix: Option<u32>,
    /// Fill-in-the-middle: before the middle.
    pub fim_middle: Option<u32>,
    /// Fill-in-the-middle: before the suffix.
    pub fim_suffix: Option<u32>,
    /// Every other id that is not text.
    pub other: Vec<u32>,
    /// Where words begin; only whole-word masking asks.
    pub words: Option<WordTable>,
}

impl SpecialIds {
    /// A vocabulary of this size without any special token.
    pub fn new(vocab_size: u32) -> Self {
        Self { vocab_size, ..Self::default() }
    }

    /// `extra_id_k = vocab_size − 1 − k`, as T5's vocabulary has them.
    #[must_use]
    pub fn with_descending_sentinels(mut self, count: u32) -> Self {
        self.sentinels = (0..count.min(self.vocab_size)).map(|k| self.vocab_size - 1 - k).collect();
        self
    }

    /// Finds the special tokens of a tokenizer, by its configuration and by their usual names.
    pub fn from_tokenizer(tokenizer: &Tokenizer) -> Self {
        let named = |names: &[&str]| names.iter().find_map(|name| tokenizer.token_to_id(name));
        let extra = |k: u32| tokenizer.token_to_id(&format!("<extra_id_{k}>"));
        Self {
            vocab_size: u32::try_from(tokenizer.vocab_size()).unwrap_or(u32::MAX),
            pad: tokenizer.pad_token_id(),
            cls: tokenizer.cls_token_id(),
            sep: tokenizer.sep_token_id(),
            eos: tokenizer.eos_token_id(),
            mask: tokenizer.mask_token_id().or_else(|| named(&["[MASK]", "<mask>"])),
            sentence_mask: named(&["[sMASK]"]),
            generation_mask: named(&["[gMASK]"]),
            start_of_piece: named(&["<|startofpiece|>", "<sop>"]),
            end_of_piece: named(&["<|endofpiece|>", "<eop>"]),
            sentinels: (0..).map_while(extra).collect(),
            fim_prefix: named(&["<|fim_prefix|>", "<fim_prefix>", "<fim-prefix>"]),
            fim_middle: named(&["<|fim_middle|>", "<fim_middle>", "<fim-middle>"]),
            fim_suffix: named(&["<|fim_suffix|>", "<fim_suffix>", "<fim-suffix>"]),
            other: tokenizer.special_tokens().into_iter().map(|(_, id)| id).collect(),
            words: WordTable::of_tokenizer(tokenizer),
        }
    }

    /// Whether an id stands for something other than text.
    pub fn is_special(&self, id: u32) -> bool {
        self.roles().any(|role| role == id)
            || self.sentinels.contains(&id)
            || self.other.contains(&id)
    }

    /// The id that fills rows: the padding token, else the end of text, else 0. An attention mask
    /// hides these positions, so the choice is only seen by whoever prints a batch.
    pub fn padding(&self) -> u32 {
        self.pad.or(self.eos).unwrap_or(0)
    }

    /// The ids that are text.
    pub(super) fn ordinary(&self) -> OrdinaryIds {
        let mut special: Vec<u32> =
            self.roles().chain(self.sentinels.iter().copied()).chain(self.other.clone()).collect();
        special.retain(|&id| id < self.vocab_size);
        special.sort_unstable();
        special.dedup();
        OrdinaryIds { vocab_size: self.vocab_size, special }
    }

    fn roles(&self) -> impl Iterator<Item = u32> {
        let roles = [
            self.pad,
            self.cls,
            self.sep,
            self.eos,
            self.mask,
            self.sentence_mask,
            self.generation_mask,
            self.start_of_piece,
            self.end_of_piece,
            self.fim_prefix,
            self.fim_middle,
            self.fim_suffix,
        ];
        roles.into_iter().flatten()
    }
}

/// The token of a role that an objective cannot do without.
pub(super) fn required(role: &str, id: Option<u32>, why: &str) -> Result<u32> {
    id.ok_or_else(|| DataError::InvalidOption {
        key: format!("special.{role}"),
        reason: format!("expected a tokenizer with this special token ({why}), got one without"),
    })
}

/// The ids of a vocabulary that are text, to draw from.
///
/// Invariant: `special` is sorted, without repetition, and below `vocab_size`.
pub(super) struct OrdinaryIds {
    vocab_size: u32,
    special: Vec<u32>,
}

impl OrdinaryIds {
    pub(super) fn len(&self) -> usize {
        self.vocab_size as usize - self.special.len()
    }

    /// One of them, each as likely as the next.
    ///
    /// # Panics
    /// If there is none.
    pub(super) fn draw(&self, dice: &mut Dice) -> u32 {
        self.nth(dice.below(self.len()) as u32)
    }

    /// The `rank`-th ordinary id: `rank` plus the number of special ids below the result.
    fn nth(&self, rank: u32) -> u32 {
        let mut id = rank;
        for &special in &self.special {
            if special > id {
                break;
            }
            id += 1;
        }
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_ids_are_all_that_are_not_special() {
        let special =
            SpecialIds { pad: Some(0), mask: Some(4), other: vec![5, 5, 99], ..SpecialIds::new(8) }
                .with_descending_sentinels(1);
        let ordinary = special.ordinary();
        let ids: Vec<u32> = (0..ordinary.len() as u32).map(|rank| ordinary.nth(rank)).collect();
        assert_eq!(ids, [1, 2, 3, 6]);
        assert!(ids.iter().all(|&id| !special.is_special(id)));
        assert!([0, 4, 5, 7].iter().all(|&id| special.is_special(id)));
    }

    #[test]
    fn sentinels_descend_from_the_end_of_the_vocabulary() {
        assert_eq!(SpecialIds::new(100).with_descending_sentinels(3).sentinels, [99, 98, 97]);
        assert_eq!(SpecialIds::new(2).with_descending_sentinels(3).sentinels, [1, 0]);
    }
}
