//! The linear layer and the look-up over weights of eight bits.
//!
//! One token at a time, reading the weights is the work, and a quarter of the bytes is a quarter of
//! the time: activations are rounded to eight bits too, block by block, and blocks are multiplied as
//! integers (as llama.cpp does with Q8_0). With many tokens arithmetic is the work: the weights are
//! turned into `f32` once and multiplied as such.

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Flex, backend_extension};
use burn_flex::FlexTensor;

use super::gemm::{Matrix, multiply_add};
use super::gemv::by_columns;
use super::memory::{contiguous, floats, from_vec};
use crate::Precision;
use crate::quantized::{Int8Weight, Values};
use crate::simd::{BLOCK, Kernel, Simd, WIDTH, dispatch, max, sum};

/// The most rows for which reading the weights is what takes the time.
const MAX_ROWS: usize = 8;
/// Work on eight-bit weights registered with burn's dispatch.
#[backend_extension(Flex, Autodiff)]
pub trait QuantizedOps: Backend {
    /// `x · weightᵀ` for `weight` `[outputs, inputs]`.
    fn fused_linear_int8(x: FloatTensor<Self>, weight: Int8Weight) -> FloatTensor<Self>;
}

impl QuantizedOps for Flex {
    fn fused_linear_int8(x: FlexTensor, weight: Int8Weight) -> FlexTensor {
        forward(&contiguous(x), weight.values())
    }
}

impl<C: CheckpointStrategy> QuantizedOps for Autodiff<Flex, C> {
    fn fused_linear_int8(x: FloatTensor<Self>, weight: Int8Weight) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        let output = forward(&contiguous(x), weight.values());
        match Int8Step.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(weight, output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }
}

/// The gradient of `x`; the weight has none.
#[derive(Debug)]
struct Int8Step;

impl Backward<Flex, 1> for Int8Step {
    type State = Int8Weight;

    fn backward(self, ops: Ops<Int8Weight, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = contiguous(grads.consume::<Flex>(&ops.node));
        let [Some(parent)] = ops.parents else { return };
        let weight = ops.state.values();
        let values = weight.dequantized();
        let grad_rows =
            Matrix::row_major(floats(&grad), [rows_of(&grad, weight.outputs), weight.outputs]);
        let mut output = vec![0.0; grad_rows.size[0] * weight.inputs];
        let right = Matrix::row_major(&values, [weight.outputs, weight.inputs]);
        multiply_add(Precision::F32, grad_rows, right, &mut output);
        let mut shape = grad.layout().shape().clone();
        let last = shape.num_dims() - 1;
        shape[last] = weight.inputs;
        grads.register::<Flex>(parent.id, from_vec(output, shape));
    }
}

fn rows_of(tensor: &FlexTensor, width: usize) -> usize {
    tensor.layout().num_elements().checked_div(width).unwrap_or(0)
}

fn forward(x: &FlexTensor, weight: &Values) -> FlexTensor {
    let mut shape = x.layout().shape().clone();
    let last = shape.num_dims() - 1;
    shape[last] = weight.outputs;
    let rows = rows_of(x, weight.inputs);
    let mut output = vec![0.0; rows * weight.outputs];
    if rows > MAX_ROWS {
        let values = weight.dequantized();
        let left = Matrix::row_major(floats(x), [rows, weight.inputs]);
        let right = Matrix::row_major(&values, [weight.outputs, weight.inputs]).transposed();
        multiply_add(Precision::F32, left, right, &mut output);
        return from_vec(output, shape);
    }
    let x = Rounded::new(floats(x));
    by_columns([rows, weight.inputs, weight.outputs], &mut output, |first, sums| {
        dispatch(Dots { x: &x, weight, first, rows, sums });
    });
    from_vec(output, shape)
}

/// Activations as blocks of integers with a scale each.
struct Rounded {
    values: Vec<i8>,
    scales: Vec<f32>,
}

