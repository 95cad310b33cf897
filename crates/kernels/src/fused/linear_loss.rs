//! The last linear layer and the softmax cross-entropy in one: logits exist for a block of rows at a
//! time, and the gradients of hidden states, weight and bias are made while they are there.
//!
//! The gradient of the logits lacks but a factor, the gradient of the sum, which comes afterwards
//! (P. Hsu et al. 2024, "Liger Kernel"). So the backward pass costs no second product with the head.

use std::borrow::Cow;
use std::mem::MaybeUninit;

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Autodiff, Backend, Flex, backend_extension};
use burn_flex::FlexTensor;
use rayon::prelude::*;

use super::gemm::{Matrix, multiply_add};
use super::linear::{affine, column_sums, forward_strides, lies_transposed, matrix};
use super::loss::{Weights, check_targets, row_gradients, row_losses, total};
use super::memory::{CHUNK, Output, contiguous, floats, from_vec, integers, owned};
use crate::simd::{Kernel, Simd, dispatch};
use crate::{CrossEntropy, IGNORED_TARGET, Precision};

/// Logits that exist at a time, about: 16 MiB.
const LOGITS: usize = 4 << 20;
/// The fewest rows of a block: the gradient of the weight is read and written once for each block.
const MIN_ROWS: usize = 256;

/// The loss of a head registered with burn's dispatch.
#[backend_extension(Flex, Autodiff)]
pub trait LinearLossOps: Backend {
    /// Summed cross-entropy of `hidden · weight` against `targets`.
    fn fused_linear_loss(
        hidden: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        targets: IntTensor<Self>,
        options: CrossEntropy,
        precision: Precision,
    ) -> FloatTensor<Self>;
    /// Summed cross-entropy of `hidden · weight + bias` against `targets`.
    fn fused_linear_loss_bias(
        hidden: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        targets: IntTensor<Self>,
        options: CrossEntropy,
        precision: Precision,
    ) -> FloatTensor<Self>;
}

impl LinearLossOps for Flex {
    fn fused_linear_loss(
        hidden: FlexTensor,
        weight: FlexTensor,
        targets: FlexTensor,
        options: CrossEntropy,
        precision: Precision,
    ) -> FlexTensor {
        Loss::new(hidden, weight, None, targets, options, precision).run([false; 3]).0
    }

    fn fused_linear_loss_bias(
        hidden: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        targets: FlexTensor,
        options: CrossEntropy,
        precision: Precision,
    ) -> FlexTensor {
        Loss::new(hidden, weight, Some(bias), targets, options, precision).run([false; 3]).0
    }
}

impl<C: CheckpointStrategy> LinearLossOps for Autodiff<Flex, C> {
    fn fused_linear_loss(
        hidden: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        targets: FlexTensor,
        options: CrossEntropy,
        precision: Precision,
    ) -> FloatTensor<Self> {
        let wanted = [hidden.is_tracked(), weight.is_tracked(), false];
        let (hidden, hidden_node) = hidden.into_parts();
        let (weight, weight_node) = weight.into_parts();
        let loss = Loss::new(hidden, weight, None, targets, options, precision);
        let (output, gradients) = loss.run(wanted);
        let nodes = [hidden_node, weight_node];
        match LinearLossStep.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(gradients, output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }

    fn fused_linear_loss_bias(
        hidden: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        targets: FlexTensor,
        options: CrossEntropy,
        precision: Precision,
    ) -> FloatTensor<Self> {
        let wanted = [hidden.is_tracked(), weight.is_tracked(), bias.is_tracked()];
        let (hidden, hidden_node) = hidden.into_parts();
        let (weight, weight_node) = weight.into_parts();
        let (bias, bias_node) = bias.into_parts();
        let loss = Loss::new(hidden, weight, Some(bias), targets, options, precision);
        let (output, gradients) = loss.run(wanted);
        let nodes = [hidden_node, weight_node, bias_node];
        match LinearLossStep.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(gradients, output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }
}

/// Gradients of hidden states, weight and bias for a gradient of 1, where they are wanted.
#[derive(Clone, Debug)]
struct LossGradients {
    parts: [Option<FlexTensor>; 3],
    /// Whether the weight and its gradient lie transposed in memory.
    is_transposed: bool,
}

#[derive(Debug)]
struct LinearLossStep;

impl<const N: usize> Backward<Flex, N> for LinearLossStep {
    type State = LossGradients;

    fn backward(self, ops: Ops<LossGradients, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let factor = floats(&contiguous(grads.consume::<Flex>(&ops.node)))[0];
        let LossGradients { parts, is_transposed } = ops.state;
        for (i, (parent, gradient)) in ops.parents.into_iter().zip(parts).enumerate() {
            if let (Some(parent), Some(gradient)) = (parent, gradient) {
                let gradient = scaled(gradient, factor);
                let is_turned = i == 1 && is_transposed;
                let gradient = if is_turned { gradient.transpose(0, 1) } else { gradient };
                grads.register::<Flex>(parent.id, gradient);
            }
        }
    }
}

/// The gradient times `factor`, in its own memory where nobody else has it.
fn scaled(gradient: FlexTensor, factor: f32) -> FlexTensor {
    if factor == 1.0 {
        return gradient;
    }
    let mut gradient = owned(gradient);
    let chunks = gradient.storage_mut::<f32>().par_chunks_mut(CHUNK);
    chunks.for_each(|values| dispatch(Scale { values, factor }));
    gradient
}

struct Scale<'a> {
    values: &'a mut [f32],
    factor: f32,
}

impl Kernel for Scale<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        for value in self.values {
            *value *= self.factor;
        }
    }
}

