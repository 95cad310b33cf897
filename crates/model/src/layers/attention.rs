//! Multi-head self-attention with grouped keys and values, rotary positions and QK-norm.

use burn::module::Module;
use burn::tensor::{Bool, Device, Tensor, activation};
use wuji_kernels::AttentionOptions;

use super::{Linear, Norm, RotaryAngles};
use crate::cache::KvCache;
use crate::layers::block::dropout;
use crate::{DecoderArchitecture, NormKind};

/// What all layers of one forward pass share.
#[derive(Debug, Clone)]
pub struct AttentionContext {
    /// Rotary angles of the tokens being read, where the family rotates.
    pub angles: Option<RotaryAngles>,
    /// Which keys each query may see beside causality, `[batch, 1, query, key]` or broadcastable.
    pub allowed: Option<Tensor<4, Bool>>,
}

/// Causal self-attention.
///
/// Queries, keys and values come from one projection whose columns are, in this order, all query
/// heads, all key heads, all value heads.
#[derive(Module, Debug)]
pub struct Attention {
    /// `[hidden, (heads + 2 · kv_heads) · head_dim]`.
    pub qkv: Linear,
    /// `[heads · head_dim, hidden]`.
    pub output: Linear,
    /// Per-head norm of queries.
    pub query_norm: Option<Norm>,
    /// Per-head norm of keys.
    pub key_norm: Option<Norm>,
    heads: usize,
    kv_heads: usize,
    head_dim: usize,
    scale: f64,
    dropout: f64,
}

impl Attention {
    /// The attention of block `layer`, with zero weights.
    pub fn new(architecture: &DecoderArchitecture, layer: usize, device: &Device) -> Self {
        let a = architecture;
        let qk_norm =
            || a.qk_norm.then(|| Norm::new(NormKind::RmsNorm, a.head_dim, a.norm_epsilon, device));
        Self {
            qkv: Linear::zeros(a.hidden_size, a.qkv_sizes().iter().sum(), a.qkv_bias, device),
            output: Linear::zeros(
                a.num_attention_heads * a.head_dim,
                a.hidden_size,
                a.attention_output_bias,
                device,
            ),
            query_norm: qk_norm(),
            key_norm: qk_norm(),
            heads: a.num_attention_heads,
            kv_heads: a.num_key_value_heads,
            head_dim: a.head_dim,
            scale: a.attention_scale.factor(a.head_dim, layer),
            dropout: a.dropout.attention,
        }
    }

    /// Attends over `hidden` `[batch, seq, hidden_size]`; `cache` is this layer's place in a cache.
    pub fn forward(
        &self,
        hidden: Tensor<3>,
        context: &AttentionContext,
        cache: Option<(&mut KvCache, usize)>,
    ) -> Tensor<3> {
        let training_dropout = self.dropout > 0.0 && hidden.device().is_autodiff();
        // Packed, nothing is taken apart: three copies and three padded gradients less.
        if cache.is_none() && !training_dropout {
            return self.forward_packed(hidden, context);
        }
        let [batch, seq, _] = hidden.dims();
        let (q, k, v) = self.project(hidden, context);
        let (k, v) = match cache {
            Some((cache, layer)) => cache.append(layer, k, v),
            None => (k, v),
        };
        let allowed = context.allowed.clone();
        let attended = if training_dropout {
            self.attend_with_dropout(q, k, v, allowed)
        } else {
            wuji_kernels::attention(q, k, v, allowed, &self.options())
        };
        self.output.forward(attended.reshape([batch, seq, self.heads * self.head_dim]))
    }

    fn options(&self) -> AttentionOptions {
        AttentionOptions { scale: Some(self.scale), ..AttentionOptions::causal() }
    }

    fn forward_packed(&self, hidden: Tensor<3>, context: &AttentionContext) -> Tensor<3> {
        let mut qkv = self.qkv.forward(hidden);
        if let (Some(query), Some(key)) = (&self.query_norm, &self.key_norm) {
            let (query_weight, key_weight) = (query.weight.val(), key.weight.val());
            let (heads, kv_heads) = (self.heads, self.kv_heads);
            let epsilon = query.epsilon();
            qkv = wuji_kernels::head_norm_packed(
                qkv,
                query_weight,
                key_weight,
                heads,
                kv_heads,
                epsilon,
            );
        }
        if let Some(RotaryAngles { cos, sin }) = &context.angles {
            let turning = self.heads + self.kv_heads;
            qkv = wuji_kernels::rotary_packed(qkv, turning, cos.clone(), sin.clone());
        }
        let allowed = context.allowed.clone();
        let (heads, kv_heads) = (self.heads, self.kv_heads);
        self.output.forward(wuji_kernels::attention_packed(
            qkv,
            heads,
            kv_heads,
            allowed,
            &self.options(),
        ))
    }

    /// Queries `[batch, seq, heads, head_dim]`, keys and values `[batch, seq, kv_heads, head_dim]`,
    /// normalised and rotated.
    fn project(
        &self,
        hidden: Tensor<3>,
        context: &AttentionContext,
    ) -> (Tensor<4>, Tensor<4>, Tensor<4>) {
        let [batch, seq, _] = hidden.dims();
        let qkv = self.qkv.forward(hidden);
        let (query, kv) = (self.heads * self.head_dim, self.kv_heads * self.head_dim);
        let part = |start: usize, heads: usize| {
            qkv.clone().narrow(2, start, heads * self.head_dim).reshape([
                batch,
                seq,
                heads,
                self.head_dim,
            ])
        };
        let mut q = part(0, self.heads);
        let mut k = part(query, self.kv_heads);
        let v = part(query + kv, self.kv_heads);
        if let (Some(query_norm), Some(key_norm)) = (&self.query_norm, &self.key_norm) {
            q = query_norm.forward_heads(q);
            k = key_norm.forward_heads(k);
        }
        if let Some(RotaryAngles { cos, sin }) = &context.angles {
            q = wuji_kernels::rotary(q, cos.clone(), sin.clone());
            k = wuji_kernels::rotary(k, cos.clone(), sin.clone());
        }
        (q, k, v)
    }

    /// The same attention with dropout on the probabilities, which must then exist as a tensor.
    fn attend_with_dropout(
        &self,
        q: Tensor<4>,
        k: Tensor<4>,
        v: Tensor<4>,
        allowed: Option<Tensor<4, Bool>>,
    ) -> Tensor<4> {
        let [batch, seq, heads, head_dim] = q.dims();
        let keys = k.dims()[1];
        let repeat = |x: Tensor<4>| {
            // [batch, keys, kv, dim] -> [batch, heads, keys, dim], each kv head for its group.
            let groups = heads / self.kv_heads;
            x.swap_dims(1, 2)
                .unsqueeze_dim::<5>(2)
                .expand([batch, self.kv_heads, groups, keys, head_dim])
                .reshape([batch, heads, keys, head_dim])
        };
        let scores = q.swap_dims(1, 2).matmul(repeat(k).swap_dims(2, 3)) * self.scale;
        let causal =
            Tensor::<2, Bool>::tril_mask([seq, keys], (keys - seq) as i64, &scores.device());
        let mut scores = scores.mask_fill(causal.unsqueeze::<4>(), f32::NEG_INFINITY);
        if let Some(allowed) = allowed {
            scores = scores.mask_fill(allowed.bool_not(), f32::NEG_INFINITY);
        }
        let probabilities = dropout(activation::softmax(scores, 3), self.dropout);
        probabilities.matmul(repeat(v)).swap_dims(1, 2)
    }
}
