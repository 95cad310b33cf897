//! Attention that never holds a score matrix: blocks of scores live in cache, forward and backward.
//!
//! The forward pass keeps one logarithm of a sum per row (Flash Attention: Dao et al., 2022); the
//! backward pass recomputes probabilities from it. Scores are in units of log 2, so that
//! probabilities are plain powers of two.

mod backward;
mod bias;
mod decode;
mod forward;
mod heads;
mod mask;
mod scratch;
mod softmax;

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::{BoolTensor, FloatTensor};
use burn::backend::{Autodiff, Backend, ExtensionType, Flex, backend_extension};
use burn_flex::FlexTensor;

use super::memory::{Output, contiguous, floats, from_vec};
use crate::AttentionOptions;
use bias::{Bias, BiasGradient};
use heads::{Heads, HeadsMut, Layout, adjacent};
use mask::Mask;
pub(super) use softmax::dot;

/// The caller's mask, if any.
#[derive(ExtensionType, Clone, Debug)]
pub enum Allowed<B: Backend> {
    /// Everything that the options allow.
    All,
    /// True where attending is allowed, broadcastable to `[batch, heads, query, key]`.
    Only(BoolTensor<B>),
}

/// Attention registered with burn's dispatch.
#[backend_extension(Flex, Autodiff)]
pub trait AttentionOps: Backend {
    /// `q`, `k` and `v` apart; see [`crate::attention`].
    fn fused_attention(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        #[extension_type] allowed: Allowed<Self>,
        options: AttentionOptions,
    ) -> FloatTensor<Self>;

    /// All three in one tensor; see [`crate::attention_packed`].
    fn fused_attention_packed(
        qkv: FloatTensor<Self>,
        #[extension_type] allowed: Allowed<Self>,
        heads: [usize; 2],
        options: AttentionOptions,
    ) -> FloatTensor<Self>;

    /// The same with a `bias` `[1 or batch, heads, query, key]` on the scores.
    fn fused_attention_packed_bias(
        qkv: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        #[extension_type] allowed: Allowed<Self>,
        heads: [usize; 2],
        options: AttentionOptions,
    ) -> FloatTensor<Self>;
}

impl AttentionOps for Flex {
    fn fused_attention(
        q: FlexTensor,
        k: FlexTensor,
        v: FlexTensor,
        allowed: Allowed<Self>,
        options: AttentionOptions,
    ) -> FlexTensor {
        Saved::apart(q, k, v, allowed, options).forward(false).0
    }

    fn fused_attention_packed(
        qkv: FlexTensor,
        allowed: Allowed<Self>,
        heads: [usize; 2],
        options: AttentionOptions,
    ) -> FlexTensor {
        Saved::packed(qkv, heads, allowed, options).forward(false).0
    }

    fn fused_attention_packed_bias(
        qkv: FlexTensor,
        bias: FlexTensor,
        allowed: Allowed<Self>,
        heads: [usize; 2],
        options: AttentionOptions,
    ) -> FlexTensor {
        Saved::packed(qkv, heads, allowed, options).biased(bias).forward(false).0
    }
}

impl<C: CheckpointStrategy> AttentionOps for Autodiff<Flex, C> {
    fn fused_attention(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        allowed: Allowed<Self>,
        options: AttentionOptions,
    ) -> FloatTensor<Self> {
        let (q, q_node) = q.into_parts();
        let (k, k_node) = k.into_parts();
        let (v, v_node) = v.into_parts();
        let saved = Saved::apart(q, k, v, allowed.into_inner(), options);
        let nodes = [q_node, k_node, v_node];
        match ApartStep.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let (output, log_sums) = saved.forward(true);
                prep.finish((saved, output.clone(), log_sums), output)
            }
            OpsKind::UnTracked(prep) => prep.finish(saved.forward(false).0),
        }
    }

    fn fused_attention_packed(
        qkv: FloatTensor<Self>,
        allowed: Allowed<Self>,
        heads: [usize; 2],
        options: AttentionOptions,
    ) -> FloatTensor<Self> {
        let (qkv, node) = qkv.into_parts();
        let saved = Saved::packed(qkv, heads, allowed.into_inner(), options);
        match PackedStep.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let (output, log_sums) = saved.forward(true);
                prep.finish((saved, output.clone(), log_sums), output)
            }
            OpsKind::UnTracked(prep) => prep.finish(saved.forward(false).0),
        }
    }

    fn fused_attention_packed_bias(
        qkv: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        allowed: Allowed<Self>,
        heads: [usize; 2],
        options: AttentionOptions,
    ) -> FloatTensor<Self> {
        let (qkv, node) = qkv.into_parts();
        let (bias, bias_node) = bias.into_parts();
        let saved = Saved::packed(qkv, heads, allowed.into_inner(), options).biased(bias);
        match PackedStep.prepare::<C>([node, bias_node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let (output, log_sums) = saved.forward(true);
                prep.finish((saved, output.clone(), log_sums), output)
            }
            OpsKind::UnTracked(prep) => prep.finish(saved.forward(false).0),
        }
    }
}

