//! Rotary embedding in one pass; its gradient is the opposite rotation.

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Flex, backend_extension};
use burn_flex::FlexTensor;
use rayon::prelude::*;

use super::memory::{CHUNK, contiguous, floats, owned};
use crate::simd::{Kernel, Simd, dispatch};

/// The rotation registered with burn's dispatch.
#[backend_extension(Flex, Autodiff)]
pub trait RotaryOps: Backend {
    /// The first `heads` heads of `x` `[batch, seq, any, head_dim]` by `cos` and `sin`
    /// `[batch or 1, seq, head_dim / 2]`.
    fn fused_rotary(
        x: FloatTensor<Self>,
        cos: FloatTensor<Self>,
        sin: FloatTensor<Self>,
        heads: usize,
    ) -> FloatTensor<Self>;
}

impl RotaryOps for Flex {
    fn fused_rotary(x: FlexTensor, cos: FlexTensor, sin: FlexTensor, heads: usize) -> FlexTensor {
        rotate(x, &Angles { cos: contiguous(cos), sin: contiguous(sin), heads }, 1.0)
    }
}

impl<C: CheckpointStrategy> RotaryOps for Autodiff<Flex, C> {
    fn fused_rotary(
        x: FloatTensor<Self>,
        cos: FloatTensor<Self>,
        sin: FloatTensor<Self>,
        heads: usize,
    ) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        let angles = Angles {
            cos: contiguous(cos.into_primitive()),
            sin: contiguous(sin.into_primitive()),
            heads,
        };
        let output = rotate(x, &angles, 1.0);
        match RotaryStep.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(angles, output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }
}

#[derive(Clone, Debug)]
struct Angles {
    cos: FlexTensor,
    sin: FlexTensor,
    /// How many heads turn; those behind them stay.
    heads: usize,
}

#[derive(Debug)]
struct RotaryStep;

impl Backward<Flex, 1> for RotaryStep {
    type State = Angles;

    fn backward(self, ops: Ops<Angles, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<Flex>(&ops.node);
        let [Some(parent)] = ops.parents else { return };
        grads.register::<Flex>(parent.id, rotate(grad, &ops.state, -1.0));
    }
}

/// Rotates by the angles times `direction`, which is 1 or -1, in place where nobody else has `x`.
fn rotate(x: FlexTensor, angles: &Angles, direction: f32) -> FlexTensor {
    let mut x = owned(x);
    let shape = x.layout().shape();
    let (half, position) = (shape[3] / 2, shape[2] * shape[3]);
    if shape.num_elements() == 0 {
        return x;
    }
    let positions = (CHUNK / position).max(1);
    let (cos, sin) = (floats(&angles.cos), floats(&angles.sin));
    let turning = angles.heads * 2 * half;
    let chunks = x.storage_mut::<f32>().par_chunks_mut(positions * position);
    chunks.enumerate().for_each(|(i, x)| {
        dispatch(Rotate { x, cos, sin, half, position, turning, first: i * positions, direction });
    });
    x
}

struct Rotate<'a> {
    x: &'a mut [f32],
    cos: &'a [f32],
    sin: &'a [f32],
    /// Half the width of a head.
    half: usize,
    /// Elements per position: heads times their width.
    position: usize,
    /// How many of them turn.
    turning: usize,
    /// The position, counted through the batch, that `x` begins with.
    first: usize,
    direction: f32,
}

impl Kernel for Rotate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let half = self.half;
        for (i, x) in self.x.chunks_exact_mut(self.position).enumerate() {
            // Angles of one sequence serve every sequence of the batch.
            let at = (self.first + i) * half % self.cos.len();
            let (cos, sin) = (&self.cos[at..][..half], &self.sin[at..][..half]);
            for x in x[..self.turning].chunks_exact_mut(2 * half) {
                let (a, b) = x.split_at_mut(half);
                for i in 0..half {
                    let sin = sin[i] * self.direction;
                    let (old_a, old_b) = (a[i], b[i]);
                    a[i] = S::mul_add(old_a, cos[i], -(old_b * sin));
                    b[i] = S::mul_add(old_b, cos[i], old_a * sin);
                }
            }
        }
    }
}
