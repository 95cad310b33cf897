//! Which keys a query may see.

use std::ops::Range;

use burn::backend::Flex;

use super::{Allowed, Sizes};
use crate::AttentionOptions;

/// Options and the caller's mask together.
pub struct Mask<'a> {
    options: &'a AttentionOptions,
    query: usize,
    key: usize,
    allowed: Option<Bytes<'a>>,
}

/// The caller's mask as it lies in memory.
struct Bytes<'a> {
    data: &'a [u8],
    /// Distances between batches, heads, queries and keys; 0 where it is broadcast.
    strides: [isize; 4],
    offset: isize,
}

impl<'a> Mask<'a> {
    /// Both for one attention.
    pub fn new(allowed: &'a Allowed<Flex>, options: &'a AttentionOptions, sizes: &Sizes) -> Self {
        let allowed = match allowed {
            Allowed::All => None,
            Allowed::Only(tensor) => {
                let layout = tensor.layout();
                let stride =
                    |i: usize| if layout.shape()[i] == 1 { 0 } else { layout.strides()[i] };
                Some(Bytes {
                    data: tensor.storage::<u8>(),
                    strides: std::array::from_fn(stride),
                    offset: layout.start_offset() as isize,
                })
            }
        };
        Self { options, query: sizes.query, key: sizes.key, allowed }
    }

    /// Keys that some query of `rows` may see by position. Ranges only move forward with the row.
    pub fn visible(&self, rows: Range<usize>) -> Range<usize> {
        if rows.is_empty() {
            return 0..0;
        }
        let first = self.options.visible_keys(rows.start, self.query, self.key);
        let last = self.options.visible_keys(rows.end - 1, self.query, self.key);
        first.start.min(last.start)..last.end
    }

    /// Replaces by `value` what query `row` of a head may not see; `scores` are those of the keys
    /// from `first` on.
    pub fn apply(
        &self,
        [batch, head, row]: [usize; 3],
        first: usize,
        scores: &mut [f32],
        value: f32,
    ) {
        let visible = self.visible(row..row + 1);
        let start = visible.start.saturating_sub(first).min(scores.len());
        let end = visible.end.saturating_sub(first).clamp(start, scores.len());
        scores[..start].fill(value);
        scores[end..].fill(value);
        if let Some(Bytes { data, strides, offset }) = &self.allowed {
            let at = |i: usize, index: usize| strides[i] * index as isize;
            let mut place = offset + at(0, batch) + at(1, head) + at(2, row) + at(3, first + start);
            for score in &mut scores[start..end] {
                if data[place as usize] == 0 {
                    *score = value;
                }
                place += strides[3];
            }
        }
    }
}
