//! The choice of a smoothing, and what may be left out of a model.

use serde::{Deserialize, Serialize};

use crate::ClassicalError;

/// How a model shares out the probability of what was never seen. All of them give distributions
/// that sum to one; scores that do not are [`StupidBackoff`](super::StupidBackoff)'s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Smoothing {
    /// Modified, interpolated Kneser–Ney (Chen & Goodman 1998): three discounts for each order,
    /// and lower orders that count different left neighbours instead of occurrences.
    #[default]
    KneserNey,
    /// One discount for each order, n1 / (n1 + 2 n2), off every raw count; interpolated (Ney,
    /// Essen & Kneser 1994).
    AbsoluteDiscounting,
    /// Interpolated Witten–Bell (Witten & Bell 1991, method C): a context passes on as much as it
    /// had different successors.
    WittenBell,
    /// Back-off (Katz 1987) with Good–Turing counts (Gale & Sampson 1995).
    Katz {
        /// Counts above this are believed as they are; Katz took 5. At 1 there is no Good–Turing solution,
        /// and counts of one lose a half.
        #[serde(default = "default_threshold")]
        threshold: u16,
    },
}

const fn default_threshold() -> u16 {
    5
}

impl Smoothing {
    /// Katz back-off with Katz's own threshold of 5.
    pub const KATZ: Self = Self::Katz { threshold: default_threshold() };
}

/// How counts become a model.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Estimation {
    /// The smoothing. Default: Kneser–Ney.
    #[serde(default)]
    pub smoothing: Smoothing,
    /// Count cut-offs: n-grams of order 1, 2, … that occurred less often than this are left out
    /// of the model. The last entry holds for all longer orders. Default: none, everything is kept.
    ///
    /// Discounts and totals still see all counts, so what is left out goes to the shorter contexts.
    #[serde(default)]
    pub min_counts: Vec<u32>,
}

impl From<Smoothing> for Estimation {
    fn from(smoothing: Smoothing) -> Self {
        Self { smoothing, min_counts: Vec::new() }
    }
}

impl Estimation {
    /// The same with count cut-offs.
    #[must_use]
    pub fn with_min_counts(self, min_counts: impl Into<Vec<u32>>) -> Self {
        Self { min_counts: min_counts.into(), ..self }
    }

    /// How often an n-gram of `order` must have occurred to be kept.
    pub(crate) fn min_count(&self, order: usize) -> u32 {
        let last = self.min_counts.last().copied().unwrap_or(1);
        self.min_counts.get(order - 1).copied().unwrap_or(last)
    }

    /// Cut-offs must not fall with the order: an n-gram is kept only where its parts are.
    pub(crate) fn validate(&self) -> Result<(), ClassicalError> {
        let positive = self.min_counts.iter().all(|&count| count > 0);
        if positive && self.min_counts.is_sorted() {
            Ok(())
        } else {
            Err(ClassicalError::MinCounts { min_counts: self.min_counts.clone() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_cut_off_holds_for_longer_orders() {
        let estimation = Estimation::default().with_min_counts([1, 1, 2]);
        assert_eq!([1, 2, 3, 9].map(|order| estimation.min_count(order)), [1, 1, 2, 2]);
        assert_eq!(Estimation::default().min_count(4), 1);
    }

    #[test]
    fn cut_offs_that_cannot_be_are_refused() {
        for min_counts in [vec![0], vec![2, 1], vec![1, 0, 1]] {
            let estimation = Estimation::default().with_min_counts(min_counts.clone());
            assert_eq!(estimation.validate(), Err(ClassicalError::MinCounts { min_counts }));
        }
    }

    #[test]
    fn a_smoothing_is_named_in_a_file() {
        let read = |text| serde_json::from_str::<Estimation>(text);
        assert_eq!(read("{}").unwrap(), Estimation::default());
        let katz = read(r#"{"smoothing": {"kind": "katz"}, "min_counts": [1, 1, 2]}"#).unwrap();
        assert_eq!(katz, Estimation::from(Smoothing::KATZ).with_min_counts([1, 1, 2]));
        let bell = read(r#"{"smoothing": {"kind": "witten_bell"}}"#).unwrap();
        assert_eq!(bell, Smoothing::WittenBell.into());
        assert!(read(r#"{"smoothing": {"kind": "laplace"}}"#).is_err());
    }
}
