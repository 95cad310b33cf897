//! Training examples, and what a trainer reads of several: flat matrices, row by row.
//!
//! An example is as long as it is; a batch pads its rows on the right to one length. Labels stand
//! where the model's output is compared with them (no further shift), [`IGNORE_INDEX`] elsewhere.

use super::special_ids::SpecialIds;
use crate::error::{DataError, Result};
use crate::loader::IGNORE_INDEX;

/// One row for a model with a single stack. All vectors that are there have the same length.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MaskedExample {
    /// What the model sees.
    pub input_ids: Vec<u32>,
    /// What it should say at each position, or [`IGNORE_INDEX`].
    pub labels: Vec<i64>,
    /// Which of two segments a token is of, 0 or 1.
    pub token_type_ids: Option<Vec<u32>>,
    /// Positions, where they are not 0, 1, 2, …
    pub position_ids: Option<Vec<u32>>,
    /// GLM's second position: 0 in part A, 1, 2, … in each piece of part B.
    pub block_position_ids: Option<Vec<u32>>,
    /// The document of each position, where one may not attend to another.
    pub segment_ids: Option<Vec<u32>>,
    /// Positions that all may attend to: a prefix, or GLM's part A. The others are causal. `None`:
    /// all may attend to all.
    pub prefix_len: Option<usize>,
    /// The class of the whole row, such as "is the next sentence".
    pub sentence_label: Option<i64>,
}

/// Rows for a model with a single stack; all matrices are `[batch, seq]`, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaskedBatch {
    /// Number of rows.
    pub batch: usize,
    /// Length of a row.
    pub seq: usize,
    /// What the model sees; padding on the right.
    pub input_ids: Vec<u32>,
    /// 1 where there is an example, 0 where there is padding.
    pub attention_mask: Vec<u32>,
    /// Which of two segments each token is of.
    pub token_type_ids: Option<Vec<u32>>,
    /// Positions. `None`: 0, 1, 2, …
    pub position_ids: Option<Vec<u32>>,
    /// GLM's second positions.
    pub block_position_ids: Option<Vec<u32>>,
    /// The document of each position; a position attends to its own only.
    pub segment_ids: Option<Vec<u32>>,
    /// `[batch]`: the length of what all positions of a row may attend to, the prefix or GLM's part
    /// A; after it, attention is causal. `None`: all may attend to all.
    pub prefix_len: Option<Vec<u32>>,
    /// What to say at each position, or [`IGNORE_INDEX`].
    pub labels: Vec<i64>,
    /// `[batch]`: the class of each row.
    pub sentence_label: Option<Vec<i64>>,
}

impl MaskedBatch {
    /// Puts examples of one objective together. Rows are as long as the longest, or as `seq`.
    ///
    /// A matrix is there if all examples have its row.
    pub fn collate(
        examples: &[MaskedExample],
        special: &SpecialIds,
        seq: Option<usize>,
    ) -> Result<Self> {
        let seq = row_length("seq", examples.iter().map(|e| e.input_ids.len()), seq)?;
        let optional = |field: fn(&MaskedExample) -> Option<&Vec<u32>>, fill: u32| {
            let rows: Option<Vec<&Vec<u32>>> = examples.iter().map(field).collect();
            rows.map(|rows| pad(rows.into_iter().map(Vec::as_slice), seq, fill))
        };
        let rows =
            |field: fn(&MaskedExample) -> &[u32], fill| pad(examples.iter().map(field), seq, fill);
        Ok(Self {
            batch: examples.len(),
            seq,
            input_ids: rows(|e| &e.input_ids, special.padding()),
            attention_mask: mask(examples.iter().map(|e| e.input_ids.len()), seq),
            token_type_ids: optional(|e| e.token_type_ids.as_ref(), 0),
            position_ids: optional(|e| e.position_ids.as_ref(), 0),
            block_position_ids: optional(|e| e.block_position_ids.as_ref(), 0),
            segment_ids: optional(|e| e.segment_ids.as_ref(), u32::MAX),
            prefix_len: examples.iter().map(|e| e.prefix_len.map(|len| len as u32)).collect(),
            labels: pad(examples.iter().map(|e| e.labels.as_slice()), seq, IGNORE_INDEX),
            sentence_label: examples.iter().map(|e| e.sentence_label).collect(),
        })
    }

    /// Number of positions that have a label: the denominator of a mean loss.
    pub fn label_count(&self) -> usize {
        label_count(&self.labels)
    }

    /// Whether position `query` of a row may attend to position `key`: what the attention mask over
    /// this batch says.
    ///
    /// # Panics
    /// If the row or a position is out of range.
    pub fn attends(&self, row: usize, query: usize, key: usize) -> bool {
        assert!(row < self.batch && query < self.seq && key < self.seq);
        let start = row * self.seq;
        let real = |position: usize| self.attention_mask[start + position] == 1;
        let same = |segments: &Vec<u32>| segments[start + query] == segments[start + key];
        let visible = self
            .prefix_len
            .as_ref()
            .is_none_or(|prefix| key < prefix[row] as usize || (real(query) && key <= query));
        real(key) && visible && self.segment_ids.as_ref().is_none_or(same)
    }
}

