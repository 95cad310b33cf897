//! The backward pass: probabilities again from scores and sums, then five products per block.

use std::f32::consts::LOG2_E;

use rayon::prelude::*;

use super::bias::BiasGradient;
use super::forward::{BLOCK_KEYS, BLOCK_ROWS, row_stride};
use super::heads::{Heads, HeadsMut};
use super::softmax::{AddBias, Dot, Probabilities, ScoreGradients};
use super::{Problem, scratch};
use crate::simd::product::{Left, Out, Right, product};
use crate::simd::{WIDTH, dispatch};

/// Writes the gradients of queries, keys and values.
///
/// One task owns a key head with all queries that use it, so every sum has a fixed order.
pub fn run(
    problem: &Problem,
    output: &Heads,
    log_sums: &[f32],
    grad: &Heads,
    into: &[HeadsMut; 3],
    into_bias: Option<&BiasGradient>,
) {
    let sizes = &problem.sizes;
    let run = |place| Task { problem, output, log_sums, grad, place, into, into_bias }.run();
    if into_bias.is_some() {
        // The gradient of a bias sums over batches, so a task has all of a head, in order.
        (0..sizes.kv_heads).into_par_iter().for_each(|kv_head| {
            (0..sizes.batch).for_each(|batch| run([batch, kv_head]));
        });
    } else {
        (0..sizes.batch * sizes.kv_heads)
            .into_par_iter()
            .for_each(|item| run([item / sizes.kv_heads, item % sizes.kv_heads]));
    }
}

struct Task<'a> {
    problem: &'a Problem<'a>,
    output: &'a Heads<'a>,
    log_sums: &'a [f32],
    grad: &'a Heads<'a>,
    /// Batch and key head.
    place: [usize; 2],
    into: &'a [HeadsMut<'a>; 3],
    into_bias: Option<&'a BiasGradient<'a>>,
}

/// Keys and values ready for products, and the sums of their gradients.
struct Packed<'a> {
    /// Transposed, keys in units of scores: `[head_dim, stride]` and `[value_dim, stride]`.
    keys_t: &'a [f32],
    values_t: &'a [f32],
    stride: usize,
    /// `[keys, key_width]`, widths in whole vectors.
    keys: Right<'a>,
    d_keys: &'a mut [f32],
    key_width: usize,
    /// `[keys, value_width]`.
    d_values: &'a mut [f32],
    value_width: usize,
}

/// Working memory of a block of queries.
struct Block<'a> {
    /// Rooms for queries and incoming gradients, for widths that are not whole vectors.
    q: &'a mut [f32],
    grad: &'a mut [f32],
    /// `[rows, key_width]`.
    d_q: &'a mut [f32],
    /// `[rows, BLOCK_KEYS]`.
    probabilities: &'a mut [f32],
    d_scores: &'a mut [f32],
}

