//! Which windows of a text are trained on, and in which order.
//!
//! A text of n tokens has n − 1 to predict, each from those before it. A window of `context`
//! predicts `context` of them.

use serde::{Deserialize, Serialize};

use crate::error::{DataError, Result};
use crate::random::{Permutation, below, draw};
use crate::shard::ShardRegion;

/// Which windows a batch holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Sampling {
    /// Every epoch predicts every token exactly once: the text is cut into neighbouring windows,
    /// visited in a random order. Each epoch begins at another offset, so that a token is seen
    /// with another context each time; the window that would run over the end continues at the
    /// beginning.
    #[default]
    ShuffledWindows,
    /// Windows at uniformly random offsets, with replacement, as nanoGPT draws them.
    RandomOffset,
    /// Neighbouring windows in order: window i predicts tokens `i·context + 1 ..= (i + 1)·context`.
    /// For validation, where the figure should be over the whole split.
    Sequential {
        /// Whether the tokens after the last full window are predicted too, in a window whose
        /// other labels are ignored.
        include_partial: bool,
    },
}

/// A stretch of text: `labels` predictions, the first from token `start`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub start: u64,
    pub labels: usize,
}

/// The text of one row: one run, or two when the window runs over the end of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub first: Run,
    pub second: Option<Run>,
}

/// Coordinates that keep the draws of different purposes apart.
const OFFSET: u64 = 1;
const ORDER: u64 = 2;
const START: u64 = 3;

/// The windows of one region.
#[derive(Clone, Debug)]
pub(super) struct Windows {
    start: u64,
    /// How many tokens there are to predict: one less than tokens.
    labels: u64,
    context: u64,
    sampling: Sampling,
}

impl Windows {
    pub(super) fn new(region: &ShardRegion, context: usize, sampling: Sampling) -> Result<Self> {
        let what = || format!("source {:?}", region.name);
        if region.len < 2 {
            return Err(DataError::TooFewTokens { what: what(), tokens: region.len });
        }
        let padded = sampling == Sampling::Sequential { include_partial: true };
        if region.len <= context as u64 && !padded {
            return Err(DataError::ContextTooLong { what: what(), context, tokens: region.len });
        }
        Ok(Self { start: region.start, labels: region.len - 1, context: context as u64, sampling })
    }

    pub(super) fn per_epoch(&self) -> u64 {
        match self.sampling {
            Sampling::Sequential { include_partial: false } => self.labels / self.context,
            _ => self.labels.div_ceil(self.context),
        }
    }

    /// The row of the `index`-th sample drawn from this region.
    pub(super) fn row(&self, index: u64, seed: u64, region: u64) -> Row {
        match self.sampling {
            Sampling::RandomOffset => {
                let offsets = self.labels - self.context + 1;
                self.one_run(below(draw(seed, [OFFSET, region, index]), offsets), self.context)
            }
            Sampling::Sequential { .. } => {
                let start = index * self.context;
                self.one_run(start, self.context.min(self.labels - start))
            }
            Sampling::ShuffledWindows => {
                let epoch = index / self.per_epoch();
                let order = Permutation::new(self.per_epoch(), draw(seed, [ORDER, region, epoch]));
                let offset = below(draw(seed, [START, region, epoch]), self.context);
                self.rotated(order.apply(index % self.per_epoch()), offset)
            }
        }
    }

    fn one_run(&self, start: u64, labels: u64) -> Row {
        Row { first: Run { start: self.start + start, labels: labels as usize }, second: None }
    }

