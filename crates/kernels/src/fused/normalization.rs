//! LayerNorm and RMSNorm in one pass forward and one backward.

use std::mem::MaybeUninit;

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Flex, backend_extension};
use burn_flex::FlexTensor;
use rayon::prelude::*;

use super::memory::{Output, contiguous, floats, from_vec, owned};
use crate::simd::{Kernel, Simd, WIDTH, dispatch, sum};

/// Rows per parallel task. Fixed: the partial sums of the weight gradient are one per task, and
/// are added in order, so the result does not depend on the number of threads.
const ROWS: usize = 32;

/// Norms registered with burn's dispatch.
#[backend_extension(Flex, Autodiff)]
pub trait NormalizationOps: Backend {
    /// LayerNorm over the last dimension, without a bias.
    fn fused_layer_norm(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self>;
    /// LayerNorm over the last dimension.
    fn fused_layer_norm_bias(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self>;
    /// RMSNorm over the last dimension.
    fn fused_rms_norm(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self>;
}

/// Which norm, and its epsilon.
#[derive(Clone, Copy, Debug)]
pub(super) struct Norm {
    pub centred: bool,
    pub epsilon: f32,
}

impl Norm {
    fn layer(epsilon: f64) -> Self {
        Self { centred: true, epsilon: epsilon as f32 }
    }

    fn rms(epsilon: f64) -> Self {
        Self { centred: false, epsilon: epsilon as f32 }
    }
}

impl NormalizationOps for Flex {
    fn fused_layer_norm(x: FlexTensor, weight: FlexTensor, epsilon: f64) -> FlexTensor {
        normalize(Norm::layer(epsilon), &contiguous(x), &contiguous(weight), None).0
    }

    fn fused_layer_norm_bias(
        x: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        epsilon: f64,
    ) -> FlexTensor {
        let bias = contiguous(bias);
        normalize(Norm::layer(epsilon), &contiguous(x), &contiguous(weight), Some(&bias)).0
    }

    fn fused_rms_norm(x: FlexTensor, weight: FlexTensor, epsilon: f64) -> FlexTensor {
        normalize(Norm::rms(epsilon), &contiguous(x), &contiguous(weight), None).0
    }
}

impl<C: CheckpointStrategy> NormalizationOps for Autodiff<Flex, C> {
    fn fused_layer_norm(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        tracked::<C>(Norm::layer(epsilon), x, weight)
    }

    fn fused_layer_norm_bias(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        let norm = Norm::layer(epsilon);
        let (x, x_node) = x.into_parts();
        let (weight, weight_node) = weight.into_parts();
        let (bias, bias_node) = bias.into_parts();
        let (x, weight) = (contiguous(x), contiguous(weight));
        let (output, statistics) = normalize(norm, &x, &weight, Some(&contiguous(bias)));
        let nodes = [x_node, weight_node, bias_node];
        match NormStep.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(Saved { norm, x, weight, statistics }, output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }

    fn fused_rms_norm(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        tracked::<C>(Norm::rms(epsilon), x, weight)
    }
}

/// A norm without a bias, recorded.
fn tracked<C: CheckpointStrategy>(
    norm: Norm,
    x: FloatTensor<Autodiff<Flex, C>>,
    weight: FloatTensor<Autodiff<Flex, C>>,
) -> FloatTensor<Autodiff<Flex, C>> {
    let (x, x_node) = x.into_parts();
    let (weight, weight_node) = weight.into_parts();
    let (x, weight) = (contiguous(x), contiguous(weight));
    let (output, statistics) = normalize(norm, &x, &weight, None);
    match NormStep.prepare::<C>([x_node, weight_node]).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish(Saved { norm, x, weight, statistics }, output),
        OpsKind::UnTracked(prep) => prep.finish(output),
    }
}

/// What the gradient needs. The normalised rows are recomputed from `x`.
#[derive(Clone, Debug)]
struct Saved {
    norm: Norm,
    x: FlexTensor,
    weight: FlexTensor,
    statistics: Statistics,
}

/// Mean (0 for RMSNorm) and reciprocal deviation of each row.
type Statistics = Vec<[f32; 2]>;

#[derive(Debug)]
struct NormStep;

impl<const N: usize> Backward<Flex, N> for NormStep {
    type State = Saved;

    fn backward(self, ops: Ops<Saved, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<Flex>(&ops.node);
        let (d_x, d_weight, d_bias) = normalize_backward(&ops.state, grad);
        for (parent, grad) in ops.parents.into_iter().zip([d_x, d_weight, d_bias]) {
            if let Some(parent) = parent {
                grads.register::<Flex>(parent.id, grad);
            }
        }
    }
}

#[expect(unsafe_code, reason = "the output is written in full before it is read")]
fn normalize(
    norm: Norm,
    x: &FlexTensor,
    weight: &FlexTensor,
    bias: Option<&FlexTensor>,
) -> (FlexTensor, Statistics) {
    let (x_data, weight, bias) = (floats(x), floats(weight), bias.map(floats));
    let width = weight.len();
    let mut output = Output::new(x_data.len());
    let mut statistics = vec![[0.0; 2]; x_data.len().checked_div(width).unwrap_or(0)];
    output
        .slots()
        .par_chunks_mut(ROWS * width.max(1))
        .zip(x_data.par_chunks(ROWS * width.max(1)))
        .zip(statistics.par_chunks_mut(ROWS))
        .for_each(|((out, x), statistics)| {
            dispatch(Forward { norm, x, weight, bias, out, statistics });
        });
    // SAFETY: the chunks cover the output and `Forward` writes all of each.
    let output = unsafe { output.into_tensor(x.layout().shape().clone()) };
    (output, statistics)
}

struct Forward<'a> {
    norm: Norm,
    x: &'a [f32],
    weight: &'a [f32],
    bias: Option<&'a [f32]>,
    out: &'a mut [MaybeUninit<f32>],
    statistics: &'a mut [[f32; 2]],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let width = self.weight.len();
        let rows = self.x.chunks_exact(width).zip(self.out.chunks_exact_mut(width));
        for ((x, out), statistics) in rows.zip(self.statistics) {
            *statistics = row_statistics(self.norm, x);
            let [mean, scale] = *statistics;
            match self.bias {
                Some(bias) => {
                    for (((out, &x), &weight), &bias) in
                        out.iter_mut().zip(x).zip(self.weight).zip(bias)
                    {
                        out.write(S::mul_add((x - mean) * scale, weight, bias));
                    }
                }
                None => {
                    for ((out, &x), &weight) in out.iter_mut().zip(x).zip(self.weight) {
                        out.write((x - mean) * scale * weight);
                    }
                }
            }
        }
    }
}

/// Mean and reciprocal deviation. Two passes over a row that is in cache: subtracting the mean
/// first keeps the variance accurate when the mean is large.
#[inline(always)]
pub(super) fn row_statistics(norm: Norm, x: &[f32]) -> [f32; 2] {
    let count = x.len() as f32;
    let mean = if norm.centred { row_sum(x, |x| x) / count } else { 0.0 };
    let variance = row_sum(x, |x| (x - mean) * (x - mean)) / count;
    [mean, 1.0 / (variance + norm.epsilon).sqrt()]
}

/// Sum of `f` over a row in sixteen lanes.
#[inline(always)]
fn row_sum(x: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0; WIDTH];
    let (blocks, rest) = x.as_chunks::<WIDTH>();
    for block in blocks {
        for (lane, &x) in lanes.iter_mut().zip(block) {
            *lane += f(x);
        }
    }
    for (lane, &x) in lanes.iter_mut().zip(rest) {
        *lane += f(x);
    }
    sum(lanes)
}

