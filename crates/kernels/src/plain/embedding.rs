//! Embedding look-up as burn has it.

use burn::tensor::{Int, Tensor};

/// Rows of `weight` (`[vocabulary, width]`) by `ids` (`[batch, seq]`): `[batch, seq, width]`.
pub fn embedding(weight: Tensor<2>, ids: Tensor<2, Int>) -> Tensor<3> {
    burn::tensor::module::embedding(weight, ids)
}