    /// Window `window` when the text is closed to a ring and cut from `offset` on.
    fn rotated(&self, window: u64, offset: u64) -> Row {
        let labels = self.context.min(self.labels - window * self.context);
        let start = (offset + window * self.context) % self.labels;
        let until_end = labels.min(self.labels - start);
        let rest = (labels - until_end) as usize;
        Row {
            second: (rest > 0).then_some(Run { start: self.start, labels: rest }),
            ..self.one_run(start, until_end)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn windows(len: u64, context: usize, sampling: Sampling) -> Windows {
        let region = ShardRegion { name: "text".to_owned(), start: 100, len, weight: 1.0 };
        Windows::new(&region, context, sampling).expect("fits")
    }

    /// The tokens that a row predicts.
    fn predicted(row: Row) -> impl Iterator<Item = u64> {
        [Some(row.first), row.second]
            .into_iter()
            .flatten()
            .flat_map(|run| run.start + 1..=run.start + run.labels as u64)
    }

    proptest! {
        #[test]
        fn an_epoch_of_shuffled_windows_predicts_every_token_once(
            (context, len) in (1_usize..40).prop_flat_map(|context| (Just(context), context as u64 + 1..600)),
            seed: u64,
            epoch in 0_u64..4,
        ) {
            let windows = windows(len, context, Sampling::ShuffledWindows);
            let per_epoch = windows.per_epoch();
            let mut tokens: Vec<u64> = (epoch * per_epoch..(epoch + 1) * per_epoch)
                .flat_map(|index| predicted(windows.row(index, seed, 0)))
                .collect();
            tokens.sort_unstable();
            prop_assert_eq!(tokens, (101..100 + len).collect::<Vec<_>>());
        }

        #[test]
        fn sequential_windows_predict_the_whole_text_in_order(context in 1_usize..40, len in 2_u64..600) {
            let windows = windows(len, context, Sampling::Sequential { include_partial: true });
            let tokens: Vec<u64> =
                (0..windows.per_epoch()).flat_map(|index| predicted(windows.row(index, 0, 0))).collect();
            prop_assert_eq!(tokens, (101..100 + len).collect::<Vec<_>>());
        }

        #[test]
        fn sequential_full_windows_leave_out_less_than_one_window(
            (context, len) in (1_usize..40).prop_flat_map(|context| (Just(context), context as u64 + 1..600)),
        ) {
            let windows = windows(len, context, Sampling::Sequential { include_partial: false });
            let rows: Vec<Row> = (0..windows.per_epoch()).map(|index| windows.row(index, 0, 0)).collect();
            for (index, row) in rows.iter().enumerate() {
                let run = Run { start: 100 + (index * context) as u64, labels: context };
                prop_assert_eq!(*row, Row { first: run, second: None });
            }
            prop_assert!(len - 1 - ((rows.len() * context) as u64) < context as u64);
        }

        #[test]
        fn random_offsets_stay_inside(
            (context, len) in (1_usize..40).prop_flat_map(|context| (Just(context), context as u64 + 1..200)),
            seed: u64,
            index: u64,
        ) {
            let row = windows(len, context, Sampling::RandomOffset).row(index, seed, 0);
            prop_assert_eq!(row.first.labels, context);
            prop_assert!(row.first.start >= 100);
            prop_assert!(row.first.start + (context as u64) < 100 + len);
        }
    }

    #[test]
    fn random_offsets_reach_both_ends() {
        let windows = windows(12, 8, Sampling::RandomOffset);
        let mut starts: Vec<u64> =
            (0..200).map(|index| windows.row(index, 5, 0).first.start).collect();
        starts.sort_unstable();
        starts.dedup();
        assert_eq!(starts, [100, 101, 102, 103]);
    }

    #[test]
    fn epochs_differ_in_order_and_in_offset() {
        let windows = windows(1000, 10, Sampling::ShuffledWindows);
        let epoch = |number: u64| -> Vec<Row> {
            (0..100).map(|index| windows.row(number * 100 + index, 1, 0)).collect()
        };
        let mut offsets: Vec<u64> = (0..20)
            .map(|number| epoch(number).iter().map(|row| row.first.start % 10).min())
            .map(|offset| offset.expect("rows"))
            .collect();
        assert_ne!(epoch(0), epoch(1));
        offsets.dedup();
        assert!(offsets.len() > 10, "offsets of 20 epochs: {offsets:?}");
    }
}
