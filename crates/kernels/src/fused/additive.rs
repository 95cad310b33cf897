//! Scores of additive attention without the tensor of all sums: they are made where they are
//! needed, in both directions.

use std::ops::Range;

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Flex, backend_extension};
use burn_flex::FlexTensor;

use super::in_parallel;
use super::memory::{CHUNK, contiguous, floats, from_vec};
use crate::simd::{Kernel, Simd, dispatch, math};

/// Partial sums of a score: fixed, so that every instruction set adds in the same order.
const LANES: usize = 16;

/// Additive attention registered with burn's dispatch.
#[backend_extension(Flex, Autodiff)]
pub trait AdditiveOps: Backend {
    /// See [`crate::additive_scores`].
    fn fused_additive(
        queries: FloatTensor<Self>,
        keys: FloatTensor<Self>,
        weight: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
}

impl AdditiveOps for Flex {
    fn fused_additive(queries: FlexTensor, keys: FlexTensor, weight: FlexTensor) -> FlexTensor {
        Saved::new(queries, keys, weight).scores()
    }
}

impl<C: CheckpointStrategy> AdditiveOps for Autodiff<Flex, C> {
    fn fused_additive(
        queries: FloatTensor<Self>,
        keys: FloatTensor<Self>,
        weight: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let (queries, queries_node) = queries.into_parts();
        let (keys, keys_node) = keys.into_parts();
        let (weight, weight_node) = weight.into_parts();
        let saved = Saved::new(queries, keys, weight);
        let scores = saved.scores();
        let nodes = [queries_node, keys_node, weight_node];
        match AdditiveStep.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(saved, scores),
            OpsKind::UnTracked(prep) => prep.finish(scores),
        }
    }
}

#[derive(Debug)]
struct AdditiveStep;

impl Backward<Flex, 3> for AdditiveStep {
    type State = Saved;

    fn backward(self, ops: Ops<Saved, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = contiguous(grads.consume::<Flex>(&ops.node));
        let gradients = ops.state.gradients(floats(&grad));
        for (parent, gradient) in ops.parents.into_iter().zip(gradients) {
            if let Some(parent) = parent {
                grads.register::<Flex>(parent.id, gradient);
            }
        }
    }
}

/// The operands and their sizes.
#[derive(Clone, Debug)]
struct Saved {
    queries: FlexTensor,
    keys: FlexTensor,
    weight: FlexTensor,
    batch: usize,
    query: usize,
    key: usize,
    width: usize,
}

impl Saved {
    fn new(queries: FlexTensor, keys: FlexTensor, weight: FlexTensor) -> Self {
        let [queries, keys, weight] = [queries, keys, weight].map(contiguous);
        let (shape, key) = (queries.layout().shape(), keys.layout().shape()[1]);
        let (batch, query, width) = (shape[0], shape[1], shape[2]);
        Self { queries, keys, weight, batch, query, key, width }
    }

    /// Rows of the batch, in tasks.
    fn tasks(&self) -> Vec<Range<usize>> {
        let rows = (CHUNK / (self.query * self.key * self.width).max(1)).max(1);
        let task = |start: usize| start..(start + rows).min(self.batch);
        (0..self.batch).step_by(rows).map(task).collect()
    }

