//! Scores of additive attention.

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use crate::fused::additive::AdditiveOps;
use crate::{fused, plain};

/// `v · tanh(query + key)` for every query and key (Bahdanau, Cho and Bengio 2015).
///
/// `queries` are `[batch, query, width]`, `keys` `[batch, key, width]`, both projected already, and
/// `weight` is `v`, `[width, 1]`. The scores are `[batch, query, key]`.
///
/// # Panics
/// When the shapes do not fit together.
pub fn additive_scores(queries: Tensor<3>, keys: Tensor<3>, weight: Tensor<2>) -> Tensor<3> {
    let ([batch, _, width], [key_batch, _, key_width]) = (queries.dims(), keys.dims());
    assert!(
        batch == key_batch && width == key_width && weight.dims() == [width, 1] && width > 0,
        "additive_scores: queries {:?}, keys {:?} and a weight of {:?} do not fit",
        queries.dims(),
        keys.dims(),
        weight.dims()
    );
    if !fused::applies(&queries) || !fused::applies(&keys) || !fused::applies(&weight) {
        return plain::additive_scores(queries, keys, weight);
    }
    let (queries, keys) = (queries.into_dispatch(), keys.into_dispatch());
    Tensor::from_dispatch(Dispatch::fused_additive(queries, keys, weight.into_dispatch()))
}