/// Gradients of `x`, weight and bias; the bias one is computed whether or not there is a bias,
/// being free.
fn normalize_backward(saved: &Saved, grad: FlexTensor) -> (FlexTensor, FlexTensor, FlexTensor) {
    let (x, weight) = (floats(&saved.x), floats(&saved.weight));
    let width = weight.len();
    let mut grad = owned(grad);
    let chunk = ROWS * width.max(1);
    let partial: Vec<Vec<f32>> = grad
        .storage_mut::<f32>()
        .par_chunks_mut(chunk)
        .zip(x.par_chunks(chunk))
        .zip(saved.statistics.par_chunks(ROWS))
        .map(|((grad, x), statistics)| {
            let mut sums = vec![0.0; 2 * width];
            let sums_mut = &mut sums;
            let centred = saved.norm.centred;
            dispatch(Gradient { centred, x, weight, statistics, grad, sums: sums_mut });
            sums
        })
        .collect();
    let mut total = vec![0.0; 2 * width];
    for sums in partial {
        for (total, sum) in total.iter_mut().zip(sums) {
            *total += sum;
        }
    }
    let d_bias = total.split_off(width);
    (grad, from_vec(total, [width]), from_vec(d_bias, [width]))
}

struct Gradient<'a> {
    centred: bool,
    x: &'a [f32],
    weight: &'a [f32],
    statistics: &'a [[f32; 2]],
    /// The incoming gradient, replaced by that of `x`.
    grad: &'a mut [f32],
    /// Weight and bias gradients, added to.
    sums: &'a mut [f32],
}

