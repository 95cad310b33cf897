//! QK-norm: RMSNorm of each query and key head, in place among packed heads.

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use crate::fused::head_norm::{HeadNormOps, PackedHeads};
use crate::{fused, plain};

/// RMSNorm over each of the first `heads` heads with `query_weight`, and over each of the next
/// `kv_heads` with `key_weight` (both `[head_dim]`); the heads behind those stay. `x` is
/// `[batch, seq, all_heads * head_dim]`, the output of one projection to queries, keys and values
/// (Qwen3; Henry et al. 2020, "Query-Key Normalization for Transformers").
///
/// # Panics
/// When the shapes do not fit.
pub fn head_norm_packed(
    x: Tensor<3>,
    query_weight: Tensor<1>,
    key_weight: Tensor<1>,
    heads: usize,
    kv_heads: usize,
    epsilon: f64,
) -> Tensor<3> {
    let ([_, _, width], [head_dim]) = (x.dims(), query_weight.dims());
    assert!(
        key_weight.dims() == [head_dim]
            && head_dim > 0
            && heads > 0
            && width.is_multiple_of(head_dim)
            && (heads + kv_heads) * head_dim <= width,
        "head_norm_packed: {heads} + {kv_heads} heads of {head_dim} do not fit a width of {width} and weights of {:?}",
        key_weight.dims()
    );
    let all_fused =
        fused::applies(&x) && fused::applies(&query_weight) && fused::applies(&key_weight);
    if !all_fused {
        return plain::head_norm_packed(x, query_weight, key_weight, heads, kv_heads, epsilon);
    }
    let packed = PackedHeads { queries: heads, keys: kv_heads, epsilon: epsilon as f32 };
    let (x, query, key) =
        (x.into_dispatch(), query_weight.into_dispatch(), key_weight.into_dispatch());
    Tensor::from_dispatch(Dispatch::fused_head_norm(x, query, key, packed))
}
