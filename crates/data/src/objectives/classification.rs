//! Whole texts with a class each: what fine-tuning a classifier learns from.

use super::batch::{mask, pad};

/// The tokens of a text and its class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelledText {
    /// What the model sees.
    pub input_ids: Vec<u32>,
    /// The number of its class, from 0.
    pub class: usize,
}

/// Texts for a classifier; matrices are `[batch, seq]`, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassificationBatch {
    /// Number of rows.
    pub batch: usize,
    /// Length of a row.
    pub seq: usize,
    /// What the model sees; padding on the right.
    pub input_ids: Vec<u32>,
    /// 1 where there is text, 0 where there is padding.
    pub attention_mask: Vec<u32>,
    /// `[batch]`: the class of each row.
    pub labels: Vec<i64>,
}

impl ClassificationBatch {
    /// Puts texts together, padded with `padding` to the longest, or to one position where all are
    /// empty.
    pub fn collate(texts: &[&LabelledText], padding: u32) -> Self {
        let ids = || texts.iter().map(|text| text.input_ids.as_slice());
        let seq = ids().map(<[u32]>::len).max().unwrap_or(0).max(1);
        Self {
            batch: texts.len(),
            seq,
            input_ids: pad(ids(), seq, padding),
            attention_mask: mask(ids().map(<[u32]>::len), seq),
            labels: texts.iter().map(|text| text.class as i64).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_padded_to_the_longest_text() {
        let text = |input_ids: &[u32], class| LabelledText { input_ids: input_ids.to_vec(), class };
        let (short, long) = (text(&[5], 1), text(&[6, 7], 0));
        let batch = ClassificationBatch::collate(&[&short, &long], 9);
        assert_eq!((batch.batch, batch.seq), (2, 2));
        assert_eq!(batch.input_ids, [5, 9, 6, 7]);
        assert_eq!(batch.attention_mask, [1, 0, 1, 1]);
        assert_eq!(batch.labels, [1, 0]);
        assert_eq!(ClassificationBatch::collate(&[&text(&[], 0)], 9).seq, 1);
    }
}
