//! Softmax cross-entropy: one pass over the logits forward, one backward, nothing kept but the
//! logits themselves.

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Autodiff, Backend, Flex, backend_extension};
use burn_flex::FlexTensor;
use rayon::prelude::*;

use super::memory::{contiguous, floats, from_vec, integers, owned};
use crate::simd::{Kernel, Simd, WIDTH, dispatch, math, max, sum};
use crate::{CrossEntropy, IGNORED_TARGET};

/// Logits per parallel task, about.
const CHUNK: usize = 32 * 1024;

/// The loss registered with burn's dispatch.
#[backend_extension(Flex, Autodiff)]
pub trait LossOps: Backend {
    /// Summed cross-entropy of `logits` `[rows, vocabulary]` against `targets` `[rows]`.
    fn fused_cross_entropy(
        logits: FloatTensor<Self>,
        targets: IntTensor<Self>,
        options: CrossEntropy,
    ) -> FloatTensor<Self>;
}

impl LossOps for Flex {
    fn fused_cross_entropy(
        logits: FlexTensor,
        targets: FlexTensor,
        options: CrossEntropy,
    ) -> FlexTensor {
        forward(&contiguous(logits), &integers(targets), Weights::new(options)).0
    }
}

impl<C: CheckpointStrategy> LossOps for Autodiff<Flex, C> {
    fn fused_cross_entropy(
        logits: FloatTensor<Self>,
        targets: FlexTensor,
        options: CrossEntropy,
    ) -> FloatTensor<Self> {
        let (logits, node) = logits.into_parts();
        let (logits, targets) = (contiguous(logits), integers(targets));
        let weights = Weights::new(options);
        let (output, log_sums) = forward(&logits, &targets, weights);
        match LossStep.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                prep.finish(Saved { logits, targets, log_sums, weights }, output)
            }
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }
}

#[derive(Clone, Debug)]
struct Saved {
    logits: FlexTensor,
    targets: Vec<i64>,
    /// Logarithm of the sum of exponentials of each row.
    log_sums: Vec<f32>,
    weights: Weights,
}

/// [`CrossEntropy`] in the numbers of the arithmetic.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weights {
    smoothing: f32,
    z: f32,
}

impl Weights {
    pub(super) fn new(options: CrossEntropy) -> Self {
        Self { smoothing: options.label_smoothing as f32, z: options.z_loss as f32 }
    }
}

#[derive(Debug)]
struct LossStep;

impl Backward<Flex, 1> for LossStep {
    type State = Saved;

    fn backward(self, ops: Ops<Saved, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = floats(&contiguous(grads.consume::<Flex>(&ops.node)))[0];
        let [Some(parent)] = ops.parents else { return };
        grads.register::<Flex>(parent.id, backward(ops.state, grad));
    }
}

fn forward(logits: &FlexTensor, targets: &[i64], weights: Weights) -> (FlexTensor, Vec<f32>) {
    let (data, vocabulary) = (floats(logits), logits.layout().shape()[1]);
    check_targets(targets, vocabulary);
    let mut log_sums = vec![0.0; targets.len()];
    let mut losses = vec![0.0; targets.len()];
    row_losses(data, targets, weights, &mut log_sums, &mut losses);
    (from_vec(vec![total(&losses)], [1]), log_sums)
}

/// # Panics
/// When a target that counts is not below `vocabulary`.
pub(super) fn check_targets(targets: &[i64], vocabulary: usize) {
    for &target in targets {
        assert!(
            target == IGNORED_TARGET || (0..vocabulary as i64).contains(&target),
            "cross_entropy: target {target} with a vocabulary of {vocabulary}"
        );
    }
}

/// The logarithm of the sum of exponentials, and the loss, of each row of `logits`.
pub(super) fn row_losses(
    logits: &[f32],
    targets: &[i64],
    weights: Weights,
    log_sums: &mut [f32],
    losses: &mut [f32],
) {
    let vocabulary = logits.len().checked_div(targets.len()).unwrap_or(0);
    let rows = rows_per_task(vocabulary);
    logits
        .par_chunks(rows * vocabulary.max(1))
        .zip(targets.par_chunks(rows))
        .zip(log_sums.par_chunks_mut(rows).zip(losses.par_chunks_mut(rows)))
        .for_each(|((logits, targets), (log_sums, losses))| {
            dispatch(Forward { logits, vocabulary, targets, weights, log_sums, losses });
        });
}

/// In f64 and in order: the sum runs over thousands of rows.
pub(super) fn total(losses: &[f32]) -> f32 {
    losses.iter().map(|&loss| f64::from(loss)).sum::<f64>() as f32
}

