//! Masked language modelling: some tokens are hidden, and the model says what they were.
//!
//! Devlin et al., "BERT", 2018; with whole words, as its later release; and dynamic: the choice is
//! a function of a seed, so another epoch masks other tokens (Liu et al., "RoBERTa", 2019). Which
//! tokens make a word is [`WordTable`](super::WordTable)'s knowledge; where `[CLS]` goes is up to
//! the caller, or to [`SentencePairOptions`](super::SentencePairOptions).

use serde::{Deserialize, Serialize};

use super::batch::MaskedExample;
use super::check::{exclusive_fraction, probability};
use super::sentence_pairs::SentencePairOptions;
use super::special_ids::{SpecialIds, required};
use crate::dice::Dice;
use crate::error::{DataError, Result};
use crate::loader::IGNORE_INDEX;

/// How tokens are masked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MaskingOptions {
    /// Share of the tokens to guess; special tokens are never among them.
    pub mlm_probability: f64,
    /// Of those, the share that the model sees as `[MASK]`.
    pub mask_share: f64,
    /// Of those, the share that the model sees as a random token of the text's vocabulary.
    pub random_share: f64,
    /// Of those, the share that the model sees as they are. The three shares sum to one.
    pub keep_share: f64,
    /// Whether words are chosen rather than tokens.
    pub whole_word: bool,
    /// With `whole_word`: words are those of a Chinese segmenter.
    pub segment_chinese: bool,
    /// Whether `[CLS]` and `[SEP]` take the place of the last two tokens of a window, around it.
    pub add_special_tokens: bool,
    /// Rows are two segments of documents instead of windows, and the model also answers a question
    /// about them: the next-sentence prediction of BERT, or the sentence order of ALBERT.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sentence_pairs: Option<SentencePairOptions>,
}

impl Default for MaskingOptions {
    fn default() -> Self {
        Self {
            mlm_probability: 0.15,
            mask_share: 0.8,
            random_share: 0.1,
            keep_share: 0.1,
            whole_word: false,
            segment_chinese: false,
            add_special_tokens: false,
            sentence_pairs: None,
        }
    }
}

impl MaskingOptions {
    /// Checks the values, and that the vocabulary has what they need.
    pub fn validate(&self, special: &SpecialIds) -> Result<()> {
        let invalid = |key: &str, reason: String| {
            Err(DataError::InvalidOption { key: key.to_owned(), reason })
        };
        exclusive_fraction("mlm_probability", self.mlm_probability)?;
        probability("mask_share", self.mask_share)?;
        probability("random_share", self.random_share)?;
        probability("keep_share", self.keep_share)?;
        let sum = self.mask_share + self.random_share + self.keep_share;
        if (sum - 1.0).abs() > 1e-6 {
            let reason = format!("expected a sum of 1, got {sum}");
            return invalid("mask_share + random_share + keep_share", reason);
        }
        if self.segment_chinese && !self.whole_word {
            return invalid("segment_chinese", "expected whole_word = true with it".to_owned());
        }
        if self.whole_word && special.words.is_none() {
            let reason = "expected a tokenizer that tells where words begin, got one that does not";
            return invalid("whole_word", reason.to_owned());
        }
        if special.ordinary().len() == 0 {
            let reason = format!("{} ids, none of them text", special.vocab_size);
            return invalid("special.vocab_size", reason);
        }
        if self.add_special_tokens {
            required("cls", special.cls, "add_special_tokens")?;
            required("sep", special.sep, "add_special_tokens")?;
        }
        if let Some(pairs) = &self.sentence_pairs {
            pairs.validate()?;
            required("cls", special.cls, "sentence_pairs")?;
            required("sep", special.sep, "sentence_pairs")?;
        }
        required("mask", special.mask, "masked-lm").map(drop)
    }

