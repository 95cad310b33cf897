//! GELU in one pass each way.

use std::marker::PhantomData;
use std::mem::MaybeUninit;

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Flex, backend_extension};
use burn_flex::FlexTensor;
use rayon::prelude::*;

use super::memory::{CHUNK, Output, contiguous, floats, owned};
use crate::simd::{Kernel, Simd, dispatch, math};

/// Which activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `x · Φ(x)`.
    Gelu,
    /// The tanh approximation.
    GeluTanh,
}

/// Activations registered with burn's dispatch.
#[backend_extension(Flex, Autodiff)]
pub trait ActivationOps: Backend {
    /// The activation of every element.
    fn fused_activation(x: FloatTensor<Self>, activation: Activation) -> FloatTensor<Self>;
}

impl ActivationOps for Flex {
    fn fused_activation(x: FlexTensor, activation: Activation) -> FlexTensor {
        match activation {
            Activation::Gelu => forward::<Gelu>(&contiguous(x)),
            Activation::GeluTanh => forward::<GeluTanh>(&contiguous(x)),
        }
    }
}

impl<C: CheckpointStrategy> ActivationOps for Autodiff<Flex, C> {
    fn fused_activation(x: FloatTensor<Self>, activation: Activation) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        match UnaryStep.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let x = contiguous(x);
                prep.finish((x.clone(), activation), Flex::fused_activation(x, activation))
            }
            OpsKind::UnTracked(prep) => prep.finish(Flex::fused_activation(x, activation)),
        }
    }
}

#[derive(Debug)]
struct UnaryStep;

impl Backward<Flex, 1> for UnaryStep {
    type State = (FlexTensor, Activation);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<Flex>(&ops.node);
        let [Some(parent)] = ops.parents else { return };
        let (x, activation) = ops.state;
        let grad = match activation {
            Activation::Gelu => backward::<Gelu>(&x, grad),
            Activation::GeluTanh => backward::<GeluTanh>(&x, grad),
        };
        grads.register::<Flex>(parent.id, grad);
    }
}

/// An activation of one element.
trait Curve: Send {
    fn value<S: Simd>(x: f32) -> f32;
    fn slope<S: Simd>(x: f32) -> f32;
}

struct Gelu;

impl Curve for Gelu {
    #[inline(always)]
    fn value<S: Simd>(x: f32) -> f32 {
        x * math::normal_cdf::<S>(x)
    }

    #[inline(always)]
    fn slope<S: Simd>(x: f32) -> f32 {
        const INVERSE_SQRT_2PI: f32 = 0.398_942_3;
        let density = INVERSE_SQRT_2PI * math::exp::<S>(-0.5 * x * x);
        // Beyond 16 the density is 0 in `f32`; the clamp keeps ∞ · 0 out.
        S::mul_add(math::clamp(x, -16.0, 16.0), density, math::normal_cdf::<S>(x))
    }
}

struct GeluTanh;

const SQRT_2_OVER_PI: f32 = 0.797_884_6;

/// `2·√(2/π)·(x + 0.044715·x³)`, whose sigmoid is `(1 + tanh(half of it)) / 2`.
///
/// Beyond 16 the sigmoid is 0 or 1 in `f32`; the clamp keeps the cube finite.
#[inline(always)]
fn tanh_argument<S: Simd>(x: f32) -> f32 {
    let x = math::clamp(x, -16.0, 16.0);
    2.0 * SQRT_2_OVER_PI * x * S::mul_add(0.044_715, x * x, 1.0)
}

impl Curve for GeluTanh {
    #[inline(always)]
    fn value<S: Simd>(x: f32) -> f32 {
        x * math::sigmoid::<S>(tanh_argument::<S>(x))
    }

    #[inline(always)]
    fn slope<S: Simd>(x: f32) -> f32 {
        let s = math::sigmoid::<S>(tanh_argument::<S>(x));
        let x = math::clamp(x, -16.0, 16.0);
        let slope = 2.0 * SQRT_2_OVER_PI * S::mul_add(3.0 * 0.044_715, x * x, 1.0);
        S::mul_add(x * s * (1.0 - s), slope, s)
    }
}

#[expect(unsafe_code, reason = "the output is written in full before it is read")]
fn forward<C: Curve>(x: &FlexTensor) -> FlexTensor {
    let data = floats(x);
    let mut output = Output::new(data.len());
    let chunks = output.slots().par_chunks_mut(CHUNK).zip(data.par_chunks(CHUNK));
    chunks.for_each(|(out, x)| dispatch(Forward::<C> { x, out, curve: PhantomData }));
    // SAFETY: the chunks cover the output and `Forward` writes all of each.
    unsafe { output.into_tensor(x.layout().shape().clone()) }
}

struct Forward<'a, C> {
    x: &'a [f32],
    out: &'a mut [MaybeUninit<f32>],
    curve: PhantomData<C>,
}

impl<C: Curve> Kernel for Forward<'_, C> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        for (out, &x) in self.out.iter_mut().zip(self.x) {
            out.write(C::value::<S>(x));
        }
    }
}

fn backward<C: Curve>(x: &FlexTensor, grad: FlexTensor) -> FlexTensor {
    let mut grad = owned(grad);
    let chunks = grad.storage_mut::<f32>().par_chunks_mut(CHUNK);
    chunks
        .zip(floats(x).par_chunks(CHUNK))
        .for_each(|(grad, x)| dispatch(Gradient::<C> { x, grad, curve: PhantomData }));
    grad
}

struct Gradient<'a, C> {
    x: &'a [f32],
    /// The incoming gradient, replaced by that of `x`.
    grad: &'a mut [f32],
    curve: PhantomData<C>,
}

impl<C: Curve> Kernel for Gradient<'_, C> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        for (grad, &x) in self.grad.iter_mut().zip(self.x) {
            *grad *= C::slope::<S>(x);
        }
    }
}
