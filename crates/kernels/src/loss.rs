//! Softmax cross-entropy.

use burn::backend::Dispatch;
use burn::tensor::{Int, Tensor};

use crate::fused::linear_loss::LinearLossOps;
use crate::fused::loss::LossOps;
use crate::{Precision, fused, linear, plain};

/// A target of this value does not count (PyTorch's `ignore_index`).
pub const IGNORED_TARGET: i64 = -100;

/// What is added to the plain cross-entropy.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CrossEntropy {
    /// `ε`: the target distribution is `(1 - ε)·onehot + ε/vocabulary` (Szegedy et al. 2016).
    pub label_smoothing: f64,
    /// Factor of `log² Σ exp(logits)`, which keeps logits from drifting (Chowdhery et al. 2022).
    pub z_loss: f64,
}

impl CrossEntropy {
    /// With label smoothing alone.
    pub fn smoothed(label_smoothing: f64) -> Self {
        Self { label_smoothing, ..Self::default() }
    }
}

/// Sum over the kept rows of `-log softmax(logits)[target]`, shape `[1]`.
///
/// `logits` is `[rows, vocabulary]`, `targets` `[rows]`; rows whose target is [`IGNORED_TARGET`]
/// add nothing and get no gradient. Divide by the number of kept targets yourself: accumulating
/// several batches needs the total count.
///
/// # Panics
/// When there is not one target per row, or a kept target is not below the vocabulary size.
pub fn cross_entropy_sum(
    logits: Tensor<2>,
    targets: Tensor<1, Int>,
    options: CrossEntropy,
) -> Tensor<1> {
    let (rows, count) = (logits.dims()[0], targets.dims()[0]);
    assert_eq!(rows, count, "cross_entropy: {count} targets for {rows} rows");
    if !fused::applies(&logits) {
        return plain::cross_entropy_sum(logits, targets, options);
    }
    let (logits, targets) = (logits.into_dispatch(), targets.into_dispatch());
    Tensor::from_dispatch(Dispatch::fused_cross_entropy(logits, targets, options))
}

/// [`cross_entropy_sum`] of the logits `hidden · weight + bias`, without ever holding them all.
///
/// `hidden` is `[rows, width]`, `weight` `[width, vocabulary]` (possibly transposed, as a tied
/// embedding is), `bias` `[vocabulary]`. With a large vocabulary the logits are most of the memory of
/// a training step; here they exist for some rows at a time, and rows that are ignored cost nothing.
/// The products are made in [`Precision::current`].
///
/// # Panics
/// As [`linear`] and [`cross_entropy_sum`].
pub fn linear_cross_entropy_sum(
    hidden: Tensor<2>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    targets: Tensor<1, Int>,
    options: CrossEntropy,
) -> Tensor<1> {
    if !fused::applies(&hidden) || !fused::applies(&weight) {
        return cross_entropy_sum(linear(hidden, weight, bias), targets, options);
    }
    let ([rows, width], [inputs, vocabulary]) = (hidden.dims(), weight.dims());
    let bias_fits = bias.as_ref().is_none_or(|bias| bias.dims() == [vocabulary]);
    assert!(
        width == inputs && bias_fits,
        "linear_cross_entropy: rows of {width} and a weight of {inputs} by {vocabulary} do not fit, or the bias"
    );
    let count = targets.dims()[0];
    assert_eq!(rows, count, "linear_cross_entropy: {count} targets for {rows} rows");
    let (hidden, weight) = (hidden.into_dispatch(), weight.into_dispatch());
    let (targets, precision) = (targets.into_dispatch(), Precision::current());
    Tensor::from_dispatch(match bias {
        Some(bias) => Dispatch::fused_linear_loss_bias(
            hidden,
            weight,
            bias.into_dispatch(),
            targets,
            options,
            precision,
        ),
        None => Dispatch::fused_linear_loss(hidden, weight, targets, options, precision),
    })
}
