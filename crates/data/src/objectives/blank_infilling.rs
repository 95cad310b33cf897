//! GLM's autoregressive blank infilling: spans are blanked out of the text and written one after
//! the other behind it, in random order, each from the text and the spans before it.
//!
//! Du et al., "GLM: General Language Model Pretraining with Autoregressive Blank Infilling", 2022.
//! Part A is the text with a mask token for each span; part B has, for each span, the start of a
//! piece and its tokens, and the labels beside them are the tokens and the end of the piece. Two
//! position ids say where in the text a token belongs (that of its mask), and where in its span.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::batch::MaskedExample;
use super::check::{exclusive_fraction, mean_length, probability};
use super::sentences::sentence_spans;
use super::special_ids::{SpecialIds, required};
use crate::dice::Dice;
use crate::error::{DataError, Result};
use crate::loader::IGNORE_INDEX;

/// What is blanked, and how much.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BlankInfillingOptions {
    /// Share of the tokens that spans cover, at least (short spans and sentences).
    pub mask_ratio: f64,
    /// λ of the Poisson distribution of the lengths of short spans; a length of 0 is drawn again.
    pub mean_span_length: f64,
    /// Share of the examples that blank whole sentences (`[sMASK]`).
    pub sentence_probability: f64,
    /// Share of the examples that blank one long span at the end (`[gMASK]`). The rest blanks short
    /// spans (`[MASK]`).
    pub generation_probability: f64,
    /// Of the text, the least that the long span covers; the most is all of it.
    pub min_generation_ratio: f64,
    /// Ids of the tokens that end a sentence; needed for `sentence_probability`.
    pub sentence_end_ids: Vec<u32>,
    /// Length of the rows of a batch. `None`: that of the longest example, which is the window's
    /// plus two for each span.
    pub padded_length: Option<usize>,
}

impl Default for BlankInfillingOptions {
    fn default() -> Self {
        Self {
            mask_ratio: 0.15,
            mean_span_length: 3.0,
            sentence_probability: 0.0,
            generation_probability: 0.0,
            min_generation_ratio: 0.5,
            sentence_end_ids: Vec::new(),
            padded_length: None,
        }
    }
}

/// What an example blanks out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blanks {
    /// The token in place of each span.
    pub mask: u32,
    /// Ranges of the text, in order, none empty, none touching another.
    pub spans: Vec<Range<usize>>,
    /// The order in which the spans are written: indices into `spans`.
    pub order: Vec<usize>,
}

impl BlankInfillingOptions {
    /// Checks the values, and that the vocabulary has what they need.
    pub fn validate(&self, special: &SpecialIds) -> Result<()> {
        exclusive_fraction("mask_ratio", self.mask_ratio)?;
        mean_length("mean_span_length", self.mean_span_length)?;
        probability("sentence_probability", self.sentence_probability)?;
        probability("generation_probability", self.generation_probability)?;
        probability("min_generation_ratio", self.min_generation_ratio)?;
        let long = self.sentence_probability + self.generation_probability;
        probability("sentence_probability + generation_probability", long)?;
        if self.sentence_probability > 0.0 {
            required("sentence_mask", special.sentence_mask, "sentence_probability")?;
            if self.sentence_end_ids.is_empty() {
                return Err(DataError::InvalidOption {
                    key: "sentence_end_ids".to_owned(),
                    reason: "expected at least one with sentence_probability, got none".to_owned(),
                });
            }
        }
        if self.generation_probability > 0.0 {
            required("generation_mask", special.generation_mask, "generation_probability")?;
        }
        if long < 1.0 {
            required("mask", special.mask, "blank-infilling")?;
        }
        pieces(special).map(drop)
    }

    /// Blanks a window; the same arguments give the same example. A `[CLS]` that the window begins
    /// with stays.
    pub fn apply(&self, special: &SpecialIds, window: &[u32], seed: u64) -> Result<MaskedExample> {
        let blanks = self.blanks(special, window, seed)?;
        let (start_of_piece, end_of_piece) = pieces(special)?;
        Ok(infill(window, &blanks, start_of_piece, end_of_piece))
    }

    /// What [`apply`](Self::apply) blanks out.
    pub fn blanks(&self, special: &SpecialIds, window: &[u32], seed: u64) -> Result<Blanks> {
        let mut dice = Dice::new(seed, 0);
        let kind = dice.fraction();
        let kept = usize::from(special.cls.is_some() && window.first().copied() == special.cls);
        let text = &window[kept..];
        let (mask, mut spans) = if kind < self.sentence_probability {
            let mask = required("sentence_mask", special.sentence_mask, "sentence_probability")?;
            (mask, self.sentences(text, &mut dice))
        } else if kind < self.sentence_probability + self.generation_probability {
            let id = special.generation_mask;
            (required("generation_mask", id, "generation_probability")?, self.end(text, &mut dice))
        } else {
            let mask = required("mask", special.mask, "blank-infilling")?;
            (mask, self.short_spans(text.len(), &mut dice))
        };
        for span in &mut spans {
            *span = span.start + kept..span.end + kept;
        }
        let mut order: Vec<usize> = (0..spans.len()).collect();
        dice.shuffle(&mut order);
        Ok(Blanks { mask, spans, order })
    }