    /// Masks a window of tokens; the same arguments give the same example.
    ///
    /// The window must have at least its text; with `add_special_tokens` the example is as long as
    /// the window, whose last two tokens go.
    /// With `sentence_pairs`, which a window cannot hold, it is an error.
    pub fn apply(&self, special: &SpecialIds, window: &[u32], seed: u64) -> Result<MaskedExample> {
        self.validate(special)?;
        if self.sentence_pairs.is_some() {
            return Err(DataError::InvalidOption {
                key: "sentence_pairs".to_owned(),
                reason: "expected none for windows of text; pairs are cut from documents"
                    .to_owned(),
            });
        }
        let mut ids = window.to_vec();
        if let (true, Some(cls), Some(sep)) = (self.add_special_tokens, special.cls, special.sep) {
            ids.truncate(window.len().saturating_sub(2));
            ids.insert(0, cls);
            ids.push(sep);
            ids.truncate(window.len());
        }
        let (input_ids, labels) = self.mask(special, &ids, seed)?;
        Ok(MaskedExample { input_ids, labels, ..MaskedExample::default() })
    }

    /// The masked ids and the labels of a sequence that has its special tokens already.
    pub(super) fn mask(
        &self,
        special: &SpecialIds,
        ids: &[u32],
        seed: u64,
    ) -> Result<(Vec<u32>, Vec<i64>)> {
        let mask_id = required("mask", special.mask, "masked-lm")?;
        let mut dice = Dice::new(seed, 0);
        let selected = self.select(special, ids, &mut dice);
        let ordinary = special.ordinary();
        // Every position draws, whether selected or not, so that a draw belongs to its position.
        let draws: Vec<(f64, u32)> =
            ids.iter().map(|_| (dice.fraction(), ordinary.draw(&mut dice))).collect();
        let (uniform, random_tokens): (Vec<f64>, Vec<u32>) = draws.into_iter().unzip();
        let draws =
            MaskDraws { selected: &selected, uniform: &uniform, random_tokens: &random_tokens };
        Ok(apply_draws(ids, &draws, mask_id, self.mask_share, self.random_share))
    }

    fn select(&self, special: &SpecialIds, ids: &[u32], dice: &mut Dice) -> Vec<bool> {
        let maskable: Vec<bool> = ids.iter().map(|&id| !special.is_special(id)).collect();
        let words = special.words.as_ref().filter(|_| self.whole_word).map(|table| {
            let is_special = |id| special.is_special(id);
            if self.segment_chinese {
                return table.chinese_groups(ids, is_special);
            }
            table.groups(ids, is_special)
        });
        match words {
            Some(words) => select_words(&maskable, &words, self.mlm_probability, dice),
            None => maskable.iter().map(|&m| dice.chance(self.mlm_probability) && m).collect(),
        }
    }
}

/// Everything random about one masking, position by position.
#[derive(Clone, Copy, Debug)]
pub struct MaskDraws<'a> {
    /// Which tokens are to be guessed.
    pub selected: &'a [bool],
    /// In `[0, 1)`: below the share of `[MASK]` the token becomes that, below the sum of that and
    /// the random share it becomes a random one, else it stays.
    pub uniform: &'a [f64],
    /// The random token of each position, should it come to that.
    pub random_tokens: &'a [u32],
}

/// Masks by given draws: ids as the model sees them, and the labels, which are the selected tokens
/// and [`IGNORE_INDEX`] elsewhere.
///
/// # Panics
/// If the draws are fewer than the tokens.
pub fn apply_draws(
    ids: &[u32],
    draws: &MaskDraws<'_>,
    mask_id: u32,
    mask_share: f64,
    random_share: f64,
) -> (Vec<u32>, Vec<i64>) {
    let see = |at: usize| match draws.uniform[at] {
        _ if !draws.selected[at] => ids[at],
        u if u < mask_share => mask_id,
        u if u < mask_share + random_share => draws.random_tokens[at],
        _ => ids[at],
    };
    let label = |(&id, &selected)| if selected { i64::from(id) } else { IGNORE_INDEX };
    ((0..ids.len()).map(see).collect(), ids.iter().zip(draws.selected).map(label).collect())
}

