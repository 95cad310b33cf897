//! Cross-validation in time: a model is tested on what comes after all that it was trained on
//! (Tashman, "Out-of-sample tests of forecasting accuracy", 2000), with an embargo between the two
//! where labels look ahead (López de Prado, "Advances in financial machine learning", 2018,
//! chapter 7).

use serde::{Deserialize, Serialize};

use super::Fold;
use crate::error::{EvaluationError, Result};

/// How items with times are split.
///
/// Items are divided by time into one more block than there are folds, about as many items in each;
/// items of one time are never parted. The first block only trains; each other block is tested
/// once, on a model of earlier items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TimeOrdered {
    /// Blocks that are tested; 5 by default.
    pub folds: usize,
    /// Units of time before the first test item from which nothing trains, so that a label that
    /// looks that far ahead has seen no test item; 0 by default.
    pub gap: u64,
    /// Units of time that training reaches back from the gap: a window that rolls. None by
    /// default: everything earlier trains, and the window expands.
    pub window: Option<u64>,
}

impl Default for TimeOrdered {
    fn default() -> Self {
        Self { folds: 5, gap: 0, window: None }
    }
}

impl TimeOrdered {
    /// The folds, the earliest first. Times are in any unit, as days or seconds, in any order.
    pub fn split(&self, times: &[i64]) -> Result<Vec<Fold>> {
        if self.folds == 0 {
            return Err(invalid("folds", "at least 1", self.folds));
        }
        let mut sorted = times.to_vec();
        sorted.sort_unstable();
        let starts = self.starts(&sorted)?;
        let mut folds = Vec::with_capacity(self.folds);
        for (fold, start) in starts.iter().enumerate() {
            let end = starts.get(fold + 1);
            let in_test = |time: i64| time >= *start && end.is_none_or(|end| time < *end);
            let select = |holds: &dyn Fn(i64) -> bool| -> Vec<usize> {
                (0..times.len()).filter(|at| holds(times[*at])).collect()
            };
            let train = select(&|time| self.trains(time, *start));
            if train.is_empty() {
                let expected = "short enough, or the window long enough, for some item to train";
                return Err(invalid("gap", expected, self.gap));
            }
            folds.push(Fold { repeat: 0, train, test: select(&in_test) });
        }
        Ok(folds)
    }

    /// Whether an item of that time may train for a test that begins at `start`.
    fn trains(&self, time: i64, start: i64) -> bool {
        // As much as an i128 holds, so that neither end of time overflows.
        let last = i128::from(start) - i128::from(self.gap);
        let time = i128::from(time);
        time < last && self.window.is_none_or(|window| time >= last - i128::from(window))
    }

    /// The time at which each tested block begins.
    fn starts(&self, sorted: &[i64]) -> Result<Vec<i64>> {
        let mut starts: Vec<i64> = Vec::with_capacity(self.folds);
        for block in 1..=self.folds {
            let cut = block * sorted.len() / (self.folds + 1);
            // Later than everything in the block before.
            let before = starts.last().or(sorted.first()).copied();
            let start = sorted[cut..].iter().copied().find(|time| Some(*time) > before);
            starts.push(start.ok_or_else(|| {
                invalid("folds", "fewer than there are different times", self.folds)
            })?);
        }
        Ok(starts)
    }
}

fn invalid(option: &'static str, expected: &'static str, found: impl ToString) -> EvaluationError {
    EvaluationError::InvalidOption { option, expected, found: found.to_string() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_expanding_window_by_hand() {
        let folds = TimeOrdered { folds: 2, ..Default::default() };
        let folds = folds.split(&[60, 10, 20, 50, 40, 30]).unwrap();
        assert_eq!((&folds[0].train[..], &folds[0].test[..]), (&[1, 2][..], &[4, 5][..]));
        assert_eq!((&folds[1].train[..], &folds[1].test[..]), (&[1, 2, 4, 5][..], &[0, 3][..]));
    }

    #[test]
    fn a_rolling_window_ends_at_the_gap() {
        let times: Vec<i64> = (0..12).collect();
        let folds = TimeOrdered { folds: 2, gap: 1, window: Some(2) }.split(&times).unwrap();
        // Tests begin at 4 and 8: one unit is left out, two before it train.
        assert_eq!((&folds[0].train[..], &folds[0].test[..]), (&[1, 2][..], &[4, 5, 6, 7][..]));
        assert_eq!(folds[1].train, [5, 6]);
    }

    #[test]
    fn what_cannot_be_split_in_time_is_an_error() {
        let folds = TimeOrdered { folds: 3, ..Default::default() };
        assert!(folds.split(&[1, 1, 2, 2, 3]).is_err());
        assert!(folds.split(&[]).is_err());
        assert!(TimeOrdered { folds: 0, ..folds }.split(&[1, 2]).is_err());
        assert!(TimeOrdered { folds: 1, gap: 5, ..folds }.split(&[1, 2, 3]).is_err());
        let ends = TimeOrdered { folds: 1, gap: u64::MAX, window: Some(u64::MAX) };
        assert!(ends.split(&[i64::MIN, i64::MAX]).is_err());
    }

    proptest! {
        #[test]
        fn nothing_trains_that_is_not_earlier_than_the_gap(
            times in prop::collection::vec(-50_i64..50, 30..80),
            folds in 1_usize..5, gap in 0_u64..4, window in prop::option::of(10_u64..60)
        ) {
            let Ok(split) = (TimeOrdered { folds, gap, window }).split(&times) else {
                return Err(TestCaseError::reject("too few different times"));
            };
            prop_assert_eq!(split.len(), folds);
            let mut tested: Vec<usize> = split.iter().flat_map(|fold| fold.test.clone()).collect();
            for fold in &split {
                let first = fold.test.iter().map(|at| times[*at]).min().unwrap();
                for at in &fold.train {
                    prop_assert!(times[*at] < first - gap as i64);
                    prop_assert!(window.is_none_or(|w| times[*at] >= first - gap as i64 - w as i64));
                }
            }
            // Each item from the first test on is tested exactly once.
            let first = split[0].test.iter().map(|at| times[*at]).min().unwrap();
            tested.sort_unstable();
            let later: Vec<usize> = (0..times.len()).filter(|at| times[*at] >= first).collect();
            prop_assert_eq!(tested, later);
        }
    }
}
