//! Embedding look-up.

use burn::backend::Dispatch;
use burn::tensor::{Int, Tensor};

use crate::fused::embedding::EmbeddingOps;
use crate::{fused, plain};

/// Rows of `weight` (`[vocabulary, width]`) by `ids` (`[batch, seq]`): `[batch, seq, width]`.
///
/// The gradient of a row sums over its occurrences in the order of `ids`, so it does not depend
/// on the number of threads.
///
/// # Panics
/// When an id is not below the vocabulary size.
pub fn embedding(weight: Tensor<2>, ids: Tensor<2, Int>) -> Tensor<3> {
    if !fused::applies(&weight) {
        return plain::embedding(weight, ids);
    }
    let (weight, ids) = (weight.into_dispatch(), ids.into_dispatch());
    Tensor::from_dispatch(Dispatch::fused_embedding(weight, ids))
}