    /// The operands of some rows of the batch.
    fn part(&self, rows: &Range<usize>) -> Part<'_> {
        let cut = |tensor, size: usize| &floats(tensor)[rows.start * size..rows.end * size];
        Part {
            queries: cut(&self.queries, self.query * self.width),
            keys: cut(&self.keys, self.key * self.width),
            weight: floats(&self.weight),
            query: self.query,
            key: self.key,
        }
    }

    fn scores(&self) -> FlexTensor {
        let parts = in_parallel(self.tasks(), |rows| dispatch(Scores(self.part(&rows))));
        from_vec(parts.concat(), [self.batch, self.query, self.key])
    }

    /// Gradients of queries, keys and weight.
    fn gradients(&self, grad: &[f32]) -> [FlexTensor; 3] {
        let size = self.query * self.key;
        let parts = in_parallel(self.tasks(), |rows| {
            let grad = &grad[rows.start * size..rows.end * size];
            dispatch(Slopes { part: self.part(&rows), grad })
        });
        let (mut queries, mut keys) = (Vec::new(), Vec::new());
        let mut weight = vec![0.0; self.width];
        for [of_queries, of_keys, of_weight] in parts {
            queries.extend(of_queries);
            keys.extend(of_keys);
            weight.iter_mut().zip(of_weight).for_each(|(sum, part)| *sum += part);
        }
        [
            from_vec(queries, [self.batch, self.query, self.width]),
            from_vec(keys, [self.batch, self.key, self.width]),
            from_vec(weight, [self.width, 1]),
        ]
    }
}

/// Some rows of the batch.
struct Part<'a> {
    queries: &'a [f32],
    keys: &'a [f32],
    weight: &'a [f32],
    query: usize,
    key: usize,
}

struct Scores<'a>(Part<'a>);

impl Kernel for Scores<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn run<S: Simd>(self) -> Vec<f32> {
        let Part { queries, keys, weight, query, key } = self.0;
        let width = weight.len();
        let mut scores = Vec::with_capacity(queries.len() / width * key);
        let sequences = queries.chunks_exact(query * width).zip(keys.chunks_exact(key * width));
        for (queries, keys) in sequences {
            for query in queries.chunks_exact(width) {
                // No closure: it would be compiled for the baseline, without these instructions.
                for key in keys.chunks_exact(width) {
                    scores.push(score::<S>(query, key, weight));
                }
            }
        }
        scores
    }
}

#[inline(always)]
fn score<S: Simd>(query: &[f32], key: &[f32], weight: &[f32]) -> f32 {
    let mut sums = [0.0; LANES];
    let whole = query.len() / LANES * LANES;
    for start in (0..whole).step_by(LANES) {
        let at = start..start + LANES;
        let (query, key) = (&query[at.clone()], &key[at.clone()]);
        let weight = &weight[at];
        for lane in 0..LANES {
            let value = math::tanh::<S>(query[lane] + key[lane]);
            sums[lane] = S::mul_add(value, weight[lane], sums[lane]);
        }
    }
    let mut total = 0.0;
    for k in whole..query.len() {
        total = S::mul_add(math::tanh::<S>(query[k] + key[k]), weight[k], total);
    }
    for sum in sums {
        total += sum;
    }
    total
}

struct Slopes<'a> {
    part: Part<'a>,
    grad: &'a [f32],
}

impl Kernel for Slopes<'_> {
    /// Gradients of queries, keys and weight.
    type Output = [Vec<f32>; 3];

    #[inline(always)]
    fn run<S: Simd>(self) -> [Vec<f32>; 3] {
        let Part { queries, keys, weight, query, key } = self.part;
        let width = weight.len();
        let [mut d_queries, mut d_keys] = [queries, keys].map(|x| vec![0.0; x.len()]);
        let mut d_weight = vec![0.0; width];
        for (pair, &grad) in self.grad.iter().enumerate() {
            let (row, k) = (pair / key, pair % key);
            let (q, k) = (row * width, (row / query * key + k) * width);
            let (queries, keys) = (&queries[q..][..width], &keys[k..][..width]);
            let (d_queries, d_keys) = (&mut d_queries[q..][..width], &mut d_keys[k..][..width]);
            let d_weight = &mut d_weight[..width];
            for at in 0..width {
                let value = math::tanh::<S>(queries[at] + keys[at]);
                let slope = grad * weight[at] * (1.0 - value * value);
                d_queries[at] += slope;
                d_keys[at] += slope;
                d_weight[at] = S::mul_add(grad, value, d_weight[at]);
            }
        }
        [d_queries, d_keys, d_weight]
    }
}
