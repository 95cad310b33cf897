//! QK-norm over packed heads in one pass forward and one backward.

use std::mem::MaybeUninit;

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Flex, backend_extension};
use burn_flex::FlexTensor;
use rayon::prelude::*;

use super::memory::{CHUNK, Output, contiguous, floats, from_vec, owned};
use super::normalization::{Norm, add_weight_gradient, norm_gradient, row_statistics};
use crate::simd::{Kernel, Simd, dispatch};

/// Which of the packed heads are normalised, and how.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PackedHeads {
    /// Heads with the query weight, first.
    pub queries: usize,
    /// Heads with the key weight, behind them.
    pub keys: usize,
    /// Added to the mean square.
    pub epsilon: f32,
}

impl PackedHeads {
    fn normalised(self) -> usize {
        self.queries + self.keys
    }

    fn norm(self) -> Norm {
        Norm { centred: false, epsilon: self.epsilon }
    }
}

/// QK-norm registered with burn's dispatch.
#[backend_extension(Flex, Autodiff)]
pub trait HeadNormOps: Backend {
    /// The norm of the packed heads of `x` `[batch, seq, all_heads * head_dim]`.
    fn fused_head_norm(
        x: FloatTensor<Self>,
        query_weight: FloatTensor<Self>,
        key_weight: FloatTensor<Self>,
        heads: PackedHeads,
    ) -> FloatTensor<Self>;
}

impl HeadNormOps for Flex {
    fn fused_head_norm(
        x: FlexTensor,
        query_weight: FlexTensor,
        key_weight: FlexTensor,
        heads: PackedHeads,
    ) -> FlexTensor {
        let weights = [contiguous(query_weight), contiguous(key_weight)];
        normalize(&contiguous(x), &weights, heads).0
    }
}

