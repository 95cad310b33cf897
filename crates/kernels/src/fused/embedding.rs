//! Embedding look-up whose gradient touches each occurrence once.

use std::mem::MaybeUninit;

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Autodiff, Backend, Flex, backend_extension};
use burn_flex::FlexTensor;
use rayon::prelude::*;

use super::memory::{CHUNK, Output, contiguous, floats, from_vec, integers};
use crate::simd::{Kernel, Simd, dispatch};

/// The look-up registered with burn's dispatch.
#[backend_extension(Flex, Autodiff)]
pub trait EmbeddingOps: Backend {
    /// Rows of `weight` `[vocabulary, width]` by `ids` `[batch, seq]`.
    fn fused_embedding(weight: FloatTensor<Self>, ids: IntTensor<Self>) -> FloatTensor<Self>;
}

impl EmbeddingOps for Flex {
    fn fused_embedding(weight: FlexTensor, ids: FlexTensor) -> FlexTensor {
        let [batch, seq] = [ids.layout().shape()[0], ids.layout().shape()[1]];
        gather(&contiguous(weight), &integers(ids), [batch, seq])
    }
}

impl<C: CheckpointStrategy> EmbeddingOps for Autodiff<Flex, C> {
    fn fused_embedding(weight: FloatTensor<Self>, ids: FlexTensor) -> FloatTensor<Self> {
        let (weight, node) = weight.into_parts();
        let weight = contiguous(weight);
        let [batch, seq] = [ids.layout().shape()[0], ids.layout().shape()[1]];
        let ids = integers(ids);
        let output = gather(&weight, &ids, [batch, seq]);
        match EmbeddingStep.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let shape = [weight.layout().shape()[0], weight.layout().shape()[1]];
                prep.finish((ids, shape), output)
            }
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }
}

#[derive(Debug)]
struct EmbeddingStep;

impl Backward<Flex, 1> for EmbeddingStep {
    type State = (Vec<i64>, [usize; 2]);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = contiguous(grads.consume::<Flex>(&ops.node));
        let [Some(parent)] = ops.parents else { return };
        let (ids, shape) = ops.state;
        grads.register::<Flex>(parent.id, scatter(floats(&grad), &ids, shape));
    }
}

#[expect(unsafe_code, reason = "the output is written in full before it is read")]
fn gather(weight: &FlexTensor, ids: &[i64], [batch, seq]: [usize; 2]) -> FlexTensor {
    let [vocabulary, width] = [weight.layout().shape()[0], weight.layout().shape()[1]];
    let weight = floats(weight);
    let mut output = Output::new(ids.len() * width);
    if width > 0 {
        for (out, &id) in output.slots().chunks_exact_mut(width).zip(ids) {
            assert!(
                (0..vocabulary as i64).contains(&id),
                "embedding: id {id} with a vocabulary of {vocabulary}"
            );
            let row = &weight[id as usize * width..][..width];
            for (out, &value) in out.iter_mut().zip(row) {
                *out = MaybeUninit::new(value);
            }
        }
    }
    // SAFETY: one row per id covers the output.
    unsafe { output.into_tensor([batch, seq, width]) }
}

/// Sums the rows of `grad` by id. Each task owns a range of the vocabulary and goes through the
/// ids in order, so the order of additions is fixed.
fn scatter(grad: &[f32], ids: &[i64], [vocabulary, width]: [usize; 2]) -> FlexTensor {
    let mut total = vec![0.0; vocabulary * width];
    // A small vocabulary is cut finer: its few rows are where all the additions are.
    let tasks = (grad.len() / CHUNK).clamp(1, 16);
    let rows = vocabulary.div_ceil(tasks).max(1);
    total.par_chunks_mut(rows * width.max(1)).enumerate().for_each(|(task, total)| {
        let first = (task * rows) as i64;
        dispatch(Scatter { grad, ids, width, first, total });
    });
    from_vec(total, [vocabulary, width])
}

struct Scatter<'a> {
    grad: &'a [f32],
    ids: &'a [i64],
    width: usize,
    /// The id whose row `total` begins with.
    first: i64,
    total: &'a mut [f32],
}

impl Kernel for Scatter<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let rows = (self.total.len() / self.width) as i64;
        for (grad, &id) in self.grad.chunks_exact(self.width).zip(self.ids) {
            let row = id - self.first;
            if (0..rows).contains(&row) {
                let total = &mut self.total[row as usize * self.width..][..self.width];
                for (total, &grad) in total.iter_mut().zip(grad) {
                    *total += grad;
                }
            }
        }
    }
}