impl Rounded {
    fn new(x: &[f32]) -> Self {
        let (mut values, mut scales) = (vec![0; x.len()], vec![0.0; x.len() / BLOCK]);
        round(x, &mut values, &mut scales);
        Self { values, scales }
    }
}

/// Rounds block by block.
pub fn round(x: &[f32], values: &mut [i8], scales: &mut [f32]) {
    dispatch(Round { x, values, scales });
}

/// The other way.
pub fn widen(values: &[i8], scales: &[f32], to: &mut [f32]) {
    dispatch(Widen { values, scales, to });
}

struct Widen<'a> {
    values: &'a [i8],
    scales: &'a [f32],
    to: &'a mut [f32],
}

impl Kernel for Widen<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let blocks = self.values.as_chunks::<BLOCK>().0.iter().zip(self.scales);
        for (to, (block, &scale)) in self.to.as_chunks_mut::<BLOCK>().0.iter_mut().zip(blocks) {
            for (to, &value) in to.iter_mut().zip(block) {
                *to = f32::from(value) * scale;
            }
        }
    }
}

struct Round<'a> {
    x: &'a [f32],
    values: &'a mut [i8],
    scales: &'a mut [f32],
}

impl Kernel for Round<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let blocks = self.x.as_chunks::<BLOCK>().0.iter();
        let to = self.values.as_chunks_mut::<BLOCK>().0.iter_mut().zip(self.scales);
        for (block, (values, to_scale)) in blocks.zip(to) {
            let mut lanes = [0.0f32; WIDTH];
            // Zero unless something is not finite; then the scale, and with it the result, is NaN.
            let mut poison = [0.0f32; WIDTH];
            for half in block.as_chunks::<WIDTH>().0 {
                for i in 0..WIDTH {
                    let size = half[i].abs();
                    lanes[i] = if size > lanes[i] { size } else { lanes[i] };
                    poison[i] += half[i] * 0.0;
                }
            }
            let scale = max(lanes) / 127.0 + sum(poison);
            let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
            for (value, x) in values.iter_mut().zip(block) {
                *value = (x * inverse).round_ties_even() as i32 as i8;
            }
            *to_scale = scale;
        }
    }
}

/// Dot products of some rows of the weight with all rows of `x`.
struct Dots<'a> {
    x: &'a Rounded,
    weight: &'a Values,
    first: usize,
    rows: usize,
    /// For each row of the weight, one for each of `x`.
    sums: &'a mut [f32],
}

impl Kernel for Dots<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let Self { x, weight, first, rows, sums } = self;
        let blocks = weight.inputs / BLOCK;
        let (values, x_values) =
            (weight.values.as_chunks::<BLOCK>().0, x.values.as_chunks::<BLOCK>().0);
        for (i, sums) in sums.chunks_exact_mut(rows).enumerate() {
            let at = (first + i) * blocks;
            let (values, scales) = (&values[at..at + blocks], &weight.scales[at..at + blocks]);
            for (row, sum) in sums.iter_mut().enumerate() {
                let at = row * blocks;
                let (x_values, x_scales) = (&x_values[at..at + blocks], &x.scales[at..at + blocks]);
                // Two chains of sums, for the latency of one is longer than the work of a block.
                let (mut even, mut odd) = (S::zero(), S::zero());
                let (pairs, last) = values.as_chunks::<2>();
                let (x_pairs, x_last) = x_values.as_chunks::<2>();
                let scale_pairs = scales.as_chunks::<2>().0.iter().zip(x_scales.as_chunks::<2>().0);
                for ((w, x), (a, b)) in pairs.iter().zip(x_pairs).zip(scale_pairs) {
                    even = S::add(even, &w[0], &x[0], a[0] * b[0]);
                    odd = S::add(odd, &w[1], &x[1], a[1] * b[1]);
                }
                if let ([w], [x]) = (last, x_last) {
                    even = S::add(even, w, x, scales[blocks - 1] * x_scales[blocks - 1]);
                }
                *sum = S::total(even) + S::total(odd);
            }
        }
    }
}
