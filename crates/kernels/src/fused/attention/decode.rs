//! One query per sequence: reading keys and values once is all the work there is.

use std::f32::consts::LOG2_E;

use rayon::prelude::*;

use super::heads::HeadsMut;
use super::softmax::{Normalize, Running, Weights, dot};
use super::{Problem, scratch};
use crate::simd::{Kernel, Simd, WIDTH, dispatch};

/// Elements of keys from which the heads are worth spreading over threads.
const PARALLEL: usize = 64 * 1024;

/// Writes the output for a single query.
pub fn run(problem: &Problem, out: &HeadsMut) {
    let sizes = &problem.sizes;
    let items = sizes.batch * sizes.kv_heads;
    let item = |item: usize| {
        let place = [item / sizes.kv_heads, item % sizes.kv_heads];
        Task { problem, place }.run(out);
    };
    if items * sizes.key * sizes.head_dim < PARALLEL {
        (0..items).for_each(item);
    } else {
        (0..items).into_par_iter().for_each(item);
    }
}

struct Task<'a> {
    problem: &'a Problem<'a>,
    /// Batch and key head.
    place: [usize; 2],
}

impl Task<'_> {
    #[expect(unsafe_code, reason = "every task writes rows of its own")]
    fn run(&self, out: &HeadsMut) {
        let (problem, sizes) = (self.problem, &self.problem.sizes);
        let [batch, kv_head] = self.place;
        let (group, width) = (sizes.group(), sizes.value_dim);
        let visible = problem.mask.visible(0..1);
        let columns = visible.len().next_multiple_of(WIDTH);
        let first_head = kv_head * group;
        scratch::with([group * columns, group * width], |[scores, sums]| {
            let (key, count) = (visible.start, visible.len());
            let mut running = vec![Running::START; group];
            sums.fill(0.0);
            if count > 0 {
                dispatch(Scores { task: self, key, count, scores: &mut *scores, columns });
                for (i, scores) in scores.chunks_exact_mut(columns).enumerate() {
                    let place = [batch, first_head + i, 0];
                    scores[count..].fill(f32::NEG_INFINITY);
                    problem.mask.apply(place, key, &mut scores[..count], f32::NEG_INFINITY);
                }
                let (scores, outputs, running) = (&mut *scores, &mut *sums, &mut *running);
                dispatch(Weights { scores, stride: columns, columns, running, outputs, width });
                dispatch(Values { task: self, scores, columns, key, count, sums: outputs });
            }
            dispatch(Normalize { outputs: &mut *sums, width, running: &running });
            for (i, row) in sums.chunks_exact(width).enumerate() {
                // SAFETY: this batch and head belong to this task alone.
                unsafe { out.write([batch, 0, first_head + i], row) };
            }
        });
    }
}

/// Scores of all queries of the group against one key after the other.
struct Scores<'a> {
    task: &'a Task<'a>,
    /// The first key and how many.
    key: usize,
    count: usize,
    scores: &'a mut [f32],
    columns: usize,
}

impl Kernel for Scores<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let (problem, [batch, kv_head]) = (self.task.problem, self.task.place);
        let (width, group) = (problem.sizes.head_dim, problem.sizes.group());
        let unit = problem.scale * LOG2_E;
        for i in 0..self.count {
            let key = problem.k.row(batch, self.key + i, kv_head, width);
            for head in 0..group {
                let q = problem.q.row(batch, 0, kv_head * group + head, width);
                self.scores[head * self.columns + i] = dot::<S>(q, key) * unit;
            }
        }
    }
}

/// Sums of values by weight, one value after the other.
struct Values<'a> {
    task: &'a Task<'a>,
    scores: &'a [f32],
    columns: usize,
    key: usize,
    count: usize,
    sums: &'a mut [f32],
}

impl Kernel for Values<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let (problem, [batch, kv_head]) = (self.task.problem, self.task.place);
        let width = problem.sizes.value_dim;
        for i in 0..self.count {
            let value = problem.v.row(batch, self.key + i, kv_head, width);
            for head in 0..problem.sizes.group() {
                let weight = self.scores[head * self.columns + i];
                for (sum, &value) in self.sums[head * width..][..width].iter_mut().zip(value) {
                    *sum = S::mul_add(weight, value, *sum);
                }
            }
        }
    }
}
