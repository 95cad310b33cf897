//! Products of a few rows with a large matrix, bound by reading the matrix: decoding, one token at a
//! time. Each weight is read once, in long stretches, whatever the number of rows.

use std::ops::Range;

use rayon::prelude::*;

use super::attention::dot;
use super::gemm::Matrix;
use crate::simd::{Kernel, Simd, dispatch};

/// The most rows for which reading the matrix is what takes the time.
const MAX_ROWS: usize = 4;
/// Columns of a task at most: their sums stay in the first-level cache.
const COLUMNS: usize = 2048;
/// Tasks at least, so that threads share them evenly. Fixed, so that sums do not depend on threads.
const TASKS: usize = 8;
/// Elements of a transposed matrix in a task at least.
const ELEMENTS: usize = 128 * 1024;
/// Tasks at most.
const MAX_TASKS: usize = 64;
/// Elements from which a matrix is worth waking the other threads.
const PARALLEL: usize = 64 * 1024;

/// Whether [`multiply_add`] is made for this product.
pub fn applies(left: Matrix, right: Matrix) -> bool {
    let [depth, columns] = right.size;
    let is_row_major = left.strides == [left.size[1], 1];
    let rows = left.size[0];
    if !left.fits() || !right.fits() {
        return false;
    }
    let is_lined_up = right.strides == [columns, 1] || right.strides == [1, depth];
    is_row_major && (1..=MAX_ROWS).contains(&rows) && is_lined_up && depth > 0 && columns > 0
}

/// Adds `left · right` to `out`; the sizes are those that [`applies`] has seen.
///
/// # Panics
/// When the sizes do not fit.
pub fn multiply_add(left: Matrix, right: Matrix, out: &mut [f32]) {
    let [depth, columns] = right.size;
    assert_eq!(left.size[1], depth, "matrix product: inner sizes");
    assert_eq!(left.size[0] * columns, out.len(), "matrix product: size of the result");
    let (x, weight) = (&left.data[..left.size[0] * depth], &right.data[..depth * columns]);
    if right.strides == [columns, 1] {
        add_rows(x, weight, depth, out);
    } else {
        dot_columns(x, weight, depth, out);
    }
}

/// A row-major matrix: each task sums some of its rows, times the elements of `x`, over some columns.
fn add_rows(x: &[f32], weight: &[f32], depth: usize, out: &mut [f32]) {
    let (rows, columns) = (x.len() / depth, weight.len() / depth);
    let across = columns.div_ceil(COLUMNS);
    let down = TASKS.div_ceil(across).min(depth);
    let (width, height) = (columns.div_ceil(across), depth.div_ceil(down));
    let mut partial = vec![0.0; across * down * rows * width];
    let body = |(task, sums): (usize, &mut [f32])| {
        let within = |part: usize, size: usize, end: usize| {
            (part * size).min(end)..((part + 1) * size).min(end)
        };
        let columns_here = within(task / down, width, columns);
        let depths = within(task % down, height, depth);
        dispatch(SumRows { x, weight, depth, columns, columns_here, depths, sums });
    };
    let parts = rows * width;
    if weight.len() >= PARALLEL {
        partial.par_chunks_mut(parts).enumerate().for_each(body);
    } else {
        partial.chunks_mut(parts).enumerate().for_each(body);
    }
    for (task, sums) in partial.chunks(parts).enumerate() {
        let first = task / down * width;
        let count = width.min(columns.saturating_sub(first));
        for (row, sums) in sums.chunks(width).enumerate() {
            let out = &mut out[row * columns + first..][..count];
            for (out, &sum) in out.iter_mut().zip(sums) {
                *out += sum;
            }
        }
    }
}

/// Sums rows of a matrix, times the elements of `x`, over a range of columns.
struct SumRows<'a> {
    x: &'a [f32],
    weight: &'a [f32],
    depth: usize,
    columns: usize,
    columns_here: Range<usize>,
    depths: Range<usize>,
    /// One row for each of `x`.
    sums: &'a mut [f32],
}

impl Kernel for SumRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let Self { x, weight, depth, columns, columns_here, depths, sums } = self;
        let count = columns_here.len();
        let row = |p: usize| &weight[p * columns + columns_here.start..][..count];
        let width = sums.len() / (x.len() / depth);
        let mut p = depths.start;
        // Four at a time: the sums are read and written once for four rows of the matrix.
        while p + 4 <= depths.end {
            let [w0, w1, w2, w3] = [row(p), row(p + 1), row(p + 2), row(p + 3)];
            for (x, sums) in x.chunks_exact(depth).zip(sums.chunks_exact_mut(width)) {
                let [x0, x1, x2, x3] = [x[p], x[p + 1], x[p + 2], x[p + 3]];
                let weights = w0.iter().zip(w1).zip(w2.iter().zip(w3));
                for (sum, ((&w0, &w1), (&w2, &w3))) in sums[..count].iter_mut().zip(weights) {
                    let low = S::mul_add(x1, w1, S::mul_add(x0, w0, *sum));
                    *sum = S::mul_add(x3, w3, S::mul_add(x2, w2, low));
                }
            }
            p += 4;
        }
        for p in p..depths.end {
            for (x, sums) in x.chunks_exact(depth).zip(sums.chunks_exact_mut(width)) {
                for (sum, &w) in sums[..count].iter_mut().zip(row(p)) {
                    *sum = S::mul_add(x[p], w, *sum);
                }
            }
        }
    }
}

/// A transposed matrix: each column lies in one piece, and is a dot product.
fn dot_columns(x: &[f32], weight: &[f32], depth: usize, out: &mut [f32]) {
    by_columns([x.len() / depth, depth, weight.len() / depth], out, |first, sums| {
        dispatch(DotRows { x, weight: &weight[first * depth..], depth, sums });
    });
}

/// Adds to `out` what `body` makes of some columns at a time, for a product of `[rows, depth, columns]`
/// that reads its columns one after the other: `body` gets the first column and, for each of them,
/// room for one sum per row.
pub fn by_columns(
    [rows, depth, columns]: [usize; 3],
    out: &mut [f32],
    body: impl Fn(usize, &mut [f32]) + Sync + Send,
) {
    let size = (ELEMENTS / depth.max(1)).max(columns.div_ceil(MAX_TASKS)).max(1);
    let mut sums = vec![0.0; rows * columns];
    let task = |(task, sums): (usize, &mut [f32])| body(task * size, sums);
    if depth * columns >= PARALLEL {
        sums.par_chunks_mut(size * rows.max(1)).enumerate().for_each(task);
    } else {
        sums.chunks_mut(size * rows.max(1)).enumerate().for_each(task);
    }
    for (column, sums) in sums.chunks_exact(rows.max(1)).enumerate() {
        for (row, &sum) in sums.iter().enumerate() {
            out[row * columns + column] += sum;
        }
    }
}

/// Dot products of the first rows of a matrix with rows of `x`.
struct DotRows<'a> {
    x: &'a [f32],
    weight: &'a [f32],
    depth: usize,
    /// For each row of the matrix, one for each of `x`.
    sums: &'a mut [f32],
}

impl Kernel for DotRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let rows = self.x.len() / self.depth;
        let weights = self.weight.chunks_exact(self.depth);
        for (sums, weight) in self.sums.chunks_exact_mut(rows).zip(weights) {
            for (sum, x) in sums.iter_mut().zip(self.x.chunks_exact(self.depth)) {
                *sum = dot::<S>(x, weight);
            }
        }
    }
}
