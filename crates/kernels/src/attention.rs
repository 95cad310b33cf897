//! Scaled dot-product attention.

use std::ops::Range;

use burn::tensor::{Bool, Tensor};

use crate::plain;

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
        Self {
            causal: true,
            ..Self::default()
        }
    }

    /// The factor that scores are multiplied by for heads of this width.
    pub fn scale_for(&self, head_dim: usize) -> f64 {
        self.scale
            .unwrap_or_else(|| (head_dim as f64).sqrt().recip())
    }

    /// The keys that query `row` may see by its position alone.
    pub fn visible_keys(&self, row: usize, query: usize, key: usize) -> Range<usize> {
        // Position + 1 of the query among the keys, shifted up by `query` to stay unsigned.
        let after = row + 1 + key;
        let end = if self.causal {
            after.saturating_sub(query).min(key)
        } else {
            key
        };
        let Some(window) = self.sliding_window else {
            return 0..end;
        };
        let start = after.saturating_sub(query.saturating_add(window));
        let end = if self.causal {
            end
        } else {
            (row + key)
                .saturating_add(window)
                .saturating_sub(query)
                .min(key)
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
    plain::attention(q, k, v, allowed, options)
}

fn check_shapes(q: [usize; 4], k: [usize; 4], v: [usize; 4]) {
    assert!(
        q[0] == k[0] && q[3] == k[3] && k[..3] == v[..3] && k[2] > 0 && q[2].is_multiple_of(k[2]),
        "attention: q {q:?}, k {k:?} and v {v:?} do not fit together"
    );
}
