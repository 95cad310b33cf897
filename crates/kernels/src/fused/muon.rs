//! A Muon update with its buffers allocated once, on the thread that calls it.

use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Flex, backend_extension};
use burn_flex::FlexTensor;

use super::gemm::{Accumulate, Matrix, multiply_on_this_thread};
use super::memory::{contiguous, floats, owned};
use super::optimizer::SumOfSquares;
use crate::MuonStep;
use crate::muon::{COEFFICIENTS, ITERATIONS, MIN_NORM};
use crate::simd::{Kernel, Simd, WIDTH, dispatch};

/// Muon registered with burn's dispatch.
#[backend_extension(Flex, Autodiff)]
pub trait MuonOps: Backend {
    /// One update of one matrix; the new `(param, velocity)`.
    fn fused_muon(
        param: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        velocity: FloatTensor<Self>,
        step: MuonStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
}

impl MuonOps for Flex {
    fn fused_muon(
        param: FlexTensor,
        grad: FlexTensor,
        velocity: FlexTensor,
        step: MuonStep,
    ) -> (FlexTensor, FlexTensor) {
        let (mut param, mut velocity, grad) = (owned(param), owned(velocity), contiguous(grad));
        let size = [param.layout().shape()[0], param.layout().shape()[1]];
        let update = nesterov(floats(&grad), velocity.storage_mut::<f32>(), size, &step);
        let update = orthogonalize(update, size);
        let shrink = (1.0 - step.lr * step.weight_decay) as f32;
        let scale = step.update_scale(size) as f32;
        let param_data = param.storage_mut::<f32>();
        if is_tall(size) {
            let update = transposed(&update, [size[1], size[0]]);
            dispatch(Combine { out: param_data, keep: shrink, add: &update, times: -scale });
        } else {
            dispatch(Combine { out: param_data, keep: shrink, add: &update, times: -scale });
        }
        (param, velocity)
    }
}

impl<C: CheckpointStrategy> MuonOps for Autodiff<Flex, C> {
    fn fused_muon(
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: MuonStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        unreachable!("the public function sends tensors with autodiff to the plain body")
    }
}

fn is_tall([rows, columns]: [usize; 2]) -> bool {
    rows > columns
}

/// Updates the velocity; returns Nesterov's look-ahead, lying flat: no more rows than columns.
fn nesterov(grad: &[f32], velocity: &mut [f32], size: [usize; 2], step: &MuonStep) -> Vec<f32> {
    let (momentum, scale) = (step.momentum as f32, step.grad_scale as f32);
    dispatch(Combine { out: velocity, keep: momentum, add: grad, times: scale });
    let mut ahead = velocity.to_vec();
    dispatch(Combine { out: &mut ahead, keep: momentum, add: grad, times: scale });
    if is_tall(size) { transposed(&ahead, size) } else { ahead }
}

/// Newton–Schulz iterations on a matrix that lies flat.
fn orthogonalize(mut x: Vec<f32>, [rows, columns]: [usize; 2]) -> Vec<f32> {
    let (rows, columns) = (rows.min(columns), rows.max(columns));
    let norm = dispatch(SumOfSquares(&x)).sqrt().max(f64::from(MIN_NORM));
    let inverse = (1.0 / norm) as f32;
    x.iter_mut().for_each(|x| *x *= inverse);
    let [a, b, c] = COEFFICIENTS;
    let mut gram = vec![0.0; rows * rows];
    let mut polynomial = vec![0.0; rows * rows];
    let mut next = vec![0.0; rows * columns];
    for _ in 0..ITERATIONS {
        let flat = Matrix::row_major(&x, [rows, columns]);
        multiply_on_this_thread(flat, flat.transposed(), &mut gram, Accumulate::No);
        let square = Matrix::row_major(&gram, [rows, rows]);
        multiply_on_this_thread(square, square, &mut polynomial, Accumulate::No);
        dispatch(Combine { out: &mut polynomial, keep: c, add: &gram, times: b });
        // a · X is put there first, B · X added to it.
        next.iter_mut().zip(&x).for_each(|(next, &x)| *next = a * x);
        let polynomial = Matrix::row_major(&polynomial, [rows, rows]);
        multiply_on_this_thread(polynomial, flat, &mut next, Accumulate::Yes);
        std::mem::swap(&mut x, &mut next);
    }
    x
}

/// Rows become columns.
fn transposed(x: &[f32], [rows, columns]: [usize; 2]) -> Vec<f32> {
    // Squares of 16 by 16 keep both sides in cache.
    let mut out = vec![0.0; x.len()];
    for top in (0..rows).step_by(WIDTH) {
        for left in (0..columns).step_by(WIDTH) {
            for row in top..(top + WIDTH).min(rows) {
                for column in left..(left + WIDTH).min(columns) {
                    out[column * rows + row] = x[row * columns + column];
                }
            }
        }
    }
    out
}

/// `out · keep + add · times`, in place.
struct Combine<'a> {
    out: &'a mut [f32],
    keep: f32,
    add: &'a [f32],
    times: f32,
}

impl Kernel for Combine<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        for (out, &add) in self.out.iter_mut().zip(self.add) {
            *out = S::mul_add(*out, self.keep, add * self.times);
        }
    }
}
