//! The linear layer: three products on the tensors as they lie in memory, no copies, no sums over
//! a batch of weight gradients.

use std::mem::MaybeUninit;

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Flex, backend_extension};
use burn_flex::FlexTensor;
use rayon::prelude::*;

use super::gemm::{Matrix, multiply, multiply_add};
use super::memory::{Output, contiguous, floats, from_vec};
use crate::Precision;
use crate::simd::{Kernel, Simd, dispatch};

/// Rows per task, and per partial sum of the bias gradient. Fixed, so that it does not depend on the threads.
const ROWS: usize = 64;

/// The linear layer registered with burn's dispatch.
#[backend_extension(Flex, Autodiff)]
pub trait LinearOps: Backend {
    /// `x · weight` for `weight` `[inputs, outputs]`.
    fn fused_linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self>;
    /// `x · weight + bias`.
    fn fused_linear_bias(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self>;
}

impl LinearOps for Flex {
    fn fused_linear(x: FlexTensor, weight: FlexTensor, precision: Precision) -> FlexTensor {
        forward(precision, &contiguous(x), &forward_strides(weight), None)
    }

    fn fused_linear_bias(
        x: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        precision: Precision,
    ) -> FlexTensor {
        forward(precision, &contiguous(x), &forward_strides(weight), Some(&contiguous(bias)))
    }
}

impl<C: CheckpointStrategy> LinearOps for Autodiff<Flex, C> {
    fn fused_linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self> {
        let wanted = [weight.is_tracked(), x.is_tracked()];
        let (x, x_node) = x.into_parts();
        let (weight, weight_node) = weight.into_parts();
        let (x, weight) = (contiguous(x), forward_strides(weight));
        let output = forward(precision, &x, &weight, None);
        match LinearStep.prepare::<C>([x_node, weight_node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(Saved::new(precision, x, weight, wanted), output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }

    fn fused_linear_bias(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self> {
        let wanted = [weight.is_tracked(), x.is_tracked()];
        let (x, x_node) = x.into_parts();
        let (weight, weight_node) = weight.into_parts();
        let (bias, bias_node) = bias.into_parts();
        let (x, weight) = (contiguous(x), forward_strides(weight));
        let output = forward(precision, &x, &weight, Some(&contiguous(bias)));
        let nodes = [x_node, weight_node, bias_node];
        match LinearStep.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(Saved::new(precision, x, weight, wanted), output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }
}

/// The operands of the two gradients, each kept only if the other one's gradient is wanted.
#[derive(Clone, Debug)]
struct Saved {
    x: Option<FlexTensor>,
    weight: Option<FlexTensor>,
    inputs: usize,
    /// Whether the weight lies transposed in memory; its gradient then does too, so that adding the
    /// two, or turning the gradient round again, moves nothing.
    is_transposed: bool,
    precision: Precision,
}

impl Saved {
    fn new(
        precision: Precision,
        x: FlexTensor,
        weight: FlexTensor,
        [keep_x, keep_weight]: [bool; 2],
    ) -> Self {
        let inputs = weight.layout().shape()[0];
        let is_transposed = lies_transposed(&weight);
        let (x, weight) = (keep_x.then_some(x), keep_weight.then_some(weight));
        Self { x, weight, inputs, is_transposed, precision }
    }
}

/// Whether the elements of a column, not those of a row, are adjacent.
pub(super) fn lies_transposed(weight: &FlexTensor) -> bool {
    let strides = weight.layout().strides();
    strides[0] == 1 && strides[1] != 1
}

#[derive(Debug)]
struct LinearStep;

impl<const N: usize> Backward<Flex, N> for LinearStep {
    type State = Saved;

    fn backward(self, ops: Ops<Saved, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = contiguous(grads.consume::<Flex>(&ops.node));
        let mut parents = ops.parents.into_iter();
        let mut parent = || parents.next().flatten();
        if let (Some(parent), Some(weight)) = (parent(), &ops.state.weight) {
            grads.register::<Flex>(parent.id, x_gradient(ops.state.precision, &grad, weight));
        }
        if let (Some(parent), Some(x)) = (parent(), &ops.state.x) {
            grads.register::<Flex>(parent.id, weight_gradient(&ops.state, x, &grad));
        }
        if let Some(parent) = parent() {
            grads.register::<Flex>(parent.id, bias_gradient(&grad));
        }
    }
}

/// The weight as it lies in memory, transposed or not.
pub(super) fn matrix(weight: &FlexTensor) -> Matrix<'_> {
    let layout = weight.layout();
    let at = |i: usize| layout.strides()[i] as usize;
    Matrix {
        data: &weight.storage::<f32>()[layout.start_offset()..],
        size: [layout.shape()[0], layout.shape()[1]],
        strides: [at(0), at(1)],
    }
}

/// The weight with strides that [`matrix`] can express.
pub(super) fn forward_strides(weight: FlexTensor) -> FlexTensor {
    if weight.layout().strides().iter().all(|&stride| stride >= 0) {
        weight
    } else {
        weight.to_contiguous()
    }
}

/// All leading dimensions of a contiguous tensor as rows.
fn rows(tensor: &FlexTensor, width: usize) -> Matrix<'_> {
    let shape = tensor.layout().shape();
    let count = (0..shape.num_dims() - 1).map(|i| shape[i]).product();
    Matrix::row_major(floats(tensor), [count, width])
}

#[expect(unsafe_code, reason = "the output is written in full before it is read")]
fn forward(
    precision: Precision,
    x: &FlexTensor,
    weight: &FlexTensor,
    bias: Option<&FlexTensor>,
) -> FlexTensor {
    let weight = matrix(weight);
    let [inputs, outputs] = weight.size;
    let mut shape = x.layout().shape().clone();
    let x = rows(x, inputs);
    let last = shape.num_dims() - 1;
    shape[last] = outputs;
    let mut output = Output::new(x.size[0] * outputs);
    affine(precision, x, weight, bias, output.slots());
    // SAFETY: `affine` writes every element.
    unsafe { output.into_tensor(shape) }
}

/// Writes `x · weight + bias` to `slots`, and returns them as what they are then.
#[expect(unsafe_code, reason = "the output is written in full before it is read")]
pub(super) fn affine<'a>(
    precision: Precision,
    x: Matrix,
    weight: Matrix,
    bias: Option<&FlexTensor>,
    slots: &'a mut [MaybeUninit<f32>],
) -> &'a mut [f32] {
    let outputs = weight.size[1];
    match bias {
        Some(bias) if outputs > 0 => {
            let bias = floats(bias);
            slots.par_chunks_mut(ROWS * outputs).for_each(|rows| {
                for row in rows.chunks_exact_mut(outputs) {
                    for (slot, &bias) in row.iter_mut().zip(bias) {
                        slot.write(bias);
                    }
                }
            });
            // SAFETY: every element has just been written.
            let out = unsafe { slots.assume_init_mut() };
            multiply_add(precision, x, weight, out);
            out
        }
        _ => {
            multiply(precision, x, weight, slots);
            // SAFETY: the product covers the output.
            unsafe { slots.assume_init_mut() }
        }
    }
}

#[expect(unsafe_code, reason = "the output is written in full before it is read")]
fn x_gradient(precision: Precision, grad: &FlexTensor, weight: &FlexTensor) -> FlexTensor {
    let weight = matrix(weight);
    let mut shape = grad.layout().shape().clone();
    let grad = rows(grad, weight.size[1]);
    let last = shape.num_dims() - 1;
    shape[last] = weight.size[0];
    let mut output = Output::new(shape.num_elements());
    multiply(precision, grad, weight.transposed(), output.slots());
    // SAFETY: the product covers the output.
    unsafe { output.into_tensor(shape) }
}

#[expect(unsafe_code, reason = "the output is written in full before it is read")]
fn weight_gradient(saved: &Saved, x: &FlexTensor, grad: &FlexTensor) -> FlexTensor {
    let (inputs, shape) = (saved.inputs, grad.layout().shape());
    let outputs = shape[shape.num_dims() - 1];
    let (x, grad) = (rows(x, inputs), rows(grad, outputs));
    let mut output = Output::new(inputs * outputs);
    if saved.is_transposed {
        multiply(saved.precision, grad.transposed(), x, output.slots());
        // SAFETY: the product covers the output.
        return unsafe { output.into_tensor([outputs, inputs]) }.transpose(0, 1);
    }
    multiply(saved.precision, x.transposed(), grad, output.slots());
    // SAFETY: the product covers the output.
    unsafe { output.into_tensor([inputs, outputs]) }
}

/// Column sums, partial ones over a fixed number of rows each.
pub fn bias_gradient(grad: &FlexTensor) -> FlexTensor {
    let shape = grad.layout().shape();
    let width = shape[shape.num_dims() - 1];
    from_vec(column_sums(floats(grad), width), [width])
}

/// Sums over the rows of `data`, each `width` long.
pub(super) fn column_sums(data: &[f32], width: usize) -> Vec<f32> {
    let partial: Vec<Vec<f32>> = data
        .par_chunks(ROWS * width.max(1))
        .map(|rows| dispatch(ColumnSums { rows, width }))
        .collect();
    let mut total = vec![0.0; width];
    for sums in partial {
        for (total, sum) in total.iter_mut().zip(sums) {
            *total += sum;
        }
    }
    total
}

struct ColumnSums<'a> {
    rows: &'a [f32],
    width: usize,
}

impl Kernel for ColumnSums<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn run<S: Simd>(self) -> Vec<f32> {
        let mut sums = vec![0.0; self.width];
        for row in self.rows.chunks_exact(self.width) {
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum += value;
            }
        }
        sums
    }
}
