//! Attention with the whole score matrix in memory.

use burn::tensor::{Bool, DType, Device, Tensor, TensorData};

use crate::AttentionOptions;

/// Scaled dot-product attention; see [`crate::attention`] for shapes and masks.
pub fn attention(
    q: Tensor<4>,
    k: Tensor<4>,
    v: Tensor<4>,
    allowed: Option<Tensor<4, Bool>>,
    options: &AttentionOptions,
) -> Tensor<4> {
    weighted_values(attention_probabilities(q, k, None, allowed, options), v)
}

/// The weights of the keys; see [`crate::attention_probabilities`].
pub fn attention_probabilities(
    q: Tensor<4>,
    k: Tensor<4>,
    bias: Option<Tensor<4>>,
    allowed: Option<Tensor<4, Bool>>,
    options: &AttentionOptions,
) -> Tensor<4> {
    let [batch, query, heads, head_dim] = q.dims();
    let [_, key, kv_heads, _] = k.dims();
    let rows = heads / kv_heads * query;

    // The query heads that share one key head become more rows of one product, so that grouped
    // keys and values are never repeated: [batch, kv_heads, group * query, head_dim].
    let q = q.swap_dims(1, 2).reshape([batch, kv_heads, rows, head_dim]);
    let k = k.permute([0, 2, 3, 1]); // [batch, kv_heads, head_dim, key]
    let scores = (q.matmul(k) * options.scale_for(head_dim)).reshape([batch, heads, query, key]);
    let scores = match bias {
        Some(bias) => scores + bias,
        None => scores,
    };
    match forbidden(allowed, options, query, key, &scores.device()) {
        Some(forbidden) => masked_softmax(scores, forbidden),
        None => burn::tensor::activation::softmax(scores, 3),
    }
}

/// Sums of `v` by weight; see [`crate::weighted_values`].
pub fn weighted_values(probabilities: Tensor<4>, v: Tensor<4>) -> Tensor<4> {
    let [batch, heads, query, key] = probabilities.dims();
    let [_, _, kv_heads, value_dim] = v.dims();
    probabilities
        .reshape([batch, kv_heads, heads / kv_heads * query, key])
        .matmul(v.swap_dims(1, 2)) // [batch, kv_heads, group * query, value_dim]
        .reshape([batch, heads, query, value_dim])
        .swap_dims(1, 2)
}

/// Everything that may not be attended to, or `None` where all may.
fn forbidden(
    allowed: Option<Tensor<4, Bool>>,
    options: &AttentionOptions,
    query: usize,
    key: usize,
    device: &Device,
) -> Option<Tensor<4, Bool>> {
    let by_position = positions_forbidden(options, query, key, device);
    let by_caller = allowed.map(Tensor::bool_not);
    match (by_position, by_caller) {
        (Some(a), Some(b)) => Some(a.bool_or(b)),
        (a, b) => a.or(b),
    }
}

/// The causal and sliding-window part of the mask, `[1, 1, query, key]`.
fn positions_forbidden(
    options: &AttentionOptions,
    query: usize,
    key: usize,
    device: &Device,
) -> Option<Tensor<4, Bool>> {
    if !options.causal && options.sliding_window.is_none() {
        return None;
    }
    let forbidden: Vec<bool> = (0..query)
        .flat_map(|row| {
            let keys = options.visible_keys(row, query, key);
            (0..key).map(move |column| !keys.contains(&column))
        })
        .collect();
    Some(Tensor::from_data(TensorData::new(forbidden, [1, 1, query, key]), device))
}

/// Softmax over the last dimension in which a row with nothing allowed is all zeros.
fn masked_softmax(scores: Tensor<4>, forbidden: Tensor<4, Bool>) -> Tensor<4> {
    // Finite, so that a row with nothing allowed gives zeros rather than ∞ − ∞.
    let lowest = if scores.dtype() == DType::F16 { -6e4 } else { -1e30 };
    let forbidden = forbidden.expand(scores.shape());
    let scores = scores.mask_fill(forbidden.clone(), lowest);
    let max = scores.clone().detach().max_dim(3);
    let weights = (scores - max).exp().mask_fill(forbidden, 0.0);
    // A row with anything allowed sums to at least 1: its maximum contributes exp(0).
    let sum = weights.clone().sum_dim(3).clamp_min(0.5);
    weights / sum
}
