//! Embedding look-up.

use burn::tensor::{Int, Tensor};

use crate::plain;

/// Rows of `weight` (`[vocabulary, width]`) by `ids` (`[batch, seq]`): `[batch, seq, width]`.
///
/// The gradient of a row sums over its occurrences in the order of `ids`, so it does not depend
/// on the number of threads.
///
/// # Panics
/// When an id is not below the vocabulary size.
pub fn embedding(weight: Tensor<2>, ids: Tensor<2, Int>) -> Tensor<3> {
    plain::embedding(weight, ids)
}
