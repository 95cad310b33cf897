//! Scores of additive attention, with every sum of a query and a key as a tensor.

use burn::tensor::Tensor;

/// See [`crate::additive_scores`].
pub fn additive_scores(queries: Tensor<3>, keys: Tensor<3>, weight: Tensor<2>) -> Tensor<3> {
    let ([batch, query, width], key) = (queries.dims(), keys.dims()[1]);
    let queries = queries.reshape([batch, query, 1, width]);
    let keys = keys.reshape([batch, 1, key, width]);
    let sums = (queries + keys).tanh(); // [batch, query, key, width]
    super::linear(sums, weight, None).reshape([batch, query, key])
}