impl Task<'_> {
    #[expect(unsafe_code, reason = "every task writes rows of its own")]
    fn run(&self) {
        let (problem, sizes) = (self.problem, &self.problem.sizes);
        let [batch, kv_head] = self.place;
        let count = sizes.key;
        let padded = count.next_multiple_of(WIDTH);
        let stride = row_stride(padded);
        let key_width = sizes.head_dim.next_multiple_of(WIDTH);
        let value_width = sizes.value_dim.next_multiple_of(WIDTH);
        let lengths = [
            sizes.head_dim * stride,
            sizes.value_dim * stride,
            Heads::room([count, sizes.head_dim]),
            count * key_width,
            count * value_width,
            Heads::room([BLOCK_ROWS, sizes.head_dim]),
            Heads::room([BLOCK_ROWS, sizes.value_dim]),
            BLOCK_ROWS * key_width,
            BLOCK_ROWS * BLOCK_KEYS,
            BLOCK_ROWS * BLOCK_KEYS,
        ];
        scratch::with(lengths, |slices| {
            let [keys_t, values_t, room, d_keys, d_values, q, grad, d_q, probabilities, d_scores] =
                slices;
            let (place, size) = ([batch, 0, kv_head], [count, padded]);
            let unit = problem.scale * LOG2_E;
            problem.k.pack_transposed(place, size, unit, keys_t, stride);
            problem.v.pack_transposed(place, size, 1.0, values_t, stride);
            let keys = problem.k.right(place, [count, sizes.head_dim], room);
            d_keys.fill(0.0);
            d_values.fill(0.0);
            let mut packed =
                Packed { keys_t, values_t, stride, keys, d_keys, key_width, d_values, value_width };
            let mut block = Block { q, grad, d_q, probabilities, d_scores };
            for head in kv_head * sizes.group()..(kv_head + 1) * sizes.group() {
                for row in (0..sizes.query).step_by(BLOCK_ROWS) {
                    let rows = BLOCK_ROWS.min(sizes.query - row);
                    self.block([head, row, rows], &mut packed, &mut block);
                }
            }
            for key in 0..count {
                let d_key = &packed.d_keys[key * key_width..][..sizes.head_dim];
                let d_value = &packed.d_values[key * value_width..][..sizes.value_dim];
                // SAFETY: this batch and key head belong to this task alone.
                unsafe {
                    self.into[1].write([batch, key, kv_head], d_key);
                    self.into[2].write([batch, key, kv_head], d_value);
                }
            }
        });
    }

    /// Adds what a few queries of one head contribute, and writes their gradients.
    #[expect(unsafe_code, reason = "every task writes rows of its own")]
    fn block(&self, [head, first_row, rows]: [usize; 3], packed: &mut Packed, block: &mut Block) {
        let (problem, sizes) = (self.problem, &self.problem.sizes);
        let (batch, stride) = (self.place[0], packed.stride);
        let (key_width, value_width) = (packed.key_width, packed.value_width);
        let visible = problem.mask.visible(first_row..first_row + rows);
        let at = sizes.sums_at(batch, head) + first_row;
        let log_sums = &self.log_sums[at..at + rows];
        let place = [batch, first_row, head];
        let projections = self.projections(place, rows);
        let q = problem.q.right(place, [rows, sizes.head_dim], block.q);
        let grad = self.grad.right(place, [rows, sizes.value_dim], block.grad);
        let (p, d_s) = (&mut *block.probabilities, &mut *block.d_scores);
        let d_q = &mut block.d_q[..rows * key_width];
        d_q.fill(0.0);
        let start = visible.start / WIDTH * WIDTH;
        let end = visible.end.next_multiple_of(WIDTH);
        for key in (start..end).step_by(BLOCK_KEYS) {
            // In whole vectors, and those that exist.
            let columns = BLOCK_KEYS.min(end - key);
            let count = columns.min(sizes.key - key);
            product(
                [rows, columns, sizes.head_dim],
                problem.q.left(place),
                Right { data: &packed.keys_t[key..], row: stride },
                Out { data: &mut *p, row: BLOCK_KEYS },
                false,
            );
            if let Some(bias) = &problem.bias {
                for (i, scores) in p.chunks_exact_mut(BLOCK_KEYS).take(rows).enumerate() {
                    let bias = bias.row([batch, head, first_row + i], key);
                    dispatch(AddBias { scores: &mut scores[..columns], bias });
                }
            }
            dispatch(Probabilities {
                scores: &mut p[..rows * BLOCK_KEYS],
                stride: BLOCK_KEYS,
                columns,
                log_sums,
            });
            for (i, p) in p.chunks_exact_mut(BLOCK_KEYS).take(rows).enumerate() {
                problem.mask.apply([batch, head, first_row + i], key, &mut p[..columns], 0.0);
            }
            product(
                [rows, columns, sizes.value_dim],
                self.grad.left(place),
                Right { data: &packed.values_t[key..], row: stride },
                Out { data: &mut *d_s, row: BLOCK_KEYS },
                false,
            );
            dispatch(ScoreGradients {
                grads: &mut d_s[..rows * BLOCK_KEYS],
                probabilities: p,
                stride: BLOCK_KEYS,
                columns,
                projections: &projections[..rows],
                scale: if self.into_bias.is_some() { 1.0 } else { problem.scale },
            });
            if let Some(into_bias) = self.into_bias {
                for (i, d_s) in d_s.chunks_exact_mut(BLOCK_KEYS).take(rows).enumerate() {
                    let place = [batch, head, first_row + i];
                    // SAFETY: with a bias, all batches of this head belong to this task alone.
                    unsafe { into_bias.add(place, key, &d_s[..count]) };
                    // A bias comes after the scale, queries and keys before it.
                    d_s[..columns].iter_mut().for_each(|d_s| *d_s *= problem.scale);
                }
            }
            product(
                [count, value_width, rows],
                Left { data: p, row: 1, column: BLOCK_KEYS },
                grad,
                Out { data: &mut packed.d_values[key * value_width..], row: value_width },
                true,
            );
            product(
                [rows, key_width, count],
                Left { data: d_s, row: BLOCK_KEYS, column: 1 },
                Right { data: &packed.keys.data[key * packed.keys.row..], row: packed.keys.row },
                Out { data: &mut *d_q, row: key_width },
                true,
            );
            product(
                [count, key_width, rows],
                Left { data: d_s, row: 1, column: BLOCK_KEYS },
                q,
                Out { data: &mut packed.d_keys[key * key_width..], row: key_width },
                true,
            );
        }
        for (i, row) in d_q.chunks_exact(key_width).enumerate() {
            let place = [batch, first_row + i, head];
            // SAFETY: all queries of this head belong to this task alone.
            unsafe { self.into[0].write(place, &row[..sizes.head_dim]) };
        }
    }

    /// `Σ p · grad` of each row, which is the dot product of output and gradient.
    fn projections(&self, [batch, first_row, head]: [usize; 3], rows: usize) -> [f32; BLOCK_ROWS] {
        let width = self.problem.sizes.value_dim;
        let mut projections = [0.0; BLOCK_ROWS];
        for (i, projection) in projections[..rows].iter_mut().enumerate() {
            let output = self.output.row(batch, first_row + i, head, width);
            let grad = self.grad.row(batch, first_row + i, head, width);
            *projection = dispatch(Dot(output, grad));
        }
        projections
    }
}
