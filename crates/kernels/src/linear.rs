//! The linear layer.

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use crate::fused::linear::LinearOps;
use crate::{Precision, fused, plain};

/// `x · weight + bias` over the last dimension of `x` (`[.., inputs]`), for `weight`
/// `[inputs, outputs]` and `bias` `[outputs]`.
///
/// A weight stored the other way round can be passed transposed; it is not copied. The products are
/// made in [`Precision::current`].
///
/// # Panics
/// When the shapes do not fit together.
pub fn linear<const D: usize>(
    x: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
) -> Tensor<D> {
    let ([inputs, outputs], width) = (weight.dims(), x.dims()[D - 1]);
    let bias_fits = bias.as_ref().is_none_or(|bias| bias.dims() == [outputs]);
    assert!(
        width == inputs && bias_fits,
        "linear: rows of {width} and a weight of {inputs} by {outputs} do not fit, or the bias"
    );
    if !fused::applies(&x) || !fused::applies(&weight) {
        return plain::linear(x, weight, bias);
    }
    let (x, weight, precision) = (x.into_dispatch(), weight.into_dispatch(), Precision::current());
    Tensor::from_dispatch(match bias {
        Some(bias) => Dispatch::fused_linear_bias(x, weight, bias.into_dispatch(), precision),
        None => Dispatch::fused_linear(x, weight, precision),
    })
}