/// `(softmax - target distribution) · grad`, in the logits' own memory where nobody else has it.
fn backward(saved: Saved, grad: f32) -> FlexTensor {
    let mut logits = owned(saved.logits);
    let Saved { targets, log_sums, weights, .. } = saved;
    row_gradients(logits.storage_mut::<f32>(), &targets, &log_sums, weights, grad);
    logits
}

/// Replaces each row of `logits` by its gradient.
pub(super) fn row_gradients(
    logits: &mut [f32],
    targets: &[i64],
    log_sums: &[f32],
    weights: Weights,
    grad: f32,
) {
    let vocabulary = logits.len().checked_div(targets.len()).unwrap_or(0);
    let rows = rows_per_task(vocabulary);
    logits
        .par_chunks_mut(rows * vocabulary.max(1))
        .zip(targets.par_chunks(rows).zip(log_sums.par_chunks(rows)))
        .for_each(|(logits, (targets, log_sums))| {
            dispatch(Gradient { logits, vocabulary, targets, weights, log_sums, grad });
        });
}

/// Rows that together hold about [`CHUNK`] logits.
fn rows_per_task(vocabulary: usize) -> usize {
    (CHUNK / vocabulary.max(1)).max(1)
}

struct Forward<'a> {
    logits: &'a [f32],
    vocabulary: usize,
    targets: &'a [i64],
    weights: Weights,
    log_sums: &'a mut [f32],
    losses: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let Weights { smoothing, z } = self.weights;
        let rows = self.logits.chunks_exact(self.vocabulary).zip(self.targets);
        for ((logits, &target), (log_sum, loss)) in
            rows.zip(self.log_sums.iter_mut().zip(self.losses))
        {
            if target == IGNORED_TARGET {
                continue;
            }
            let [sum_of_exp, shift] = exponentials::<S>(logits);
            *log_sum = sum_of_exp.ln() + shift;
            // Differences from the shift first: `log_sum` and the logits may both be large.
            let log = sum_of_exp.ln();
            let hit = logits[target as usize] - shift - log;
            *loss = -hit;
            if smoothing != 0.0 {
                let mean = centred_sum(logits, shift) / self.vocabulary as f32 - log;
                *loss = -(1.0 - smoothing) * hit - smoothing * mean;
            }
            if z != 0.0 {
                *loss += z * *log_sum * *log_sum;
            }
        }
    }
}

/// `Σ exp(x - max)` and `max`.
#[inline(always)]
fn exponentials<S: Simd>(x: &[f32]) -> [f32; 2] {
    let (blocks, rest) = x.as_chunks::<WIDTH>();
    let mut lanes = [f32::NEG_INFINITY; WIDTH];
    for block in blocks {
        for (lane, &x) in lanes.iter_mut().zip(block) {
            *lane = if x > *lane { x } else { *lane };
        }
    }
    for (lane, &x) in lanes.iter_mut().zip(rest) {
        *lane = if x > *lane { x } else { *lane };
    }
    let shift = max(lanes);
    let mut lanes = [0.0; WIDTH];
    for block in blocks {
        for (lane, &x) in lanes.iter_mut().zip(block) {
            *lane += math::exp::<S>(x - shift);
        }
    }
    for (lane, &x) in lanes.iter_mut().zip(rest) {
        *lane += math::exp::<S>(x - shift);
    }
    [sum(lanes), shift]
}

/// `Σ (x - shift)`.
#[inline(always)]
fn centred_sum(x: &[f32], shift: f32) -> f32 {
    let (blocks, rest) = x.as_chunks::<WIDTH>();
    let mut lanes = [0.0; WIDTH];
    for block in blocks {
        for (lane, &x) in lanes.iter_mut().zip(block) {
            *lane += x - shift;
        }
    }
    for (lane, &x) in lanes.iter_mut().zip(rest) {
        *lane += x - shift;
    }
    sum(lanes)
}

struct Gradient<'a> {
    /// The logits, replaced by their gradient.
    logits: &'a mut [f32],
    vocabulary: usize,
    targets: &'a [i64],
    weights: Weights,
    log_sums: &'a [f32],
    grad: f32,
}

impl Kernel for Gradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let Weights { smoothing, z } = self.weights;
        let uniform = smoothing / self.vocabulary as f32;
        let rows = self.logits.chunks_exact_mut(self.vocabulary).zip(self.targets);
        for ((logits, &target), &log_sum) in rows.zip(self.log_sums) {
            if target == IGNORED_TARGET {
                logits.fill(0.0);
                continue;
            }
            // Of `z · log_sum²` with respect to a logit: its probability times this.
            let factor = 1.0 + 2.0 * z * log_sum;
            for x in &mut *logits {
                *x = S::mul_add(math::exp::<S>(*x - log_sum), factor, -uniform) * self.grad;
            }
            logits[target as usize] -= (1.0 - smoothing) * self.grad;
        }
    }
}