impl<C: CheckpointStrategy> HeadNormOps for Autodiff<Flex, C> {
    fn fused_head_norm(
        x: FloatTensor<Self>,
        query_weight: FloatTensor<Self>,
        key_weight: FloatTensor<Self>,
        heads: PackedHeads,
    ) -> FloatTensor<Self> {
        let (x, x_node) = x.into_parts();
        let (query, query_node) = query_weight.into_parts();
        let (key, key_node) = key_weight.into_parts();
        let (x, weights) = (contiguous(x), [contiguous(query), contiguous(key)]);
        let (output, scales) = normalize(&x, &weights, heads);
        match HeadNormStep.prepare::<C>([x_node, query_node, key_node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(Saved { x, weights, heads, scales }, output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }
}

/// What the gradient needs.
#[derive(Clone, Debug)]
struct Saved {
    x: FlexTensor,
    /// Query and key weight.
    weights: [FlexTensor; 2],
    heads: PackedHeads,
    /// Reciprocal root mean square of each normalised head.
    scales: Vec<f32>,
}

#[derive(Debug)]
struct HeadNormStep;

impl Backward<Flex, 3> for HeadNormStep {
    type State = Saved;

    fn backward(self, ops: Ops<Saved, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<Flex>(&ops.node);
        let (d_x, [d_query, d_key]) = normalize_backward(&ops.state, grad);
        for (parent, grad) in ops.parents.into_iter().zip([d_x, d_query, d_key]) {
            if let Some(parent) = parent {
                grads.register::<Flex>(parent.id, grad);
            }
        }
    }
}

/// Positions per parallel task. Fixed, like all pieces here.
fn positions_per_task(width: usize) -> usize {
    (CHUNK / width.max(1)).max(1)
}

#[expect(unsafe_code, reason = "the output is written in full before it is read")]
fn normalize(
    x: &FlexTensor,
    weights: &[FlexTensor; 2],
    heads: PackedHeads,
) -> (FlexTensor, Vec<f32>) {
    let width = x.layout().shape()[2];
    let data = floats(x);
    let positions = positions_per_task(width);
    let mut output = Output::new(data.len());
    let mut scales = vec![0.0; data.len() / width.max(1) * heads.normalised()];
    let weights = weights.each_ref().map(floats);
    output
        .slots()
        .par_chunks_mut(positions * width)
        .zip(data.par_chunks(positions * width))
        .zip(scales.par_chunks_mut(positions * heads.normalised()))
        .for_each(|((out, x), scales)| dispatch(Forward { x, weights, heads, width, out, scales }));
    // SAFETY: the chunks cover the output and `Forward` writes all of each.
    (unsafe { output.into_tensor(x.layout().shape().clone()) }, scales)
}

struct Forward<'a> {
    x: &'a [f32],
    weights: [&'a [f32]; 2],
    heads: PackedHeads,
    /// Elements per position.
    width: usize,
    out: &'a mut [MaybeUninit<f32>],
    scales: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let head_dim = self.weights[0].len();
        let turned = self.heads.normalised() * head_dim;
        let positions = self.x.chunks_exact(self.width).zip(self.out.chunks_exact_mut(self.width));
        let scales = self.scales.chunks_exact_mut(self.heads.normalised());
        for ((x, out), scales) in positions.zip(scales) {
            let rows = x[..turned].chunks_exact(head_dim).zip(out.chunks_exact_mut(head_dim));
            for (head, ((x, out), scale)) in rows.zip(scales).enumerate() {
                let weight = self.weights[usize::from(head >= self.heads.queries)];
                let [_, inverse] = row_statistics(self.heads.norm(), x);
                *scale = inverse;
                for ((out, &x), &weight) in out.iter_mut().zip(x).zip(weight) {
                    out.write(x * inverse * weight);
                }
            }
            for (out, &x) in out[turned..].iter_mut().zip(&x[turned..]) {
                out.write(x);
            }
        }
    }
}

/// Gradients of `x` and of both weights.
fn normalize_backward(saved: &Saved, grad: FlexTensor) -> (FlexTensor, [FlexTensor; 2]) {
    let (x, heads) = (floats(&saved.x), saved.heads);
    let weights = saved.weights.each_ref().map(floats);
    let (width, head_dim) = (saved.x.layout().shape()[2], weights[0].len());
    let mut grad = owned(grad);
    let positions = positions_per_task(width);
    let partial: Vec<[Vec<f32>; 2]> = grad
        .storage_mut::<f32>()
        .par_chunks_mut(positions * width)
        .zip(x.par_chunks(positions * width))
        .zip(saved.scales.par_chunks(positions * heads.normalised()))
        .map(|((grad, x), scales)| {
            let mut sums = [vec![0.0; head_dim], vec![0.0; head_dim]];
            dispatch(Gradient { x, weights, heads, width, scales, grad, sums: &mut sums });
            sums
        })
        .collect();
    let mut totals = [vec![0.0; head_dim], vec![0.0; head_dim]];
    for sums in partial {
        for (total, sums) in totals.iter_mut().zip(sums) {
            for (total, sum) in total.iter_mut().zip(sums) {
                *total += sum;
            }
        }
    }
    (grad, totals.map(|total| from_vec(total, [head_dim])))
}

struct Gradient<'a> {
    x: &'a [f32],
    weights: [&'a [f32]; 2],
    heads: PackedHeads,
    width: usize,
    scales: &'a [f32],
    /// The incoming gradient, replaced by that of `x`.
    grad: &'a mut [f32],
    /// Gradients of the weights, added to.
    sums: &'a mut [Vec<f32>; 2],
}

impl Kernel for Gradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let head_dim = self.weights[0].len();
        let turned = self.heads.normalised() * head_dim;
        let positions = self.x.chunks_exact(self.width).zip(self.grad.chunks_exact_mut(self.width));
        let scales = self.scales.chunks_exact(self.heads.normalised());
        for ((x, grad), scales) in positions.zip(scales) {
            let rows = x[..turned].chunks_exact(head_dim);
            let rows = rows.zip(grad[..turned].chunks_exact_mut(head_dim)).zip(scales);
            for (head, ((x, grad), &scale)) in rows.enumerate() {
                let kind = usize::from(head >= self.heads.queries);
                add_weight_gradient::<S>(x, grad, [0.0, scale], &mut self.sums[kind]);
                norm_gradient::<S>(false, x, grad, self.weights[kind], [0.0, scale]);
            }
        }
    }
}