    /// Poisson lengths until the ratio is covered, placed at random with text between any two.
    fn short_spans(&self, length: usize, dice: &mut Dice) -> Vec<Range<usize>> {
        let wanted = covered_at_least(length, self.mask_ratio);
        let mut lengths = Vec::new();
        let mut covered = 0;
        while covered < wanted {
            let span = positive_poisson(self.mean_span_length, dice).min(length - covered);
            // Each span but the first needs a token of text before it.
            if covered + span + lengths.len() > length {
                break;
            }
            covered += span;
            lengths.push(span);
        }
        place(length, &lengths, dice)
    }

    /// Sentences in random order until the ratio is covered; neighbours become one span.
    fn sentences(&self, text: &[u32], dice: &mut Dice) -> Vec<Range<usize>> {
        let wanted = covered_at_least(text.len(), self.mask_ratio);
        let mut sentences = sentence_spans(text, &self.sentence_end_ids);
        dice.shuffle(&mut sentences);
        let mut covered = 0;
        let mut chosen: Vec<Range<usize>> = Vec::new();
        for sentence in sentences {
            if covered >= wanted {
                break;
            }
            covered += sentence.len();
            chosen.push(sentence);
        }
        chosen.sort_unstable_by_key(|sentence| sentence.start);
        chosen.into_iter().fold(Vec::new(), |mut spans: Vec<Range<usize>>, sentence| {
            match spans.last_mut() {
                Some(last) if last.end == sentence.start => last.end = sentence.end,
                _ => spans.push(sentence),
            }
            spans
        })
    }

    /// One span at the end, of uniform length from the least ratio to all of the text.
    fn end(&self, text: &[u32], dice: &mut Dice) -> Vec<Range<usize>> {
        let length = text.len();
        if length == 0 {
            return Vec::new();
        }
        let least = covered_at_least(length, self.min_generation_ratio).max(1);
        let span = least + dice.below(length - least + 1);
        std::iter::once(length - span..length).collect()
    }
}

/// Writes part A and part B of a text with given blanks.
///
/// # Panics
/// If the spans are not in order inside the text, or `order` has an index that is not theirs.
pub fn infill(
    text: &[u32],
    blanks: &Blanks,
    start_of_piece: u32,
    end_of_piece: u32,
) -> MaskedExample {
    let (mut input_ids, mask_positions) = part_a(text, blanks);
    let part_a_len = input_ids.len();
    let mut labels = vec![IGNORE_INDEX; part_a_len];
    let mut position_ids: Vec<u32> = (0..part_a_len as u32).collect();
    let mut block_position_ids = vec![0; part_a_len];
    for &index in &blanks.order {
        let span = &text[blanks.spans[index].clone()];
        input_ids.push(start_of_piece);
        input_ids.extend_from_slice(span);
        labels.extend(span.iter().copied().map(i64::from));
        labels.push(i64::from(end_of_piece));
        position_ids.resize(input_ids.len(), mask_positions[index]);
        block_position_ids.extend(1..=span.len() as u32 + 1);
    }
    MaskedExample {
        input_ids,
        labels,
        position_ids: Some(position_ids),
        block_position_ids: Some(block_position_ids),
        prefix_len: Some(part_a_len),
        ..MaskedExample::default()
    }
}

/// The text with a mask for each span, and where each mask is.
fn part_a(text: &[u32], blanks: &Blanks) -> (Vec<u32>, Vec<u32>) {
    let mut ids = Vec::with_capacity(text.len());
    let mut positions = Vec::with_capacity(blanks.spans.len());
    let mut at = 0;
    for span in &blanks.spans {
        ids.extend_from_slice(&text[at..span.start]);
        positions.push(ids.len() as u32);
        ids.push(blanks.mask);
        at = span.end;
    }
    ids.extend_from_slice(&text[at..]);
    (ids, positions)
}

fn pieces(special: &SpecialIds) -> Result<(u32, u32)> {
    Ok((
        required("start_of_piece", special.start_of_piece, "blank-infilling")?,
        required("end_of_piece", special.end_of_piece, "blank-infilling")?,
    ))
}

/// The fewest tokens that are at least this share of `length`.
fn covered_at_least(length: usize, ratio: f64) -> usize {
    // The product of 20 and 0.15 is a hair above 3.
    ((length as f64 * ratio - 1e-9).ceil().max(0.0) as usize).min(length)
}

/// A Poisson draw that is not 0, by Knuth's product of uniforms.
fn positive_poisson(mean: f64, dice: &mut Dice) -> usize {
    let limit = (-mean).exp();
    loop {
        let mut count = 0;
        let mut product = dice.fraction();
        while product > limit {
            count += 1;
            product *= dice.fraction();
        }
        if count > 0 {
            return count;
        }
    }
}