impl<C: CheckpointStrategy> Allowed<Autodiff<Flex, C>> {
    fn into_inner(self) -> Allowed<Flex> {
        match self {
            Self::All => Allowed::All,
            Self::Only(mask) => Allowed::Only(mask),
        }
    }
}

/// What a backward pass needs beside its output and the sums: operands, mask and sizes.
type State = (Saved, FlexTensor, Vec<f32>);

#[derive(Debug)]
struct ApartStep;

impl Backward<Flex, 3> for ApartStep {
    type State = State;

    fn backward(self, ops: Ops<State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<Flex>(&ops.node);
        let (saved, output, log_sums) = ops.state;
        let gradients = saved.backward_apart(&output, &log_sums, grad);
        for (parent, gradient) in ops.parents.into_iter().zip(gradients) {
            if let Some(parent) = parent {
                grads.register::<Flex>(parent.id, gradient);
            }
        }
    }
}

#[derive(Debug)]
struct PackedStep;

impl<const N: usize> Backward<Flex, N> for PackedStep {
    type State = State;

    fn backward(self, ops: Ops<State, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<Flex>(&ops.node);
        let mut parents = ops.parents.into_iter();
        let mut parent = || parents.next().flatten();
        let (qkv, bias) = (parent(), parent());
        let (saved, output, log_sums) = ops.state;
        let (d_qkv, d_bias) = saved.backward_packed(&output, &log_sums, grad, bias.is_some());
        if let Some(qkv) = qkv {
            grads.register::<Flex>(qkv.id, d_qkv);
        }
        if let (Some(bias), Some(d_bias)) = (bias, d_bias) {
            grads.register::<Flex>(bias.id, d_bias);
        }
    }
}

/// Sizes of one attention.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    batch: usize,
    query: usize,
    key: usize,
    heads: usize,
    kv_heads: usize,
    head_dim: usize,
    value_dim: usize,
}

impl Sizes {
    /// Query heads per key head.
    fn group(&self) -> usize {
        self.heads / self.kv_heads
    }

    /// Where the sum of a row is kept: `[batch, heads, query]`.
    fn sums_at(&self, batch: usize, head: usize) -> usize {
        (batch * self.heads + head) * self.query
    }

    /// Where the output lies: `[batch, query, heads, value_dim]`.
    fn output_layout(&self) -> Layout {
        Layout::contiguous([self.query, self.heads, self.value_dim])
    }
}

/// The operands as tensors with where each lies in them.
#[derive(Clone, Debug)]
struct Saved {
    tensors: Vec<FlexTensor>,
    bias: Option<FlexTensor>,
    layouts: [Layout; 3],
    allowed: Allowed<Flex>,
    options: AttentionOptions,
    sizes: Sizes,
    output_shape: Vec<usize>,
}

/// One attention over borrowed operands.
struct Problem<'a> {
    q: Heads<'a>,
    k: Heads<'a>,
    v: Heads<'a>,
    mask: Mask<'a>,
    bias: Option<Bias<'a>>,
    scale: f32,
    sizes: Sizes,
}

impl Saved {
    fn apart(
        q: FlexTensor,
        k: FlexTensor,
        v: FlexTensor,
        allowed: Allowed<Flex>,
        options: AttentionOptions,
    ) -> Self {
        let [q, k, v] = [adjacent(q), adjacent(k), adjacent(v)];
        let dim = |tensor: &FlexTensor, i: usize| tensor.layout().shape()[i];
        let sizes = Sizes {
            batch: dim(&q, 0),
            query: dim(&q, 1),
            key: dim(&k, 1),
            heads: dim(&q, 2),
            kv_heads: dim(&k, 2),
            head_dim: dim(&q, 3),
            value_dim: dim(&v, 3),
        };
        let layouts = [Layout::of(&q), Layout::of(&k), Layout::of(&v)];
        let output_shape = vec![sizes.batch, sizes.query, sizes.heads, sizes.value_dim];
        let tensors = vec![q, k, v];
        Self { tensors, bias: None, layouts, allowed, options, sizes, output_shape }
    }

    fn packed(
        qkv: FlexTensor,
        [heads, kv_heads]: [usize; 2],
        allowed: Allowed<Flex>,
        options: AttentionOptions,
    ) -> Self {
        let qkv = contiguous(qkv);
        let shape = qkv.layout().shape();
        let [batch, seq, width] = [shape[0], shape[1], shape[2]];
        let head_dim = width / (heads + 2 * kv_heads);
        let sizes =
            Sizes { batch, query: seq, key: seq, heads, kv_heads, head_dim, value_dim: head_dim };
        let whole = Layout::contiguous([seq, heads + 2 * kv_heads, head_dim]);
        let from = |head: usize| whole.skip(head * head_dim);
        let layouts = [from(0), from(heads), from(heads + kv_heads)];
        let output_shape = vec![batch, seq, heads * head_dim];
        let tensors = vec![qkv];
        Self { tensors, bias: None, layouts, allowed, options, sizes, output_shape }
    }

