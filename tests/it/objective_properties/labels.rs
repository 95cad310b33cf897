//! The loss is of the labels and of nothing else, and a model sees what it may see.

use burn::tensor::Device;

use super::batches::Parts;
use super::cases::{Loss, cases};
use crate::devices::on_each_device;

on_each_device!(
    without_labels_there_is_no_loss,
    every_label_counts_once,
    padding_is_not_seen,
    a_label_is_not_seen_before_it_is_said,
);

/// Rounding of another order of summation, relative to the sum.
const TOLERANCE: f64 = 1e-5;

/// What would not be seen as a difference is no test.
const VISIBLE: f64 = 1e-3;

fn relative(found: Loss, expected: Loss) -> f64 {
    (found.sum - expected.sum).abs() / expected.sum
}

fn without_labels_there_is_no_loss(device: &Device) {
    for case in cases() {
        let loss = case.lively_loss(&|batch| batch.keep_labels(&|_| false), device);
        assert_eq!((loss.sum, loss.labels), (0.0, 0.0), "{}", case.name());
    }
}

fn every_label_counts_once(device: &Device) {
    for case in cases() {
        let all = case.lively_loss(&|_| (), device);
        let [even, odd] = [0, 1].map(|rest| {
            let half = |batch: &mut dyn Parts| batch.keep_labels(&|number| number % 2 == rest);
            case.lively_loss(&half, device)
        });
        let sum = Loss { sum: even.sum + odd.sum, labels: even.labels + odd.labels };
        assert_eq!(sum.labels, all.labels, "{}", case.name());
        assert!(relative(sum, all) < TOLERANCE, "{}: {even:?} and {odd:?}", case.name());
        assert!(even.sum > VISIBLE && odd.sum > VISIBLE, "{}: {even:?}, {odd:?}", case.name());
    }
}

fn padding_is_not_seen(device: &Device) {
    for case in cases() {
        let before = case.lively_loss(&|_| (), device);
        let padding = case.lively_loss(&|batch| batch.change_padding(), device);
        assert!(relative(padding, before) < TOLERANCE, "{}", case.name());
        let text = case.lively_loss(&|batch| batch.change_all_that_is_read(), device);
        assert!(relative(text, before) > VISIBLE, "{}: text has no effect", case.name());
    }
}

fn a_label_is_not_seen_before_it_is_said(device: &Device) {
    for case in cases().iter().filter(|case| case.is_causal()) {
        let first = |batch: &mut dyn Parts| {
            let read = batch.inputs().to_vec();
            batch.change_what_follows_the_first_label();
            batch.inputs().copy_from_slice(&read);
        };
        let before = case.lively_loss(&first, device);
        let after = case.lively_loss(&|batch| batch.change_what_follows_the_first_label(), device);
        assert!(relative(after, before) < TOLERANCE, "{}", case.name());
    }
}