/// Whether each query may attend to each key, `[seq, seq]`, in a row without padding whose first
/// `prefix_len` positions are seen by all: the mask of a prefix language model, and of GLM with its
/// part A as the prefix.
pub fn attention_allowed(prefix_len: usize, seq: usize) -> Vec<Vec<bool>> {
    (0..seq).map(|query| (0..seq).map(|key| key < prefix_len || key <= query).collect()).collect()
}

/// One pair for an encoder-decoder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seq2SeqExample {
    /// What the encoder sees.
    pub source: Vec<u32>,
    /// What the decoder should say, or [`IGNORE_INDEX`].
    pub labels: Vec<i64>,
}

/// Pairs for an encoder-decoder. Matrices of the encoder are `[batch, source_len]`, those of the
/// decoder `[batch, target_len]`, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seq2SeqBatch {
    /// Number of rows.
    pub batch: usize,
    /// Length of an encoder's row.
    pub source_len: usize,
    /// Length of a decoder's row.
    pub target_len: usize,
    /// What the encoder sees; padding on the right.
    pub input_ids: Vec<u32>,
    /// 1 where the encoder has a token, 0 where it has padding. The decoder needs no mask: it is
    /// causal, and its padding is on the right.
    pub attention_mask: Vec<u32>,
    /// What the decoder sees: the labels, one position later.
    pub decoder_input_ids: Vec<u32>,
    /// What the decoder should say, or [`IGNORE_INDEX`].
    pub labels: Vec<i64>,
}

impl Seq2SeqBatch {
    /// Number of positions that have a label: the denominator of a mean loss.
    pub fn label_count(&self) -> usize {
        label_count(&self.labels)
    }
}

/// The length of the rows of a batch: the longest, or the one asked for.
pub(super) fn row_length(
    key: &str,
    lengths: impl Iterator<Item = usize>,
    asked: Option<usize>,
) -> Result<usize> {
    let longest = lengths.max().unwrap_or(0).max(1);
    match asked {
        Some(asked) if asked < longest => Err(DataError::InvalidOption {
            key: key.to_owned(),
            reason: format!("expected at least {longest}, the longest example, got {asked}"),
        }),
        asked => Ok(asked.unwrap_or(longest)),
    }
}

/// Rows of `length`, filled up with `fill`.
pub(super) fn pad<'a, T: Copy + 'a>(
    rows: impl Iterator<Item = &'a [T]>,
    length: usize,
    fill: T,
) -> Vec<T> {
    let mut padded = Vec::new();
    for row in rows {
        let end = padded.len() + length;
        padded.extend_from_slice(row);
        padded.resize(end, fill);
    }
    padded
}

/// 1 for each token of a row, then 0 up to `length`.
pub(super) fn mask(lengths: impl Iterator<Item = usize>, length: usize) -> Vec<u32> {
    lengths.flat_map(|len| (0..length).map(move |position| u32::from(position < len))).collect()
}

fn label_count(labels: &[i64]) -> usize {
    labels.iter().filter(|&&label| label != IGNORE_INDEX).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(input_ids: &[u32]) -> MaskedExample {
        MaskedExample {
            input_ids: input_ids.to_vec(),
            labels: input_ids.iter().map(|&id| i64::from(id)).collect(),
            token_type_ids: Some(vec![1; input_ids.len()]),
            ..MaskedExample::default()
        }
    }

    #[test]
    fn rows_are_padded_to_the_longest_and_padding_has_no_label() {
        let special = SpecialIds { pad: Some(9), ..SpecialIds::new(10) };
        let batch = MaskedBatch::collate(&[example(&[1]), example(&[2, 3])], &special, None);
        let batch = batch.expect("collates");
        assert_eq!((batch.batch, batch.seq), (2, 2));
        assert_eq!(batch.input_ids, [1, 9, 2, 3]);
        assert_eq!(batch.attention_mask, [1, 0, 1, 1]);
        assert_eq!(batch.labels, [1, -100, 2, 3]);
        assert_eq!(batch.token_type_ids, Some(vec![1, 0, 1, 1]));
        assert_eq!((batch.position_ids.clone(), batch.label_count()), (None, 3));
        assert!(batch.attends(1, 0, 1) && !batch.attends(0, 0, 1));
    }

    #[test]
    fn a_row_longer_than_the_length_asked_for_is_an_error() {
        let special = SpecialIds::new(10);
        let error = MaskedBatch::collate(&[example(&[1, 2])], &special, Some(1));
        let message = error.expect_err("too short").to_string();
        assert_eq!(message, "seq: expected at least 2, the longest example, got 1");
    }
}