    /// With this added to the scores.
    fn biased(self, bias: FlexTensor) -> Self {
        Self { bias: Some(contiguous(bias)), ..self }
    }

    fn problem(&self) -> Problem<'_> {
        let heads = |i: usize| {
            let tensor = self.tensors.get(i).unwrap_or(&self.tensors[0]);
            Heads::new(&tensor.storage::<f32>()[tensor.layout().start_offset()..], self.layouts[i])
        };
        Problem {
            q: heads(0),
            k: heads(1),
            v: heads(2),
            mask: Mask::new(&self.allowed, &self.options, &self.sizes),
            bias: self.bias.as_ref().map(|bias| Bias::new(bias, &self.sizes)),
            scale: self.options.scale_for(self.sizes.head_dim) as f32,
            sizes: self.sizes,
        }
    }

    /// The output and, if `keep`, the logarithm of the sum of each row.
    #[expect(unsafe_code, reason = "the output is written in full before it is read")]
    fn forward(&self, keep: bool) -> (FlexTensor, Vec<f32>) {
        let sizes = &self.sizes;
        let rows = sizes.batch * sizes.heads * sizes.query;
        let mut output = Output::new(rows * sizes.value_dim);
        let mut log_sums = vec![0.0; rows];
        let out = HeadsMut::new(output.slots(), sizes.output_layout());
        if sizes.query == 1 && !keep && self.bias.is_none() {
            decode::run(&self.problem(), &out);
        } else {
            forward::run(&self.problem(), &out, &mut log_sums);
        }
        // SAFETY: `forward` and `decode` write every row of every head.
        (unsafe { output.into_tensor(self.output_shape.clone()) }, log_sums)
    }

    /// Gradients of `q`, `k` and `v`.
    #[expect(unsafe_code, reason = "the gradients are written in full before they are read")]
    fn backward_apart(
        &self,
        output: &FlexTensor,
        log_sums: &[f32],
        grad: FlexTensor,
    ) -> [FlexTensor; 3] {
        let shapes: [_; 3] = std::array::from_fn(|i| self.tensors[i].layout().shape().clone());
        let mut buffers = shapes.each_ref().map(|shape| Output::new(shape.num_elements()));
        let [d_q, d_k, d_v] = &mut buffers;
        let layout = |i: usize| Layout::contiguous([shapes[i][1], shapes[i][2], shapes[i][3]]);
        let into = [
            HeadsMut::new(d_q.slots(), layout(0)),
            HeadsMut::new(d_k.slots(), layout(1)),
            HeadsMut::new(d_v.slots(), layout(2)),
        ];
        self.backward(output, log_sums, grad, &into, None);
        let mut shapes = shapes.into_iter();
        buffers.map(|buffer| {
            let shape = shapes.next().expect("three shapes for three buffers");
            // SAFETY: `backward` writes every row of every head of all three.
            unsafe { buffer.into_tensor(shape) }
        })
    }

    /// The gradient of packed `qkv`, and of the bias where it is wanted.
    #[expect(unsafe_code, reason = "the gradient is written in full before it is read")]
    fn backward_packed(
        &self,
        output: &FlexTensor,
        log_sums: &[f32],
        grad: FlexTensor,
        wants_bias: bool,
    ) -> (FlexTensor, Option<FlexTensor>) {
        let shape = self.tensors[0].layout().shape().clone();
        let mut buffer = Output::new(shape.num_elements());
        let whole = HeadsMut::new(buffer.slots(), self.layouts[0]);
        let into = self.layouts.map(|layout| whole.with(layout));
        let bias = self.bias.as_ref().filter(|_| wants_bias);
        let mut d_bias = bias.map(|bias| vec![0.0; bias.layout().num_elements()]);
        let into_bias = bias
            .zip(d_bias.as_deref_mut())
            .map(|(bias, gradient)| BiasGradient::new(bias, &self.sizes, gradient));
        self.backward(output, log_sums, grad, &into, into_bias);
        let d_bias = bias
            .zip(d_bias)
            .map(|(bias, gradient)| from_vec(gradient, bias.layout().shape().clone()));
        // SAFETY: the three parts cover the buffer and `backward` writes every row of each.
        (unsafe { buffer.into_tensor(shape) }, d_bias)
    }

    fn backward(
        &self,
        output: &FlexTensor,
        log_sums: &[f32],
        grad: FlexTensor,
        into: &[HeadsMut; 3],
        into_bias: Option<BiasGradient>,
    ) {
        let grad = contiguous(grad);
        let layout = self.sizes.output_layout();
        let output = Heads::new(floats(output), layout);
        let grad = Heads::new(floats(&grad), layout);
        backward::run(&self.problem(), &output, log_sums, &grad, into, into_bias.as_ref());
    }
}
