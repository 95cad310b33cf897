//! LayerNorm and RMSNorm.

use burn::tensor::Tensor;

use crate::plain;

/// LayerNorm over the last dimension of `x`, with the biased variance.
pub fn layer_norm(
    x: Tensor<3>,
    weight: Tensor<1>,
    bias: Option<Tensor<1>>,
    epsilon: f64,
) -> Tensor<3> {
    plain::layer_norm(x, weight, bias, epsilon)
}

/// RMSNorm over the last dimension: `x / √(mean(x²) + ε) · weight`.
pub fn rms_norm<const D: usize>(x: Tensor<D>, weight: Tensor<1>, epsilon: f64) -> Tensor<D> {
    plain::rms_norm(x, weight, epsilon)
}
