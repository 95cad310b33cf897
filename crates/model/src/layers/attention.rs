//! Multi-head attention: self-attention with grouped keys and values, rotary positions and QK-norm,
//! and attention to another stack's hidden states.

use std::cell::RefCell;

use burn::module::Module;
use burn::tensor::{Bool, Device, Tensor};
use wuji_kernels::AttentionOptions;

use super::{Linear, Norm, RotaryAngles, RouterLogits};
use crate::cache::KvCache;
use crate::layers::block::dropout;
use crate::{Architecture, AttentionScale, NormKind};

/// The probabilities `[batch, heads, target, source]` of cross-attention, layer by layer.
pub type CrossAttentions = RefCell<Vec<Tensor<4>>>;

/// What all layers of one forward pass share.
#[derive(Debug, Clone, Default)]
pub struct AttentionContext {
    /// Rotary angles of the tokens being read, where the family rotates.
    pub angles: Option<RotaryAngles>,
    /// Which keys each query may see beside causality, `[batch, 1, query, key]` or broadcastable.
    pub allowed: Option<Tensor<4, Bool>>,
    /// Whether `allowed` says everything, causality included.
    pub is_mask_complete: bool,
    /// What is added to the scores, `[1, heads, query, key]`, where positions enter so.
    pub bias: Option<Tensor<4>>,
    /// What cross-attention looks at.
    pub memory: Option<Memory>,
    /// Where cross-attention leaves its probabilities, for those who want them.
    pub cross_attentions: Option<CrossAttentions>,
    /// Where routers leave their scores, for those who want them.
    pub router_logits: Option<RouterLogits>,
}

/// Another stack's hidden states, as cross-attention sees them.
#[derive(Debug, Clone)]
pub struct Memory {
    /// `[batch, source, hidden_size]`.
    pub hidden: Tensor<3>,
    /// Which of them are real, `[batch, 1, 1, source]`; all when absent.
    pub allowed: Option<Tensor<4, Bool>>,
}

/// Attention. Queries, keys and values come from one projection whose columns are, in this order,
/// all query heads, all key heads, all value heads; cross-attention uses the first part on the
/// tokens and the rest on the memory.
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
    causal: bool,
    sliding_window: Option<usize>,
}

impl Attention {
    /// The self-attention of block `layer`, with zero weights.
    pub fn new(architecture: &Architecture, layer: usize, device: &Device) -> Self {
        let a = architecture;
        let qk_norm =
            || a.qk_norm.then(|| Norm::new(NormKind::RmsNorm, a.head_dim, a.norm_epsilon, device));
        let window = a.sliding_window.filter(|window| layer >= window.first_layer);
        Self {
            query_norm: qk_norm(),
            key_norm: qk_norm(),
            scale: a.attention_scale.factor(a.head_dim, layer),
            causal: a.causal,
            sliding_window: window.map(|window| window.size),
            ..Self::plain(a, device)
        }
    }

    /// The attention of a block to another stack, with zero weights.
    pub fn cross(architecture: &Architecture, layer: usize, device: &Device) -> Self {
        let scale = architecture.attention_scale.factor(architecture.head_dim, layer);
        Self { scale, ..Self::plain(architecture, device) }
    }

    fn plain(a: &Architecture, device: &Device) -> Self {
        let heads = a.num_attention_heads * a.head_dim;
        Self {
            qkv: Linear::zeros(a.hidden_size, a.qkv_sizes().iter().sum(), a.qkv_bias, device),
            output: Linear::zeros(heads, a.hidden_size, a.attention_output_bias, device),
            query_norm: None,
            key_norm: None,
            heads: a.num_attention_heads,
            kv_heads: a.num_key_value_heads,
            head_dim: a.head_dim,
            scale: AttentionScale::InverseSqrtHeadDim.factor(a.head_dim, 0),
            dropout: a.dropout.attention,
            causal: false,
            sliding_window: None,
        }
    }

