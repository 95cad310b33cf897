//! Softmax cross-entropy.

use burn::tensor::{Int, Tensor};

use crate::plain;

/// A target of this value does not count (PyTorch's `ignore_index`).
pub const IGNORED_TARGET: i64 = -100;

/// Sum over the kept rows of `-log softmax(logits)[target]`, shape `[1]`.
///
/// `logits` is `[rows, vocabulary]`, `targets` `[rows]`; rows whose target is [`IGNORED_TARGET`]
/// add nothing and get no gradient. With `label_smoothing = ε` the target distribution is
/// `(1 - ε)·onehot + ε/vocabulary`. Divide by the number of kept targets yourself: accumulating
/// several batches needs the total count.
///
/// # Panics
/// When a kept target is not below the vocabulary size.
pub fn cross_entropy_sum(
    logits: Tensor<2>,
    targets: Tensor<1, Int>,
    label_smoothing: f64,
) -> Tensor<1> {
    plain::cross_entropy_sum(logits, targets, label_smoothing)
}
