//! Scaled dot-product attention.

use std::ops::Range;

use burn::backend::Dispatch;
use burn::tensor::{Bool, Tensor};

use crate::fused::attention::{Allowed, AttentionOps};
use crate::{fused, plain};

/// What a query may see and how scores are scaled.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AttentionOptions {
    /// Query `i` of `query` sees keys up to `i + (key - query)`: with a cache the queries are the
    /// last ones. A query that would come before the first key sees nothing.
    pub causal: bool,
    /// A query sees only keys closer than this many positions, itself included: with
    /// [`causal`](Self::causal) the last `n` keys, otherwise up to `n - 1` to either side.
    pub sliding_window: Option<usize>,
    /// Factor on the scores; `1/√head_dim` when absent.
    pub scale: Option<f64>,
}

impl AttentionOptions {
    /// Causal attention without a window, at the usual scale.
    pub fn causal() -> Self {
        Self { causal: true, ..Self::default() }
    }

    /// The factor that scores are multiplied by for heads of this width.
    pub fn scale_for(&self, head_dim: usize) -> f64 {
        self.scale.unwrap_or_else(|| (head_dim as f64).sqrt().recip())
    }

    /// The keys that query `row` may see by its position alone.
    pub fn visible_keys(&self, row: usize, query: usize, key: usize) -> Range<usize> {
        // Position + 1 of the query among the keys, shifted up by `query` to stay unsigned.
        let after = row + 1 + key;
        let end = if self.causal { after.saturating_sub(query).min(key) } else { key };
        let Some(window) = self.sliding_window else {
            return 0..end;
        };
        let start = after.saturating_sub(query.saturating_add(window));
        let end = if self.causal {
            end
        } else {
            (row + key).saturating_add(window).saturating_sub(query).min(key)
        };
        start.min(end)..end
    }
}

/// Attention of `q` over `k` and `v`.
///
/// `q` is `[batch, query, heads, head_dim]`, `k` `[batch, key, kv_heads, head_dim]` and `v`
/// `[batch, key, kv_heads, value_dim]`; `kv_heads` divides `heads` and consecutive query heads
/// share a key head. `allowed` (true: may attend) broadcasts to `[batch, heads, query, key]` and
/// comes on top of `options`. The result is `[batch, query, heads, value_dim]`; a query that may
/// see nothing gets zeros.
///
/// # Panics
/// When the shapes do not fit together.
pub fn attention(
    q: Tensor<4>,
    k: Tensor<4>,
    v: Tensor<4>,
    allowed: Option<Tensor<4, Bool>>,
    options: &AttentionOptions,
) -> Tensor<4> {
    check_shapes(q.dims(), k.dims(), v.dims());
    check_mask(allowed.as_ref(), [q.dims()[0], q.dims()[2], q.dims()[1], k.dims()[1]]);
    if !fused::applies(&q) || !fused::applies(&k) || !fused::applies(&v) {
        return plain::attention(q, k, v, allowed, options);
    }
    Tensor::from_dispatch(Dispatch::fused_attention(
        q.into_dispatch(),
        k.into_dispatch(),
        v.into_dispatch(),
        into_dispatch(allowed),
        options.clone(),
    ))
}

