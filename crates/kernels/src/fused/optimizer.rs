//! The AdamW update in one pass over four arrays, and the squared norm in one over the gradient.

use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Flex, backend_extension};
use burn_flex::FlexTensor;
use rayon::prelude::*;

use super::memory::{CHUNK, contiguous, floats, from_vec, owned};
use crate::AdamWStep;
use crate::simd::{Kernel, Simd, WIDTH, dispatch};

/// Optimiser work registered with burn's dispatch.
#[backend_extension(Flex, Autodiff)]
pub trait OptimizerOps: Backend {
    /// One AdamW update; the new `(param, m, v)`.
    fn fused_adamw(
        param: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        m: FloatTensor<Self>,
        v: FloatTensor<Self>,
        step: AdamWStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
    /// Sum of squares, shape `[1]`.
    fn fused_squared_norm(x: FloatTensor<Self>) -> FloatTensor<Self>;
}

impl OptimizerOps for Flex {
    fn fused_adamw(
        param: FlexTensor,
        grad: FlexTensor,
        m: FlexTensor,
        v: FlexTensor,
        step: AdamWStep,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let (mut param, mut m, mut v) = (owned(param), owned(m), owned(v));
        let grad = contiguous(grad);
        let rates = Rates::new(&step);
        let slices = param.storage_mut::<f32>().par_chunks_mut(CHUNK);
        slices
            .zip(floats(&grad).par_chunks(CHUNK))
            .zip(m.storage_mut::<f32>().par_chunks_mut(CHUNK))
            .zip(v.storage_mut::<f32>().par_chunks_mut(CHUNK))
            .for_each(|(((param, grad), m), v)| dispatch(Update { rates, param, grad, m, v }));
        (param, m, v)
    }

    fn fused_squared_norm(x: FlexTensor) -> FlexTensor {
        let x = contiguous(x);
        let partial: Vec<f64> =
            floats(&x).par_chunks(CHUNK).map(|x| dispatch(SumOfSquares(x))).collect();
        from_vec(vec![partial.iter().sum::<f64>() as f32], [1])
    }
}

impl<C: CheckpointStrategy> OptimizerOps for Autodiff<Flex, C> {
    fn fused_adamw(
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: AdamWStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        unreachable!("the public function sends tensors with autodiff to the plain body")
    }

    fn fused_squared_norm(_: FloatTensor<Self>) -> FloatTensor<Self> {
        unreachable!("the public function sends tensors with autodiff to the plain body")
    }
}

/// The step's factors, computed in `f64` and rounded once.
#[derive(Clone, Copy)]
struct Rates {
    grad_scale: f32,
    beta1: f32,
    rest1: f32,
    beta2: f32,
    rest2: f32,
    keep: f32,
    rate: f32,
    inverse_root2: f32,
    epsilon: f32,
}

impl Rates {
    fn new(step: &AdamWStep) -> Self {
        Self {
            grad_scale: step.grad_scale as f32,
            beta1: step.beta1 as f32,
            rest1: (1.0 - step.beta1) as f32,
            beta2: step.beta2 as f32,
            rest2: (1.0 - step.beta2) as f32,
            keep: (1.0 - step.lr * step.weight_decay) as f32,
            rate: (step.lr / step.bias_correction1()) as f32,
            inverse_root2: step.bias_correction2().sqrt().recip() as f32,
            epsilon: step.epsilon as f32,
        }
    }
}

struct Update<'a> {
    rates: Rates,
    param: &'a mut [f32],
    grad: &'a [f32],
    m: &'a mut [f32],
    v: &'a mut [f32],
}

impl Kernel for Update<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let r = self.rates;
        for (((param, &grad), m), v) in self.param.iter_mut().zip(self.grad).zip(self.m).zip(self.v)
        {
            let grad = grad * r.grad_scale;
            *m = S::mul_add(r.beta1, *m, r.rest1 * grad);
            *v = S::mul_add(r.beta2, *v, r.rest2 * grad * grad);
            let denominator = S::mul_add(v.sqrt(), r.inverse_root2, r.epsilon);
            *param = S::mul_add(r.keep, *param, -(r.rate * *m / denominator));
        }
    }
}

/// Squares and sums in `f64`: a gradient has millions of elements of very different size.
pub(super) struct SumOfSquares<'a>(pub &'a [f32]);

impl Kernel for SumOfSquares<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self) -> f64 {
        let (blocks, rest) = self.0.as_chunks::<WIDTH>();
        let mut lanes = [0.0f64; WIDTH];
        for block in blocks {
            for (lane, &x) in lanes.iter_mut().zip(block) {
                *lane += f64::from(x) * f64::from(x);
            }
        }
        for (lane, &x) in lanes.iter_mut().zip(rest) {
            *lane += f64::from(x) * f64::from(x);
        }
        lanes.iter().sum()
    }
}