impl Kernel for Gradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let width = self.weight.len();
        let (d_weight, d_bias) = self.sums.split_at_mut(width);
        let rows = self.x.chunks_exact(width).zip(self.grad.chunks_exact_mut(width));
        for ((x, grad), &[mean, scale]) in rows.zip(self.statistics) {
            for (d_bias, &grad) in d_bias.iter_mut().zip(&*grad) {
                *d_bias += grad;
            }
            add_weight_gradient::<S>(x, grad, [mean, scale], d_weight);
            norm_gradient::<S>(self.centred, x, grad, self.weight, [mean, scale]);
        }
    }
}

/// Adds a row's part of the gradient of the weight.
#[inline(always)]
pub(super) fn add_weight_gradient<S: Simd>(
    x: &[f32],
    grad: &[f32],
    [mean, scale]: [f32; 2],
    d_weight: &mut [f32],
) {
    for ((&x, &grad), d_weight) in x.iter().zip(grad).zip(d_weight) {
        *d_weight = S::mul_add((x - mean) * scale, grad, *d_weight);
    }
}

/// Replaces a row of the incoming gradient by that of `x`.
#[inline(always)]
pub(super) fn norm_gradient<S: Simd>(
    centred: bool,
    x: &[f32],
    grad: &mut [f32],
    weight: &[f32],
    [mean, scale]: [f32; 2],
) {
    let [plain, along] = projections::<S>(x, grad, weight, mean, scale);
    let plain = if centred { plain } else { 0.0 };
    for ((&x, grad), &weight) in x.iter().zip(grad).zip(weight) {
        let normalized = (x - mean) * scale;
        *grad = scale * (S::mul_add(*grad, weight, -plain) - normalized * along);
    }
}

/// Means over the row of `grad · weight` and of `grad · weight · normalised x`.
#[inline(always)]
fn projections<S: Simd>(
    x: &[f32],
    grad: &[f32],
    weight: &[f32],
    mean: f32,
    scale: f32,
) -> [f32; 2] {
    let mut plain = [0.0; WIDTH];
    let mut along = [0.0; WIDTH];
    let (x_blocks, x_rest) = x.as_chunks::<WIDTH>();
    let (grad_blocks, grad_rest) = grad.as_chunks::<WIDTH>();
    let (weight_blocks, weight_rest) = weight.as_chunks::<WIDTH>();
    let mut add = |i: usize, x: f32, grad: f32, weight: f32| {
        let weighted = grad * weight;
        plain[i] += weighted;
        along[i] = S::mul_add(weighted, (x - mean) * scale, along[i]);
    };
    for ((x, grad), weight) in x_blocks.iter().zip(grad_blocks).zip(weight_blocks) {
        for i in 0..WIDTH {
            add(i, x[i], grad[i], weight[i]);
        }
    }
    for (i, ((&x, &grad), &weight)) in x_rest.iter().zip(grad_rest).zip(weight_rest).enumerate() {
        add(i, x, grad, weight);
    }
    let count = x.len() as f32;
    [sum(plain) / count, sum(along) / count]
}