    /// Attends over `hidden` `[batch, seq, hidden_size]`; `cache` is this layer's place in a cache.
    pub fn forward(
        &self,
        hidden: Tensor<3>,
        context: &AttentionContext,
        cache: Option<(&mut KvCache, usize)>,
    ) -> Tensor<3> {
        // Packed, nothing is taken apart: three copies and three padded gradients less.
        if cache.is_none() && !self.drops(&hidden.device()) {
            return self.forward_packed(hidden, context);
        }
        let [batch, seq, _] = hidden.dims();
        let (q, k, v) = self.project(hidden, context);
        let (k, v) = match cache {
            Some((cache, layer)) => cache.append(layer, k, v),
            None => (k, v),
        };
        let (allowed, bias) = (context.allowed.clone(), context.bias.clone());
        let attended = self.attend([q, k, v], allowed, bias, &self.options(context));
        self.output.forward(attended.reshape([batch, seq, self.heads * self.head_dim]))
    }

    /// Attends from `hidden` `[batch, seq, hidden_size]` to `memory`, whose keys and values are
    /// computed once where there is a cache; its probabilities are added to `probabilities` where
    /// they are asked for.
    pub fn forward_cross(
        &self,
        hidden: Tensor<3>,
        memory: &Memory,
        probabilities: Option<&CrossAttentions>,
        cache: Option<(&mut KvCache, usize)>,
    ) -> Tensor<3> {
        let [batch, seq, _] = hidden.dims();
        let queries = self.heads * self.head_dim;
        let q = self.qkv.forward_columns(hidden, 0..queries);
        let q = q.reshape([batch, seq, self.heads, self.head_dim]);
        let project = || self.project_memory(memory.hidden.clone());
        let (k, v) = match cache {
            Some((cache, layer)) => cache.memory(layer, project),
            None => project(),
        };
        let (allowed, options) = (memory.allowed.clone(), self.unmasked());
        if let Some(all) = probabilities {
            let (q, k, allowed) = (q.clone(), k.clone(), allowed.clone());
            all.borrow_mut()
                .push(wuji_kernels::attention_probabilities(q, k, None, allowed, &options));
        }
        let attended = self.attend([q, k, v], allowed, None, &options);
        self.output.forward(attended.reshape([batch, seq, queries]))
    }

    /// Keys and values `[batch, source, kv_heads, head_dim]` of a memory.
    fn project_memory(&self, memory: Tensor<3>) -> (Tensor<4>, Tensor<4>) {
        let [batch, source, _] = memory.dims();
        let (queries, width) = (self.heads * self.head_dim, self.kv_heads * self.head_dim);
        let both = self.qkv.forward_columns(memory, queries..queries + 2 * width);
        let part = |start| {
            let part = both.clone().narrow(2, start, width);
            part.reshape([batch, source, self.kv_heads, self.head_dim])
        };
        (part(0), part(width))
    }

    /// Scores, weights and weighted values of `q`, `k` and `v`.
    fn attend(
        &self,
        [q, k, v]: [Tensor<4>; 3],
        allowed: Option<Tensor<4, Bool>>,
        bias: Option<Tensor<4>>,
        options: &AttentionOptions,
    ) -> Tensor<4> {
        if bias.is_none() && !self.drops(&q.device()) {
            return wuji_kernels::attention(q, k, v, allowed, options);
        }
        let weights = wuji_kernels::attention_probabilities(q, k, bias, allowed, options);
        wuji_kernels::weighted_values(dropout(weights, self.dropout), v)
    }

    /// Whether weights are dropped, which must then exist as a tensor.
    fn drops(&self, device: &Device) -> bool {
        self.dropout > 0.0 && device.is_autodiff()
    }

    fn options(&self, context: &AttentionContext) -> AttentionOptions {
        AttentionOptions {
            causal: self.causal && !context.is_mask_complete,
            sliding_window: self.sliding_window,
            scale: Some(self.scale),
        }
    }

    fn unmasked(&self) -> AttentionOptions {
        AttentionOptions { scale: Some(self.scale), ..AttentionOptions::default() }
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
            context.bias.clone(),
            allowed,
            &self.options(context),
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
}