/// BERT's whole-word rule: words are taken in random order until `round(probability · n)` of the n
/// maskable tokens are reached, at least one; a word that would exceed this number is left out, so
/// the number is met exactly whenever the remaining words can.
fn select_words(
    maskable: &[bool],
    groups: &[Option<u32>],
    probability: f64,
    dice: &mut Dice,
) -> Vec<bool> {
    let mut selected = vec![false; maskable.len()];
    let mut words = words(maskable, groups);
    let tokens: usize = words.iter().map(Vec::len).sum();
    let budget = ((tokens as f64 * probability).round_ties_even() as usize).max(1);
    dice.shuffle(&mut words);
    let mut taken = 0;
    for word in words {
        if taken + word.len() <= budget {
            taken += word.len();
            word.into_iter().for_each(|position| selected[position] = true);
        }
    }
    selected
}

/// The maskable positions of each word. Tokens of one word are neighbours.
fn words(maskable: &[bool], groups: &[Option<u32>]) -> Vec<Vec<usize>> {
    let mut words: Vec<Vec<usize>> = Vec::new();
    let mut current = None;
    for (at, (&maskable, &group)) in maskable.iter().zip(groups).enumerate() {
        let group = group.filter(|_| maskable);
        match words.last_mut() {
            Some(word) if group.is_some() && group == current => word.push(at),
            _ if maskable => words.push(vec![at]),
            _ => {}
        }
        current = group;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_without_a_word_are_words_of_their_own() {
        let groups = [Some(0), Some(0), None, None, Some(1), Some(1), Some(2)];
        let maskable = [true, true, true, true, true, false, true];
        let expected = vec![vec![0, 1], vec![2], vec![3], vec![4], vec![6]];
        assert_eq!(words(&maskable, &groups), expected);
    }

    #[test]
    fn whole_words_meet_the_budget_exactly_when_they_can() {
        // Ten words of two tokens: 15 % of 20 is 3, of which whole words reach 2.
        let groups: Vec<Option<u32>> = (0..20).map(|at| Some(at / 2)).collect();
        let count = |groups: &[Option<u32>], seed| {
            let maskable = vec![true; groups.len()];
            let selected = select_words(&maskable, groups, 0.15, &mut Dice::new(seed, 0));
            selected.iter().filter(|&&s| s).count()
        };
        assert!((0..50).all(|seed| count(&groups, seed) == 2));
        // With words of one token among them the third is found.
        let mixed: Vec<Option<u32>> = (0..20).map(|at| Some((at / 2).min(5))).collect();
        let mixed: Vec<Option<u32>> =
            mixed.iter().map(|&word| word.filter(|&word| word < 5)).collect();
        assert!((0..50).all(|seed| count(&mixed, seed) == 3));
    }

    #[test]
    fn each_share_and_probability_is_checked_by_name() {
        let special = SpecialIds { mask: Some(1), ..SpecialIds::new(10) };
        let check = |change: fn(&mut MaskingOptions), key: &str| {
            let mut options = MaskingOptions::default();
            change(&mut options);
            let error = options.validate(&special).expect_err(key).to_string();
            assert!(error.starts_with(key), "{error}");
        };
        check(|o| o.mlm_probability = 1.5, "mlm_probability");
        check(|o| o.mlm_probability = f64::NAN, "mlm_probability");
        check(|o| o.mask_share = -0.1, "mask_share");
        check(|o| o.mask_share = 0.7, "mask_share + random_share + keep_share");
        check(|o| o.segment_chinese = true, "segment_chinese");
        check(|o| o.whole_word = true, "whole_word");
        check(|o| o.add_special_tokens = true, "special.cls");
        assert!(MaskingOptions::default().validate(&special).is_ok());
        assert!(MaskingOptions::default().validate(&SpecialIds::new(10)).is_err());
    }
}