/// Puts spans of these lengths, in this order, at random into a text: every way to place them with
/// at least one token between two is as likely as the next.
fn place(length: usize, lengths: &[usize], dice: &mut Dice) -> Vec<Range<usize>> {
    let kept = length - lengths.iter().sum::<usize>();
    // A span goes before one of the kept tokens or after all; no two go to the same place.
    let mut gaps: Vec<usize> = (0..=kept).collect();
    dice.shuffle(&mut gaps);
    gaps.truncate(lengths.len());
    gaps.sort_unstable();
    let mut before = 0;
    gaps.into_iter()
        .zip(lengths)
        .map(|(gap, &len)| {
            let start = gap + before;
            before += len;
            start..start + len
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn special() -> SpecialIds {
        SpecialIds {
            cls: Some(1),
            mask: Some(2),
            generation_mask: Some(3),
            start_of_piece: Some(4),
            end_of_piece: Some(5),
            sentence_mask: Some(6),
            ..SpecialIds::new(2000)
        }
    }

    proptest! {
        #[test]
        fn spans_are_apart_inside_the_text_and_cover_the_ratio(
            length in 0_usize..300, ratio in 0.05_f64..0.4, mean in 1.0_f64..6.0, seed: u64,
        ) {
            let options = BlankInfillingOptions {
                mask_ratio: ratio, mean_span_length: mean, ..BlankInfillingOptions::default()
            };
            let window: Vec<u32> = (10..).take(length).collect();
            let blanks = options.blanks(&special(), &window, seed).expect("valid");
            let mut at = None;
            for span in &blanks.spans {
                prop_assert!(!span.is_empty() && at.is_none_or(|end| end < span.start));
                at = Some(span.end);
            }
            prop_assert!(at.is_none_or(|end| end <= length));
            let covered: usize = blanks.spans.iter().map(Range::len).sum();
            // Texts of a few tokens may have no room for the last span.
            prop_assert!(length < 20 || covered >= covered_at_least(length, ratio), "{covered}");
            let mut order = blanks.order.clone();
            order.sort_unstable();
            prop_assert_eq!(order, (0..blanks.spans.len()).collect::<Vec<_>>());
        }

        #[test]
        fn putting_the_pieces_back_gives_the_text(length in 1_usize..200, seed: u64) {
            let window: Vec<u32> = (10..).take(length).collect();
            let options = BlankInfillingOptions::default();
            let blanks = options.blanks(&special(), &window, seed).expect("valid");
            let example = options.apply(&special(), &window, seed).expect("valid");
            let part_a_len = example.prefix_len.expect("part A");
            let positions = example.position_ids.expect("positions");
            let mut text = Vec::new();
            for (position, &id) in (0..).zip(&example.input_ids[..part_a_len]) {
                if id != blanks.mask {
                    text.push(id);
                    continue;
                }
                let piece = (part_a_len..positions.len()).filter(|&at| positions[at] == position);
                text.extend(piece.map(|at| example.labels[at] as u32).filter(|&id| id != 5));
            }
            prop_assert_eq!(text, window);
        }
    }

    #[test]
    fn sentences_are_blanked_whole() {
        let options = BlankInfillingOptions {
            sentence_probability: 1.0,
            sentence_end_ids: vec![9],
            mask_ratio: 0.3,
            ..BlankInfillingOptions::default()
        };
        let window = [1, 20, 21, 9, 22, 23, 24, 9, 25, 9, 26, 27, 9];
        for seed in 0..30 {
            let blanks = options.blanks(&special(), &window, seed).expect("valid");
            assert_eq!(blanks.mask, 6);
            for span in &blanks.spans {
                assert!(span.start == 1 || window[span.start - 1] == 9, "{span:?}");
                assert_eq!(window[span.end - 1], 9, "{span:?}");
            }
        }
    }

    #[test]
    fn the_long_span_is_at_the_end_and_leaves_the_first_special_token() {
        let options = BlankInfillingOptions {
            generation_probability: 1.0,
            ..BlankInfillingOptions::default()
        };
        let window: Vec<u32> = [1].into_iter().chain(10..30).collect();
        let mut lengths = Vec::new();
        for seed in 0..200 {
            let blanks = options.blanks(&special(), &window, seed).expect("valid");
            let [span] = &blanks.spans[..] else { panic!("one span, not {blanks:?}") };
            assert_eq!((blanks.mask, span.end), (3, window.len()));
            lengths.push(span.len());
        }
        assert_eq!((lengths.iter().min(), lengths.iter().max()), (Some(&10), Some(&20)));
    }

    #[test]
    fn sentence_spans_need_to_know_where_sentences_end() {
        let options =
            BlankInfillingOptions { sentence_probability: 0.5, ..BlankInfillingOptions::default() };
        let error = options.validate(&special()).expect_err("no ends").to_string();
        assert!(error.starts_with("sentence_end_ids: "), "{error}");
    }
}
