//! Dropout whose mask is a function of the place of a value: it is drawn where it is needed, in
//! both directions and by any thread, and kept nowhere.

use std::mem::MaybeUninit;

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Flex, backend_extension};
use burn_flex::FlexTensor;
use rayon::prelude::*;

use super::memory::{CHUNK, Output, contiguous, floats, owned};
use crate::simd::{Kernel, Simd, dispatch};

/// Which values stay, and by how much they grow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DropoutMask {
    key: [u32; 2],
    /// A value stays when its hash is at least this.
    threshold: u32,
    scale: f32,
}

impl DropoutMask {
    /// The mask of `key` that zeroes with probability `rate`, to within 2⁻³².
    pub fn new(key: [u32; 2], rate: f64) -> Self {
        let threshold = (rate * (f64::from(u32::MAX) + 1.0)) as u32;
        Self { key, threshold, scale: (1.0 / (1.0 - rate)) as f32 }
    }

    /// What the value at `index` is multiplied by.
    #[inline(always)]
    fn factor(self, index: u32) -> f32 {
        if hash(self.key, index) >= self.threshold { self.scale } else { 0.0 }
    }
}

/// A hash of `index` in which every bit depends on every other: the finaliser of MurmurHash3
/// (Appleby), twice, with half of the key before each.
#[inline(always)]
fn hash(key: [u32; 2], index: u32) -> u32 {
    finalise(finalise(index ^ key[0]) ^ key[1])
}

#[inline(always)]
fn finalise(mut x: u32) -> u32 {
    x = (x ^ (x >> 16)).wrapping_mul(0x85eb_ca6b);
    x = (x ^ (x >> 13)).wrapping_mul(0xc2b2_ae35);
    x ^ (x >> 16)
}

/// Dropout registered with burn's dispatch.
#[backend_extension(Flex, Autodiff)]
pub trait DropoutOps: Backend {
    /// Every element times its factor.
    fn fused_dropout(x: FloatTensor<Self>, mask: DropoutMask) -> FloatTensor<Self>;
}

impl DropoutOps for Flex {
    fn fused_dropout(x: FlexTensor, mask: DropoutMask) -> FlexTensor {
        forward(&contiguous(x), mask)
    }
}

impl<C: CheckpointStrategy> DropoutOps for Autodiff<Flex, C> {
    fn fused_dropout(x: FloatTensor<Self>, mask: DropoutMask) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        match DropoutStep.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(mask, Flex::fused_dropout(x, mask)),
            OpsKind::UnTracked(prep) => prep.finish(Flex::fused_dropout(x, mask)),
        }
    }
}

#[derive(Debug)]
struct DropoutStep;

impl Backward<Flex, 1> for DropoutStep {
    type State = DropoutMask;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<Flex>(&ops.node);
        let [Some(parent)] = ops.parents else { return };
        grads.register::<Flex>(parent.id, in_place(grad, ops.state));
    }
}

#[expect(unsafe_code, reason = "the output is written in full before it is read")]
fn forward(x: &FlexTensor, mask: DropoutMask) -> FlexTensor {
    let data = floats(x);
    let mut output = Output::new(data.len());
    let chunks = output.slots().par_chunks_mut(CHUNK).zip(data.par_chunks(CHUNK));
    chunks.enumerate().for_each(|(chunk, (out, x))| {
        dispatch(Forward { x, out, mask, first: (chunk * CHUNK) as u32 });
    });
    // SAFETY: the chunks cover the output and `Forward` writes all of each.
    unsafe { output.into_tensor(x.layout().shape().clone()) }
}

struct Forward<'a> {
    x: &'a [f32],
    out: &'a mut [MaybeUninit<f32>],
    mask: DropoutMask,
    first: u32,
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        for (at, (out, &x)) in (0_u32..).zip(self.out.iter_mut().zip(self.x)) {
            out.write(x * self.mask.factor(self.first.wrapping_add(at)));
        }
    }
}

/// The same factors on a gradient that is overwritten.
fn in_place(grad: FlexTensor, mask: DropoutMask) -> FlexTensor {
    let mut grad = owned(grad);
    let chunks = grad.storage_mut::<f32>().par_chunks_mut(CHUNK);
    chunks.enumerate().for_each(|(chunk, grad)| {
        dispatch(InPlace { grad, mask, first: (chunk * CHUNK) as u32 });
    });
    grad
}

struct InPlace<'a> {
    grad: &'a mut [f32],
    mask: DropoutMask,
    first: u32,
}

impl Kernel for InPlace<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        for (at, grad) in (0_u32..).zip(self.grad.iter_mut()) {
            *grad *= self.mask.factor(self.first.wrapping_add(at));
        }
    }
}
