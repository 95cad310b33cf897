//! LayerNorm and RMSNorm step by step.

use burn::tensor::Tensor;

/// LayerNorm over the last dimension with the biased variance.
pub fn layer_norm(
    x: Tensor<3>,
    weight: Tensor<1>,
    bias: Option<Tensor<1>>,
    epsilon: f64,
) -> Tensor<3> {
    let centred = x.clone() - x.mean_dim(2);
    let variance = (centred.clone() * centred.clone()).mean_dim(2);
    let normalized = centred / (variance + epsilon).sqrt() * weight.unsqueeze();
    match bias {
        Some(bias) => normalized + bias.unsqueeze(),
        None => normalized,
    }
}

/// RMSNorm over the last dimension: `x / √(mean(x²) + ε) · weight`.
pub fn rms_norm<const D: usize>(x: Tensor<D>, weight: Tensor<1>, epsilon: f64) -> Tensor<D> {
    let mean_square = (x.clone() * x.clone()).mean_dim(D - 1);
    x / (mean_square + epsilon).sqrt() * weight.unsqueeze()
}