/// Attention with queries, keys and values side by side in one tensor.
///
/// `qkv` is `[batch, seq, (heads + 2 * kv_heads) * head_dim]`: all query heads, then all key heads,
/// then all value heads, as one projection produces them. The result is
/// `[batch, seq, heads * head_dim]`. Taking `qkv` apart would cost three copies of its gradient;
/// this costs none. `bias` `[1 or batch, heads, seq, seq]` is added to the scaled scores.
///
/// # Panics
/// When the shapes do not fit together.
pub fn attention_packed(
    qkv: Tensor<3>,
    heads: usize,
    kv_heads: usize,
    bias: Option<Tensor<4>>,
    allowed: Option<Tensor<4, Bool>>,
    options: &AttentionOptions,
) -> Tensor<3> {
    let [batch, seq, width] = qkv.dims();
    assert!(
        kv_heads > 0
            && width > 0
            && heads.is_multiple_of(kv_heads)
            && width.is_multiple_of(heads + 2 * kv_heads),
        "attention_packed: width {width} does not hold {heads} query and {kv_heads} key heads"
    );
    check_mask(allowed.as_ref(), [batch, heads, seq, seq]);
    if let Some(bias) = &bias {
        let dims = bias.dims();
        let fits = dims[1..] == [heads, seq, seq] && (dims[0] == 1 || dims[0] == batch);
        assert!(fits, "attention_packed: bias {dims:?} for [{batch}, {heads}, {seq}, {seq}]");
    }
    if fused::applies(&qkv) && bias.as_ref().is_none_or(fused::applies) {
        let (qkv, allowed) = (qkv.into_dispatch(), into_dispatch(allowed));
        let (heads, options) = ([heads, kv_heads], options.clone());
        return Tensor::from_dispatch(match bias {
            Some(bias) => {
                let bias = bias.into_dispatch();
                Dispatch::fused_attention_packed_bias(qkv, bias, allowed, heads, options)
            }
            None => Dispatch::fused_attention_packed(qkv, allowed, heads, options),
        });
    }
    let head_dim = width / (heads + 2 * kv_heads);
    let part = |first: usize, count: usize| {
        let part = qkv.clone().narrow(2, first * head_dim, count * head_dim);
        part.reshape([batch, seq, count, head_dim])
    };
    let (q, k) = (part(0, heads), part(heads, kv_heads));
    let v = part(heads + kv_heads, kv_heads);
    let probabilities = plain::attention_probabilities(q, k, bias, allowed, options);
    plain::weighted_values(probabilities, v).reshape([batch, seq, heads * head_dim])
}

/// The weights of attention as a tensor, `[batch, heads, query, key]`, for what needs them in
/// between: a bias on the scores, dropout, or a picture. Otherwise [`attention`] is the one to use,
/// which never holds them.
///
/// Shapes and masks are those of [`attention`]; `bias` broadcasts to the result and is added to the
/// scaled scores. A query that may see nothing has weights of zero.
///
/// # Panics
/// When the shapes do not fit together.
pub fn attention_probabilities(
    q: Tensor<4>,
    k: Tensor<4>,
    bias: Option<Tensor<4>>,
    allowed: Option<Tensor<4, Bool>>,
    options: &AttentionOptions,
) -> Tensor<4> {
    check_shapes(q.dims(), k.dims(), k.dims());
    let scores = [q.dims()[0], q.dims()[2], q.dims()[1], k.dims()[1]];
    check_mask(allowed.as_ref(), scores);
    if let Some(bias) = &bias {
        check_broadcast("bias", bias.dims(), scores);
    }
    plain::attention_probabilities(q, k, bias, allowed, options)
}

/// The second half of attention: values `v` `[batch, key, kv_heads, value_dim]` summed by
/// `probabilities` `[batch, heads, query, key]`, as `[batch, query, heads, value_dim]`.
///
/// # Panics
/// When the shapes do not fit together.
pub fn weighted_values(probabilities: Tensor<4>, v: Tensor<4>) -> Tensor<4> {
    let ([batch, heads, _, key], [v_batch, v_key, kv_heads, _]) = (probabilities.dims(), v.dims());
    assert!(
        batch == v_batch && key == v_key && kv_heads > 0 && heads.is_multiple_of(kv_heads),
        "weighted_values: {:?} and v {:?} do not fit together",
        probabilities.dims(),
        v.dims()
    );
    plain::weighted_values(probabilities, v)
}

fn into_dispatch(allowed: Option<Tensor<4, Bool>>) -> Allowed<Dispatch> {
    allowed.map_or(Allowed::All, |mask| Allowed::Only(mask.into_dispatch()))
}

fn check_shapes(q: [usize; 4], k: [usize; 4], v: [usize; 4]) {
    assert!(
        q[0] == k[0]
            && q[3] == k[3]
            && k[..3] == v[..3]
            && k[2] > 0
            && q[2].is_multiple_of(k[2])
            && q[3] > 0
            && v[3] > 0,
        "attention: q {q:?}, k {k:?} and v {v:?} do not fit together"
    );
}

fn check_mask(allowed: Option<&Tensor<4, Bool>>, scores: [usize; 4]) {
    if let Some(allowed) = allowed {
        check_broadcast("mask", allowed.dims(), scores);
    }
}

fn check_broadcast(what: &str, dims: [usize; 4], scores: [usize; 4]) {
    let fits = dims.iter().zip(scores).all(|(&dim, size)| dim == size || dim == 1);
    assert!(fits, "attention: {what} {dims:?} does not broadcast to {scores:?}");
}
