//! The forward pass over blocks of queries and keys.

use std::f32::consts::LOG2_E;

use rayon::prelude::*;

use super::heads::{Heads, HeadsMut};
use super::softmax::{AddBias, Normalize, Running, Weights};
use super::{Problem, scratch};
use crate::simd::product::{Left, Out, Right, product};
use crate::simd::{WIDTH, dispatch};

/// Queries per task: enough work to pay for packing the keys.
const TASK_ROWS: usize = 256;
/// Queries per block: small, so that little is computed above the causal diagonal.
pub const BLOCK_ROWS: usize = 16;
/// Keys per block: a block of scores takes half of a first-level cache.
pub const BLOCK_KEYS: usize = 256;

/// Writes the output and the logarithm of the sum of each row.
pub fn run(problem: &Problem, out: &HeadsMut, log_sums: &mut [f32]) {
    let sizes = problem.sizes;
    if sizes.query == 0 {
        return;
    }
    let chunks = sizes.query.div_ceil(TASK_ROWS);
    let tasks = sizes.batch * sizes.kv_heads * chunks;
    // Sums are collected per task and put in place afterwards: a task's rows are not adjacent.
    let task = |task: usize| {
        let (item, chunk) = (task / chunks, task % chunks);
        let first = chunk * TASK_ROWS;
        let place = [item / sizes.kv_heads, item % sizes.kv_heads];
        Task { problem, place, rows: [first, TASK_ROWS.min(sizes.query - first)] }
    };
    let all: Vec<Vec<f32>> = (0..tasks).into_par_iter().map(|index| task(index).run(out)).collect();
    for (index, sums) in all.into_iter().enumerate() {
        let Task { place: [batch, kv_head], rows: [first, count], .. } = task(index);
        for (i, sums) in sums.chunks_exact(count).enumerate() {
            let at = sizes.sums_at(batch, kv_head * sizes.group() + i) + first;
            log_sums[at..at + count].copy_from_slice(sums);
        }
    }
}

/// Some queries of all heads that share one key head.
struct Task<'a> {
    problem: &'a Problem<'a>,
    /// Batch and key head.
    place: [usize; 2],
    /// First query and number of queries.
    rows: [usize; 2],
}

/// Keys and values ready for products.
struct Packed<'a> {
    /// Transposed keys in units of scores, `[head_dim, stride]`.
    keys: &'a [f32],
    stride: usize,
    /// Values, `[keys, width]`.
    values: Right<'a>,
    /// Length of a row of values in whole vectors.
    width: usize,
    /// The key that both begin with, and how many there are.
    first: usize,
    count: usize,
}

impl Task<'_> {
    /// Returns the logarithms of sums, `[group, rows]`.
    fn run(&self, out: &HeadsMut) -> Vec<f32> {
        let (problem, sizes) = (self.problem, &self.problem.sizes);
        let [batch, kv_head] = self.place;
        let [first_row, rows] = self.rows;
        let visible = problem.mask.visible(first_row..first_row + rows);
        let count = visible.len();
        let padded = count.next_multiple_of(WIDTH);
        let stride = row_stride(padded);
        let width = sizes.value_dim.next_multiple_of(WIDTH);
        let lengths = [
            sizes.head_dim * stride,
            Heads::room([count, sizes.value_dim]),
            BLOCK_ROWS * BLOCK_KEYS,
            BLOCK_ROWS * width,
        ];
        scratch::with(lengths, |[keys, room, scores, sums]| {
            let place = [batch, visible.start, kv_head];
            let unit = problem.scale * LOG2_E;
            if count > 0 {
                problem.k.pack_transposed(place, [count, padded], unit, keys, stride);
            }
            let values = match count {
                0 => Right { data: &[], row: 0 },
                _ => problem.v.right(place, [count, sizes.value_dim], room),
            };
            let packed = Packed { keys, stride, values, width, first: visible.start, count };
            let mut log_sums = Vec::with_capacity(sizes.group() * rows);
            for head in kv_head * sizes.group()..(kv_head + 1) * sizes.group() {
                for row in (first_row..first_row + rows).step_by(BLOCK_ROWS) {
                    let rows = BLOCK_ROWS.min(first_row + rows - row);
                    let room = [&mut *scores, &mut *sums];
                    self.block([head, row, rows], &packed, room, out, &mut log_sums);
                }
            }
            log_sums
        })
    }

    /// A few queries of one head against all keys that they may see.
    #[expect(unsafe_code, reason = "every task writes rows of its own")]
    fn block(
        &self,
        [head, first_row, rows]: [usize; 3],
        packed: &Packed,
        [scores, sums]: [&mut [f32]; 2],
        out: &HeadsMut,
        log_sums: &mut Vec<f32>,
    ) {
        let (problem, sizes) = (self.problem, &self.problem.sizes);
        let (batch, width) = (self.place[0], packed.width);
        let visible = problem.mask.visible(first_row..first_row + rows);
        // From here on keys are counted from the first packed one, in whole vectors.
        let start = (visible.start - packed.first) / WIDTH * WIDTH;
        let end = (visible.end - packed.first).next_multiple_of(WIDTH);
        let mut running = [Running::START; BLOCK_ROWS];
        let sums = &mut sums[..rows * width];
        sums.fill(0.0);
        for key in (start..end).step_by(BLOCK_KEYS) {
            let columns = BLOCK_KEYS.min(end - key);
            product(
                [rows, columns, sizes.head_dim],
                problem.q.left([batch, first_row, head]),
                Right { data: &packed.keys[key..], row: packed.stride },
                Out { data: &mut *scores, row: BLOCK_KEYS },
                false,
            );
            for (i, scores) in scores.chunks_exact_mut(BLOCK_KEYS).take(rows).enumerate() {
                let place = [batch, head, first_row + i];
                if let Some(bias) = &problem.bias {
                    let bias = bias.row(place, packed.first + key);
                    dispatch(AddBias { scores: &mut scores[..columns], bias });
                }
                problem.mask.apply(
                    place,
                    packed.first + key,
                    &mut scores[..columns],
                    f32::NEG_INFINITY,
                );
            }
            dispatch(Weights {
                scores: &mut scores[..rows * BLOCK_KEYS],
                stride: BLOCK_KEYS,
                columns,
                running: &mut running[..rows],
                outputs: sums,
                width,
            });
            let values = packed.values;
            product(
                [rows, width, columns.min(packed.count - key)],
                Left { data: scores, row: BLOCK_KEYS, column: 1 },
                Right { data: &values.data[key * values.row..], row: values.row },
                Out { data: sums, row: width },
                true,
            );
        }
        let running = &running[..rows];
        dispatch(Normalize { outputs: sums, width, running });
        for (i, row) in sums.chunks_exact(width).enumerate() {
            let place = [batch, first_row + i, head];
            // SAFETY: this batch, row and head belong to this task alone.
            unsafe { out.write(place, &row[..sizes.value_dim]) };
        }
        log_sums.extend(running.iter().map(Running::log_sum));
    }
}

/// Distance between packed rows of this length: a multiple of the page size would put all of them
/// into the same few cache sets.
pub fn row_stride(length: usize) -> usize {
    if length.is_multiple_of(1024) { length + WIDTH } else { length }
}
