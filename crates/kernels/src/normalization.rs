//! LayerNorm and RMSNorm.

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use crate::fused::normalization::NormalizationOps;
use crate::{fused, plain};

/// LayerNorm over the last dimension of `x`, with the biased variance.
///
/// # Panics
/// When `weight` or `bias` is not as long as a row of `x`.
pub fn layer_norm(
    x: Tensor<3>,
    weight: Tensor<1>,
    bias: Option<Tensor<1>>,
    epsilon: f64,
) -> Tensor<3> {
    check_width("layer_norm", &x, &weight);
    if let Some(bias) = &bias {
        check_width("layer_norm", &x, bias);
    }
    if !fused::applies(&x) || !fused::applies(&weight) {
        return plain::layer_norm(x, weight, bias, epsilon);
    }
    let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(match bias {
        Some(bias) => Dispatch::fused_layer_norm_bias(x, weight, bias.into_dispatch(), epsilon),
        None => Dispatch::fused_layer_norm(x, weight, epsilon),
    })
}

/// RMSNorm over the last dimension: `x / √(mean(x²) + ε) · weight`.
///
/// # Panics
/// When `weight` is not as long as a row of `x`.
pub fn rms_norm<const D: usize>(x: Tensor<D>, weight: Tensor<1>, epsilon: f64) -> Tensor<D> {
    check_width("rms_norm", &x, &weight);
    if !fused::applies(&x) || !fused::applies(&weight) {
        return plain::rms_norm(x, weight, epsilon);
    }
    let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(Dispatch::fused_rms_norm(x, weight, epsilon))
}

fn check_width<const D: usize>(op: &str, x: &Tensor<D>, weight: &Tensor<1>) {
    let (width, expected) = (weight.dims()[0], x.dims()[D - 1]);
    assert_eq!(width, expected, "{op}: parameter of {width} for rows of {expected}");
}
