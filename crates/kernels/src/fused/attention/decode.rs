//! One query per sequence: reading keys and values once is all the work there is.

use std::f32::consts::LOG2_E;

use rayon::prelude::*;

use super::heads::HeadsMut;
use super::softmax::{Running, Weights, dot};
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
        scratch::with([group * sizes.head_dim, group * columns, group * width], |slices| {
            let [q, scores, sums] = slices;
            if sizes.head_dim > 0 {
                for (i, q) in q.chunks_exact_mut(sizes.head_dim).enumerate() {
                    let place = [batch, 0, first_head + i];
                    problem.q.pack(
                        place,
                        sizes.head_dim,
                        problem.scale * LOG2_E,
                        q,
                        sizes.head_dim,
                    );
                }
            }
            let (key, count) = (visible.start, visible.len());
            dispatch(Scores { task: self, q, key, count, scores, columns });
            let mut running = vec![Running::START; group];
            sums.fill(0.0);
            if columns > 0 && width > 0 {
                for (i, scores) in scores.chunks_exact_mut(columns).enumerate() {
                    let place = [batch, first_head + i, 0];
                    scores[count..].fill(f32::NEG_INFINITY);
                    problem.mask.apply(place, key, &mut scores[..count], f32::NEG_INFINITY);
                }
                let (scores, outputs) = (&mut *scores, &mut *sums);
                let running = &mut running;
                dispatch(Weights { scores, stride: columns, columns, running, outputs, width });
                dispatch(Values { task: self, scores, columns, key, count, sums: outputs });
            }
            for (i, running) in running.iter().enumerate() {
                let place = [batch, 0, first_head + i];
                // SAFETY: this batch and head belong to this task alone.
                unsafe { out.write(place, &sums[i * width..][..width], running.normalizer()) };
            }
        });
    }
}

/// Scores of all queries of the group against one key after the other.
struct Scores<'a> {
    task: &'a Task<'a>,
    q: &'a [f32],
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
        let width = problem.sizes.head_dim;
        for i in 0..self.count {
            let key = problem.k.row(batch, self.key + i, kv_head, width);
            for head in 0..problem.sizes.group() {
                let score = dot::<S>(&self.q[head * width..][..width], key);
                self.scores[head * self.columns + i] = score;
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
