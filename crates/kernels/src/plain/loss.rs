//! Cross-entropy through a log-softmax kept in memory.

use burn::tensor::{Int, Tensor, activation};

use crate::{CrossEntropy, IGNORED_TARGET};

/// Summed cross-entropy; see [`crate::cross_entropy_sum`].
pub fn cross_entropy_sum(
    logits: Tensor<2>,
    targets: Tensor<1, Int>,
    options: CrossEntropy,
) -> Tensor<1> {
    let CrossEntropy { label_smoothing, z_loss } = options;
    let [rows, vocabulary] = logits.dims();
    let ignored = targets.clone().equal_elem(IGNORED_TARGET);
    let targets = targets.mask_fill(ignored.clone(), 0).reshape([rows, 1]);
    let log_probabilities = activation::log_softmax(logits.clone(), 1);
    let hit = log_probabilities.clone().gather(1, targets).reshape([rows]);
    let loss = if label_smoothing == 0.0 {
        hit.neg()
    } else {
        let uniform = log_probabilities.clone().sum_dim(1).reshape([rows]);
        hit * (label_smoothing - 1.0) - uniform * (label_smoothing / vocabulary as f64)
    };
    let loss = if z_loss == 0.0 {
        loss
    } else {
        // A logit less its logarithm of the probability: the same for the whole row.
        let log_sum = (logits - log_probabilities).narrow(1, 0, 1).reshape([rows]);
        loss + log_sum.square() * z_loss
    };
    loss.mask_fill(ignored, 0.0).sum()
}
