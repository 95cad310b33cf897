//! Losses of given logits, in f64 on the host: sums are over few rows and comparisons are close.

use super::reader::{IGNORED_LABEL, Reader};
use crate::WujiError;

/// Rows of logits.
#[derive(Debug)]
pub(super) struct Logits {
    pub(super) values: Vec<f32>,
    /// Entries of a row.
    pub(super) width: usize,
}

impl Logits {
    fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.width..][..self.width]
    }
}

/// Rows of logits that have a label, with it. There is at least one.
#[derive(Debug)]
pub(super) struct Targets(Vec<(usize, usize)>);

impl Targets {
    /// A label for each row of logits.
    pub(super) fn of_rows(labels: &[i64]) -> Option<Self> {
        Self::some(labels.iter().enumerate().map(|(row, label)| (row, *label)))
    }

    /// The label of a row of logits is at the next position of its text, of `seq` positions.
    pub(super) fn of_next(labels: &[i64], seq: usize) -> Option<Self> {
        let behind_first = labels.iter().enumerate().filter(|(at, _)| at % seq > 0);
        Self::some(behind_first.map(|(at, label)| (at - 1, *label)))
    }

    fn some(pairs: impl Iterator<Item = (usize, i64)>) -> Option<Self> {
        let kept = pairs.filter(|(_, label)| *label != IGNORED_LABEL);
        let kept: Vec<_> = kept.map(|(row, label)| (row, label as usize)).collect();
        (!kept.is_empty()).then_some(Self(kept))
    }

    /// The mean cross-entropy.
    pub(super) fn loss(&self, logits: &Logits) -> f64 {
        let sum: f64 = self.0.iter().map(|target| cross_entropy(logits, *target)).sum();
        sum / self.0.len() as f64
    }

    /// The cross-entropy of each of `rows` rows, 0 where there is no label.
    pub(super) fn loss_of_rows(&self, logits: &Logits, rows: usize) -> Vec<f32> {
        let mut losses = vec![0.0; rows];
        self.0.iter().for_each(|target| losses[target.0] = cross_entropy(logits, *target) as f32);
        losses
    }
}

/// The targets of an input, or a complaint that there are none among its labels.
pub(super) fn some_targets(
    reader: &Reader,
    name: &str,
    targets: Option<Targets>,
) -> Result<Targets, WujiError> {
    let problem = format!("leave nothing to predict: all are {IGNORED_LABEL}");
    targets.ok_or_else(|| reader.bad(name, problem))
}

fn cross_entropy(logits: &Logits, (row, label): (usize, usize)) -> f64 {
    let row = logits.row(row);
    let max = f64::from(row.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let sum: f64 = row.iter().map(|value| (f64::from(*value) - max).exp()).sum();
    max + sum.ln() - f64::from(row[label])
}

/// The mean squared difference.
pub(super) fn mean_squared_error(found: &[f32], expected: &[f32]) -> f64 {
    mean(found, expected, |found, expected| (found - expected).powi(2))
}

/// The mean cross-entropy of independent labels, each the probability that something holds.
pub(super) fn binary_cross_entropy(logits: &[f32], labels: &[f32]) -> f64 {
    // −y ln σ(x) − (1 − y) ln(1 − σ(x)) without overflow.
    mean(logits, labels, |x, y| x.max(0.0) - x * y + (-x.abs()).exp().ln_1p())
}

fn mean(a: &[f32], b: &[f32], of: impl Fn(f64, f64) -> f64) -> f64 {
    let pairs = a.iter().zip(b).map(|(a, b)| of(f64::from(*a), f64::from(*b)));
    pairs.sum::<f64>() / a.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-7, "{found} ≠ {expected}");
    }

    #[test]
    fn cross_entropy_is_the_log_of_the_number_of_equal_choices() {
        let logits = Logits { values: vec![7.0; 8], width: 4 };
        check(Targets::of_rows(&[1, IGNORED_LABEL]).unwrap().loss(&logits), 4_f64.ln());
        assert!(Targets::of_next(&[3, IGNORED_LABEL], 2).is_none());
        let rows = Targets::of_rows(&[IGNORED_LABEL, 2]).unwrap().loss_of_rows(&logits, 2);
        assert_eq!(rows[0], 0.0);
        check(rows[1].into(), f64::from(4_f32.ln()));
    }

    #[test]
    fn losses_of_numbers_are_those_of_a_hand_computation() {
        check(mean_squared_error(&[1.0, 2.0], &[0.0, 4.0]), 2.5);
        // σ(0) = ½ whatever the label; σ(ln 3) = ¾.
        check(binary_cross_entropy(&[0.0], &[1.0]), 2_f64.ln());
        let ln_3 = 3_f32.ln();
        let both = (-(0.75_f64.ln()) - 0.25_f64.ln()) / 2.0;
        check(binary_cross_entropy(&[ln_3, ln_3], &[1.0, 0.0]), both);
        assert_eq!(binary_cross_entropy(&[1000.0], &[0.0]), 1000.0);
    }
}
