//! QK-norm as burn has it.

use burn::tensor::Tensor;

use super::rms_norm;

/// RMSNorm of each query and key head of `x` `[batch, seq, all_heads * head_dim]`.
pub fn head_norm_packed(
    x: Tensor<3>,
    query_weight: Tensor<1>,
    key_weight: Tensor<1>,
    heads: usize,
    kv_heads: usize,
    epsilon: f64,
) -> Tensor<3> {
    let ([batch, seq, width], [head_dim]) = (x.dims(), query_weight.dims());
    let all = width / head_dim;
    let x = x.reshape([batch, seq, all, head_dim]);
    let queries = rms_norm(x.clone().narrow(2, 0, heads), query_weight, epsilon);
    let keys = rms_norm(x.clone().narrow(2, heads, kv_heads), key_weight, epsilon);
    let mut parts = vec![queries, keys];
    if all > heads + kv_heads {
        parts.push(x.narrow(2, heads + kv_heads, all - heads - kv_heads));
    }
    Tensor::cat(parts, 2).reshape([batch, seq, width])
}
