//! Pairs of a source and a target for an encoder-decoder: translation, summaries, instructions, and
//! what [`span_corruption`](super::SpanCorruptionOptions) makes of plain text.
//!
//! Sutskever et al., "Sequence to Sequence Learning with Neural Networks", 2014. The decoder sees
//! the target one position late, behind a start token, and is asked for each of its tokens.

use super::batch::{Seq2SeqBatch, Seq2SeqExample, mask, pad, row_length};
use crate::dice::Dice;
use crate::error::Result;
use crate::loader::IGNORE_INDEX;

/// How pairs become a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seq2SeqCollation {
    /// Fills rows.
    pub pad: u32,
    /// What the decoder sees first (T5: the padding token).
    pub decoder_start: u32,
    /// Length of the encoder's rows. `None`: that of the longest source.
    pub source_len: Option<usize>,
    /// Length of the decoder's rows. `None`: that of the longest target.
    pub target_len: Option<usize>,
}

impl Seq2SeqExample {
    /// A pair of token ids; whatever should end the target must be in it.
    pub fn new(source: &[u32], target: &[u32]) -> Self {
        let labels = target.iter().copied().map(i64::from).collect();
        Self { source: source.to_vec(), labels }
    }
}

impl Seq2SeqCollation {
    /// Puts pairs together, padded on the right.
    pub fn collate(&self, examples: &[Seq2SeqExample]) -> Result<Seq2SeqBatch> {
        let sources = || examples.iter().map(|example| example.source.as_slice());
        let targets = || examples.iter().map(|example| example.labels.as_slice());
        let source_len = row_length("source_len", sources().map(<[u32]>::len), self.source_len)?;
        let target_len = row_length("target_len", targets().map(<[i64]>::len), self.target_len)?;
        let labels = pad(targets(), target_len, IGNORE_INDEX);
        let decoder_input_ids = labels
            .chunks(target_len)
            .flat_map(|row| shift_right(row, self.decoder_start, self.pad))
            .collect();
        Ok(Seq2SeqBatch {
            batch: examples.len(),
            source_len,
            target_len,
            input_ids: pad(sources(), source_len, self.pad),
            attention_mask: mask(sources().map(<[u32]>::len), source_len),
            decoder_input_ids,
            labels,
        })
    }
}

/// What the decoder sees for these labels: the start token, then each label but the last, with
/// padding for what is ignored.
///
/// ```
/// use wuji_data::objectives::shift_right;
/// assert_eq!(shift_right(&[7, 8, 1, -100, -100], 0, 0), [0, 7, 8, 1, 0]);
/// ```
pub fn shift_right(labels: &[i64], decoder_start: u32, pad: u32) -> Vec<u32> {
    let seen = labels.iter().map(|&label| u32::try_from(label).unwrap_or(pad));
    std::iter::once(decoder_start).chain(seen).take(labels.len()).collect()
}

/// Batches of pairs of similar lengths, in random order: every index once, each batch full but
/// the last of them to be cut. The same arguments give the same batches.
///
/// Indices are shuffled, sorted by length inside groups of fifty batches, cut into batches, and the
/// batches are shuffled. So padding is small, and which pairs meet still depends on the seed.
pub fn length_buckets(lengths: &[(usize, usize)], batch: usize, seed: u64) -> Vec<Vec<usize>> {
    const BATCHES_PER_GROUP: usize = 50;
    let batch = batch.max(1);
    let mut dice = Dice::new(seed, 0);
    let mut indices: Vec<usize> = (0..lengths.len()).collect();
    dice.shuffle(&mut indices);
    for group in indices.chunks_mut(batch.saturating_mul(BATCHES_PER_GROUP)) {
        // The sort is stable, so pairs of one length stay in random order.
        group.sort_by_key(|&index| lengths[index]);
    }
    let mut batches: Vec<Vec<usize>> = indices.chunks(batch).map(<[usize]>::to_vec).collect();
    dice.shuffle(&mut batches);
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_padded_masked_and_shifted() {
        let examples =
            [Seq2SeqExample::new(&[5, 6, 7], &[8, 1]), Seq2SeqExample::new(&[5], &[8, 9, 1])];
        let collation = Seq2SeqCollation { pad: 0, decoder_start: 2, ..Default::default() };
        let batch = collation.collate(&examples).expect("collates");
        assert_eq!((batch.batch, batch.source_len, batch.target_len), (2, 3, 3));
        assert_eq!(batch.input_ids, [5, 6, 7, 5, 0, 0]);
        assert_eq!(batch.attention_mask, [1, 1, 1, 1, 0, 0]);
        assert_eq!(batch.decoder_input_ids, [2, 8, 1, 2, 8, 9]);
        assert_eq!(batch.labels, [8, 1, -100, 8, 9, 1]);
        assert_eq!(batch.label_count(), 5);
    }

    #[test]
    fn buckets_hold_every_pair_once_and_waste_little_padding() {
        let mut dice = Dice::new(9, 0);
        let lengths: Vec<(usize, usize)> =
            (0..1003).map(|_| (1 + dice.below(100), 1 + dice.below(100))).collect();
        let batches = length_buckets(&lengths, 8, 4);
        let mut all: Vec<usize> = batches.concat();
        all.sort_unstable();
        assert_eq!(all, (0..1003).collect::<Vec<_>>());
        assert_eq!(batches.iter().filter(|batch| batch.len() < 8).count(), 1);
        let padding = |batches: &[Vec<usize>]| -> usize {
            let waste = |batch: &Vec<usize>| {
                let sources = || batch.iter().map(|&index| lengths[index].0);
                sources().max().unwrap_or(0) * batch.len() - sources().sum::<usize>()
            };
            batches.iter().map(waste).sum()
        };
        let in_order: Vec<Vec<usize>> =
            (0..1003).collect::<Vec<_>>().chunks(8).map(<[usize]>::to_vec).collect();
        assert!(padding(&batches) * 10 < padding(&in_order), "{}", padding(&batches));
        assert_eq!(batches, length_buckets(&lengths, 8, 4));
        assert_ne!(batches, length_buckets(&lengths, 8, 5));
    }
}
