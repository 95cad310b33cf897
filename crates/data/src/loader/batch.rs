//! What a training step receives.

/// The label of a position that has none: it counts neither in the loss nor in its denominator.
pub const IGNORE_INDEX: i64 = -100;

/// The segment of positions that hold no text.
pub(super) const PADDING_SEGMENT: u32 = u32::MAX;

/// Token ids and what to predict from them; all matrices are `[batch, context]`, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenBatch {
    /// Number of rows.
    pub batch: usize,
    /// Length of a row.
    pub context: usize,
    /// What the model sees. Positions without text hold 0.
    pub input_ids: Vec<u32>,
    /// The next token at each position, or [`IGNORE_INDEX`].
    pub labels: Vec<i64>,
    /// The document that each position belongs to. A position may attend to those before it with
    /// the same number. `None`: it may attend to all before it.
    pub segment_ids: Option<Vec<u32>>,
    /// Position inside the part of the document that the row holds. `None`: position in the row.
    pub position_ids: Option<Vec<u32>>,
}

/// One row of a batch being filled.
pub(super) struct RowMut<'a> {
    pub input_ids: &'a mut [u32],
    pub labels: &'a mut [i64],
    /// Segment ids and position ids.
    pub documents: Option<(&'a mut [u32], &'a mut [u32])>,
}

impl TokenBatch {
    /// A batch without any text.
    pub(super) fn padding(batch: usize, context: usize, masked: bool) -> Self {
        let size = batch * context;
        Self {
            batch,
            context,
            input_ids: vec![0; size],
            labels: vec![IGNORE_INDEX; size],
            segment_ids: masked.then(|| vec![PADDING_SEGMENT; size]),
            position_ids: masked.then(|| vec![0; size]),
        }
    }

    pub(super) fn row_mut(&mut self, row: usize) -> RowMut<'_> {
        let range = row * self.context..(row + 1) * self.context;
        let documents = match (&mut self.segment_ids, &mut self.position_ids) {
            (Some(segments), Some(positions)) => {
                Some((&mut segments[range.clone()], &mut positions[range.clone()]))
            }
            _ => None,
        };
        RowMut {
            input_ids: &mut self.input_ids[range.clone()],
            labels: &mut self.labels[range],
            documents,
        }
    }

    /// Number of positions that have a label: the denominator of a mean loss.
    pub fn label_count(&self) -> usize {
        self.labels.iter().filter(|&&label| label != IGNORE_INDEX).count()
    }

    /// How many positions of a row hold text; padding comes after them.
    ///
    /// # Panics
    /// If the row is out of range.
    pub fn text_len(&self, row: usize) -> usize {
        let range = row * self.context..(row + 1) * self.context;
        if let Some(segments) = &self.segment_ids {
            let text = |&segment: &u32| segment != PADDING_SEGMENT;
            return segments[range].iter().rposition(text).map_or(0, |last| last + 1);
        }
        // The token that the last label names is seen too, if the row has a place for it.
        let labelled = |&label: &i64| label != IGNORE_INDEX;
        let last = self.labels[range].iter().rposition(labelled);
        last.map_or(0, |last| (last + 2).min(self.context))
    }

    /// Whether position `query` of a row may attend to position `key`: what a causal attention
    /// mask over this batch says.
    ///
    /// # Panics
    /// If the row or a position is out of range.
    pub fn attends(&self, row: usize, query: usize, key: usize) -> bool {
        assert!(row < self.batch && query < self.context && key < self.context);
        let start = row * self.context;
        let same = |segments: &Vec<u32>| segments[start + query] == segments[start + key];
        key <= query && self.segment_ids.as_ref().is_none_or(same)
    }
}