/// One loss over tensors with their elements in place.
struct Loss {
    hidden: FlexTensor,
    weight: FlexTensor,
    bias: Option<FlexTensor>,
    targets: Vec<i64>,
    weights: Weights,
    precision: Precision,
}

impl Loss {
    fn new(
        hidden: FlexTensor,
        weight: FlexTensor,
        bias: Option<FlexTensor>,
        targets: FlexTensor,
        options: CrossEntropy,
        precision: Precision,
    ) -> Self {
        let (weight, targets) = (forward_strides(weight), integers(targets));
        check_targets(&targets, weight.layout().shape()[1]);
        Self {
            hidden: contiguous(hidden),
            weight,
            bias: bias.map(contiguous),
            targets,
            weights: Weights::new(options),
            precision,
        }
    }

    /// The loss and the gradients that are wanted.
    fn run(&self, wanted: [bool; 3]) -> (FlexTensor, LossGradients) {
        let [width, vocabulary] = matrix(&self.weight).size;
        let kept: Vec<usize> =
            (0..self.targets.len()).filter(|&row| self.targets[row] != IGNORED_TARGET).collect();
        let sizes = [self.targets.len() * width, width * vocabulary, vocabulary];
        let mut gradients: [Option<Vec<f32>>; 3] =
            std::array::from_fn(|i| wanted[i].then(|| vec![0.0; sizes[i]]));
        let rows = (LOGITS / vocabulary.max(1)).max(MIN_ROWS);
        let mut logits = Output::new(rows.min(kept.len()) * vocabulary);
        let mut losses = vec![0.0; kept.len()];
        for (kept, losses) in kept.chunks(rows).zip(losses.chunks_mut(rows)) {
            let logits = &mut logits.slots()[..kept.len() * vocabulary];
            self.block(kept, logits, losses, &mut gradients);
        }
        let is_transposed = lies_transposed(&self.weight);
        let weight_shape =
            if is_transposed { [vocabulary, width] } else { [width, vocabulary] }.to_vec();
        let shapes = [vec![self.targets.len(), width], weight_shape, vec![vocabulary]];
        let mut shapes = shapes.into_iter();
        let parts = gradients.map(|gradient| {
            let shape = shapes.next().expect("a shape for each gradient");
            gradient.map(|gradient| from_vec(gradient, shape))
        });
        (from_vec(vec![total(&losses)], [1]), LossGradients { parts, is_transposed })
    }

    /// The losses of some rows, and what they add to the gradients.
    fn block(
        &self,
        kept: &[usize],
        logits: &mut [MaybeUninit<f32>],
        losses: &mut [f32],
        [d_hidden, d_weight, d_bias]: &mut [Option<Vec<f32>>; 3],
    ) {
        let (weight, precision) = (matrix(&self.weight), self.precision);
        let [width, vocabulary] = weight.size;
        let hidden = self.hidden_of(kept);
        let hidden = Matrix::row_major(&hidden, [kept.len(), width]);
        let logits = affine(precision, hidden, weight, self.bias.as_ref(), logits);
        let targets: Vec<i64> = kept.iter().map(|&row| self.targets[row]).collect();
        let mut log_sums = vec![0.0; kept.len()];
        row_losses(logits, &targets, self.weights, &mut log_sums, losses);
        if d_hidden.is_none() && d_weight.is_none() && d_bias.is_none() {
            return;
        }
        row_gradients(logits, &targets, &log_sums, self.weights, 1.0);
        let grad = Matrix::row_major(logits, [kept.len(), vocabulary]);
        if let Some(d_hidden) = d_hidden {
            if are_adjacent(kept) {
                let rows = &mut d_hidden[kept[0] * width..][..kept.len() * width];
                multiply_add(precision, grad, weight.transposed(), rows);
            } else {
                let mut rows = vec![0.0; kept.len() * width];
                multiply_add(precision, grad, weight.transposed(), &mut rows);
                for (&row, values) in kept.iter().zip(rows.chunks_exact(width.max(1))) {
                    d_hidden[row * width..][..width].copy_from_slice(values);
                }
            }
        }
        if let Some(d_weight) = d_weight {
            if lies_transposed(&self.weight) {
                multiply_add(precision, grad.transposed(), hidden, d_weight);
            } else {
                multiply_add(precision, hidden.transposed(), grad, d_weight);
            }
        }
        if let Some(d_bias) = d_bias {
            for (total, sum) in d_bias.iter_mut().zip(column_sums(grad.data, vocabulary)) {
                *total += sum;
            }
        }
    }

    /// The hidden states of some rows, copied only where they are not adjacent.
    fn hidden_of(&self, rows: &[usize]) -> Cow<'_, [f32]> {
        let (hidden, width) = (floats(&self.hidden), self.weight.layout().shape()[0]);
        if are_adjacent(rows) {
            return Cow::Borrowed(&hidden[rows[0] * width..][..rows.len() * width]);
        }
        rows.iter().flat_map(|row| &hidden[row * width..][..width]).copied().collect()
    }
}

/// Whether rows, at least one, follow one another.
fn are_adjacent(rows: &[usize]) -> bool {
    rows[rows.len() - 1] - rows[0] + 1 == rows.len()
}
