//! SwiGLU's product, of two tensors or of the two halves of each row of one.

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

/// SwiGLU registered with burn's dispatch.
#[backend_extension(Flex, Autodiff)]
pub trait SwigluOps: Backend {
    /// `silu(gate) · up`.
    fn fused_silu_mul(gate: FloatTensor<Self>, up: FloatTensor<Self>) -> FloatTensor<Self>;
    /// `silu(first half) · second half` of each row.
    fn fused_silu_mul_packed(gate_up: FloatTensor<Self>) -> FloatTensor<Self>;
}

impl SwigluOps for Flex {
    #[expect(unsafe_code, reason = "the output is written in full before it is read")]
    fn fused_silu_mul(gate: FlexTensor, up: FlexTensor) -> FlexTensor {
        let (gate, up) = (contiguous(gate), contiguous(up));
        let (gate_data, up) = (floats(&gate), floats(&up));
        let mut output = Output::new(gate_data.len());
        let chunks = output.slots().par_chunks_mut(CHUNK);
        chunks
            .zip(gate_data.par_chunks(CHUNK).zip(up.par_chunks(CHUNK)))
            .for_each(|(out, (gate, up))| dispatch(Forward { gate, up, out }));
        // SAFETY: the chunks cover the output and `Forward` writes all of each.
        unsafe { output.into_tensor(gate.layout().shape().clone()) }
    }

    #[expect(unsafe_code, reason = "the output is written in full before it is read")]
    fn fused_silu_mul_packed(gate_up: FlexTensor) -> FlexTensor {
        let gate_up = contiguous(gate_up);
        let (width, rows) = row_sizes(&gate_up);
        let data = floats(&gate_up);
        let mut shape = gate_up.layout().shape().clone();
        let last = shape.num_dims() - 1;
        shape[last] = width;
        let mut output = Output::new(data.len() / 2);
        let chunks = output.slots().par_chunks_mut(rows * width.max(1));
        chunks
            .zip(data.par_chunks(2 * rows * width.max(1)))
            .for_each(|(out, gate_up)| dispatch(PackedForward { gate_up, width, out }));
        // SAFETY: the chunks cover the output and `PackedForward` writes all of each.
        unsafe { output.into_tensor(shape) }
    }
}

impl<C: CheckpointStrategy> SwigluOps for Autodiff<Flex, C> {
    fn fused_silu_mul(gate: FloatTensor<Self>, up: FloatTensor<Self>) -> FloatTensor<Self> {
        let (gate, gate_node) = gate.into_parts();
        let (up, up_node) = up.into_parts();
        match ApartStep.prepare::<C>([gate_node, up_node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let (gate, up) = (contiguous(gate), contiguous(up));
                prep.finish((gate.clone(), up.clone()), Flex::fused_silu_mul(gate, up))
            }
            OpsKind::UnTracked(prep) => prep.finish(Flex::fused_silu_mul(gate, up)),
        }
    }

    fn fused_silu_mul_packed(gate_up: FloatTensor<Self>) -> FloatTensor<Self> {
        let (gate_up, node) = gate_up.into_parts();
        match PackedStep.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let gate_up = contiguous(gate_up);
                prep.finish(gate_up.clone(), Flex::fused_silu_mul_packed(gate_up))
            }
            OpsKind::UnTracked(prep) => prep.finish(Flex::fused_silu_mul_packed(gate_up)),
        }
    }
}

#[derive(Debug)]
struct ApartStep;

impl Backward<Flex, 2> for ApartStep {
    type State = (FlexTensor, FlexTensor);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<Flex>(&ops.node);
        let (gate, up) = ops.state;
        let [gate_parent, up_parent] = ops.parents;
        // Both gradients in one pass: the incoming one becomes `d_up`, `up` becomes `d_gate`.
        let (mut d_up, mut d_gate) = (owned(grad), owned(up));
        let chunks = d_gate.storage_mut::<f32>().par_chunks_mut(CHUNK);
        chunks
            .zip(d_up.storage_mut::<f32>().par_chunks_mut(CHUNK))
            .zip(floats(&gate).par_chunks(CHUNK))
            .for_each(|((d_gate, d_up), gate)| dispatch(Gradient { gate, d_gate, d_up }));
        if let Some(parent) = gate_parent {
            grads.register::<Flex>(parent.id, d_gate);
        }
        if let Some(parent) = up_parent {
            grads.register::<Flex>(parent.id, d_up);
        }
    }
}

#[derive(Debug)]
struct PackedStep;

impl Backward<Flex, 1> for PackedStep {
    type State = FlexTensor;

    fn backward(self, ops: Ops<FlexTensor, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = contiguous(grads.consume::<Flex>(&ops.node));
        let [Some(parent)] = ops.parents else { return };
        let (width, rows) = row_sizes(&ops.state);
        let mut gate_up = owned(ops.state);
        let chunks = gate_up.storage_mut::<f32>().par_chunks_mut(2 * rows * width.max(1));
        chunks
            .zip(floats(&grad).par_chunks(rows * width.max(1)))
            .for_each(|(gate_up, grad)| dispatch(PackedGradient { gate_up, width, grad }));
        grads.register::<Flex>(parent.id, gate_up);
    }
}

/// Half the length of a row, and how many rows make a task.
fn row_sizes(gate_up: &FlexTensor) -> (usize, usize) {
    let shape = gate_up.layout().shape();
    let width = shape[shape.num_dims() - 1] / 2;
    (width, (CHUNK / width.max(1)).max(1))
}

struct Forward<'a> {
    gate: &'a [f32],
    up: &'a [f32],
    out: &'a mut [MaybeUninit<f32>],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        for ((out, &gate), &up) in self.out.iter_mut().zip(self.gate).zip(self.up) {
            out.write(gate * math::sigmoid::<S>(gate) * up);
        }
    }
}

struct PackedForward<'a> {
    gate_up: &'a [f32],
    width: usize,
    out: &'a mut [MaybeUninit<f32>],
}

impl Kernel for PackedForward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let rows = self.gate_up.chunks_exact(2 * self.width);
        for (row, out) in rows.zip(self.out.chunks_exact_mut(self.width)) {
            let (gate, up) = row.split_at(self.width);
            Forward { gate, up, out }.run::<S>();
        }
    }
}

struct Gradient<'a> {
    gate: &'a [f32],
    /// `up` on entry.
    d_gate: &'a mut [f32],
    /// The incoming gradient on entry.
    d_up: &'a mut [f32],
}

impl Kernel for Gradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        for ((d_gate, d_up), &gate) in self.d_gate.iter_mut().zip(self.d_up).zip(self.gate) {
            [*d_gate, *d_up] = gradients::<S>(gate, *d_gate, *d_up);
        }
    }
}

struct PackedGradient<'a> {
    /// Gate and up, replaced by their gradients.
    gate_up: &'a mut [f32],
    width: usize,
    grad: &'a [f32],
}

impl Kernel for PackedGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let rows = self.gate_up.chunks_exact_mut(2 * self.width);
        for (row, grad) in rows.zip(self.grad.chunks_exact(self.width)) {
            let (gate, up) = row.split_at_mut(self.width);
            for ((gate, up), &grad) in gate.iter_mut().zip(up).zip(grad) {
                [*gate, *up] = gradients::<S>(*gate, *up, grad);
            }
        }
    }
}

/// Gradients of gate and up.
#[inline(always)]
fn gradients<S: Simd>(gate: f32, up: f32, grad: f32) -> [f32; 2] {
    let s = math::sigmoid::<S>(gate);
    [grad * up * s * S::mul_add(gate, 1.0 - s, 1.0), grad * gate * s]
}
