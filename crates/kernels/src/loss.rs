//! Softmax cross-entropy.

use burn::backend::Dispatch;
use burn::tensor::{Int, Tensor};

use crate::fused::loss::LossOps;
use crate::{fused, plain};

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
/// When there is not one target per row, or a kept target is not below the vocabulary size.
pub fn cross_entropy_sum(
    logits: Tensor<2>,
    targets: Tensor<1, Int>,
    label_smoothing: f64,
) -> Tensor<1> {
    let (rows, count) = (logits.dims()[0], targets.dims()[0]);
    assert_eq!(rows, count, "cross_entropy: {count} targets for {rows} rows");
    if !fused::applies(&logits) {
        return plain::cross_entropy_sum(logits, targets, label_smoothing);
    }
    let (logits, targets) = (logits.into_dispatch(), targets.into_dispatch());
    Tensor::from_dispatch(Dispatch::fused_cross_entropy(logits, targets, label_smoothing))
}
