//! The linear layer as burn has it.

use burn::tensor::Tensor;

/// `x · weight + bias` over the last dimension; see [`crate::linear`].
pub fn linear<const D: usize>(
    x: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
) -> Tensor<D> {
    burn::tensor::module::linear(x, weight, bias)
}
