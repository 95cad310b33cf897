//! Large matrix products of operands rounded to bfloat16, summed in f32.
//!
//! With an instruction for it, both operands are packed once, rounded on the way: the left one in
//! bands of a few rows, the right one in panels of a few columns, each as [pairs] of adjacent inner
//! indices. Every block of the result is then made by one task, in the same order whatever the number
//! of threads. Without it, operands are rounded to floats that are bfloat16 numbers, and multiplied as
//! others are.
//!
//! [pairs]: crate::simd::pairs

use std::mem::MaybeUninit;

use rayon::prelude::*;

use super::gemm::{self, Accumulate, Matrix};
use super::memory::CHUNK;
use crate::Precision;
use crate::simd::pairs::{self, PairKernel, Pairs, dispatch_pairs, pair};
use crate::simd::{Kernel, Lanes, Simd, WIDTH, dispatch};

/// Pairs per pass over the inner dimension: a panel of them stays in the first-level cache.
const DEPTH: usize = 128;
/// Rows and vectors of columns that are summed in registers: 24 of AVX-512's 32.
const BAND: usize = 12;
const VECTORS: usize = 2;
const PANEL: usize = VECTORS * WIDTH;
/// Rows of a task, whole bands: its left operand stays in the second-level cache.
const ROWS: usize = 10 * BAND;
/// Columns of a task, whole panels.
const COLUMNS: usize = 16 * PANEL;
/// Multiply-adds from which a product is worth waking the other threads.
const PARALLEL: usize = 1 << 18;
/// Pairs that are rounded at a time.
const BLOCK: usize = 64;

/// Writes or adds `left · right` to `out`, rows one after the other.
///
/// # Panics
/// When the sizes do not fit.
pub fn multiply(left: Matrix, right: Matrix, out: &mut [MaybeUninit<f32>], accumulate: Accumulate) {
    let ([rows, depth], [depth_too, columns]) = (left.size, right.size);
    assert_eq!(depth, depth_too, "matrix product: inner sizes");
    assert_eq!(rows * columns, out.len(), "matrix product: size of the result");
    assert!(left.fits() && right.fits(), "matrix product: operand too short");
    if depth == 0 && accumulate == Accumulate::No {
        out.fill(MaybeUninit::new(0.0));
    }
    if out.is_empty() || depth == 0 {
        return;
    }
    if pairs::has_instruction() {
        return multiply_pairs(true, left, right, out, accumulate);
    }
    let (left_values, right_values) = (rounded(left), rounded(right));
    let left = Matrix { data: &left_values, ..left };
    let right = Matrix { data: &right_values, ..right };
    match accumulate {
        Accumulate::No => gemm::multiply(Precision::F32, left, right, out),
        Accumulate::Yes => {
            #[expect(unsafe_code, reason = "what is added to has been written")]
            // SAFETY: callers that add hand in floats.
            let out = unsafe { out.assume_init_mut() };
            gemm::multiply_add(Precision::F32, left, right, out);
        }
    }
}

/// All that a matrix reaches, rounded.
fn rounded(matrix: Matrix) -> Vec<f32> {
    let mut values = vec![0.0; matrix.data.len()];
    let chunks = values.par_chunks_mut(CHUNK).zip(matrix.data.par_chunks(CHUNK));
    chunks.for_each(|(to, from)| dispatch(Round { from, to }));
    values
}

struct Round<'a> {
    from: &'a [f32],
    to: &'a mut [f32],
}

impl Kernel for Round<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        for (to, &from) in self.to.iter_mut().zip(self.from) {
            *to = pairs::low(pairs::round(from));
        }
    }
}

/// The product of sizes that have been checked, none of them 0.
fn multiply_pairs(
    is_native: bool,
    left: Matrix,
    right: Matrix,
    out: &mut [MaybeUninit<f32>],
    accumulate: Accumulate,
) {
    let ([rows, depth], [_, columns]) = (left.size, right.size);
    let is_parallel = rows * depth * columns >= PARALLEL;
    let [left, right] = [Vectors::new(left, BAND), Vectors::new(right.transposed(), PANEL)]
        .map(|vectors| pack(&vectors, is_parallel));
    let [across, down] = [columns.div_ceil(COLUMNS), rows.div_ceil(ROWS)];
    let out = Slots(out.as_mut_ptr().cast());
    let block = |index: usize| {
        let block = Block {
            operands: [&left, &right],
            size: [rows, columns, depth.div_ceil(2)],
            first: [index / across * ROWS, index % across * COLUMNS],
            out: &out,
            accumulate,
        };
        dispatch_pairs(is_native, block);
    };
    if is_parallel {
        (0..across * down).into_par_iter().for_each(block);
    } else {
        (0..across * down).for_each(block);
    }
}

/// An operand seen the same way from either side: `count` vectors along the inner dimension.
struct Vectors<'a> {
    data: &'a [f32],
    count: usize,
    depth: usize,
    /// Distance between vectors, and between the elements of one.
    strides: [usize; 2],
    /// Vectors that are packed together.
    group: usize,
}

impl<'a> Vectors<'a> {
    fn new(matrix: Matrix<'a>, group: usize) -> Self {
        let Matrix { data, size: [count, depth], strides } = matrix;
        Self { data, count, depth, strides, group }
    }
}

/// Packs group after group: of each all pairs in order, of each pair the vectors. What is missing
/// from the last group, or from the last pair, is zero.
fn pack(vectors: &Vectors, is_parallel: bool) -> Vec<u32> {
    let size = vectors.depth.div_ceil(2) * vectors.group;
    let mut packed = vec![0; vectors.count.div_ceil(vectors.group) * size];
    let body = |(index, to): (usize, &mut [u32])| {
        dispatch(Pack { vectors, first: index * vectors.group, to });
    };
    if is_parallel {
        packed.par_chunks_mut(size).enumerate().for_each(body);
    } else {
        packed.chunks_mut(size).enumerate().for_each(body);
    }
    packed
}

/// One group, from its `first` vector.
struct Pack<'a> {
    vectors: &'a Vectors<'a>,
    first: usize,
    to: &'a mut [u32],
}

impl Kernel for Pack<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let Self { vectors, first, to } = self;
        let &Vectors { data, count, depth, strides, group } = vectors;
        let present = group.min(count - first);
        if strides[1] == 1 {
            // Elements adjacent: rounded in one loop, spread in another.
            for vector in 0..present {
                let values = &data[(first + vector) * strides[0]..][..depth];
                let (pairs, rest) = values.as_chunks::<2>();
                for (block, pairs) in pairs.chunks(BLOCK).enumerate() {
                    let mut rounded = [0; BLOCK];
                    for (rounded, &[low, high]) in rounded.iter_mut().zip(pairs) {
                        *rounded = pair(low, high);
                    }
                    for (i, &rounded) in rounded[..pairs.len()].iter().enumerate() {
                        to[(block * BLOCK + i) * group + vector] = rounded;
                    }
                }
                if let [last] = rest {
                    to[pairs.len() * group + vector] = pair(*last, 0.0);
                }
            }
            return;
        }
        let [step, stride] = strides;
        for (p, to) in to.chunks_exact_mut(group).enumerate() {
            let at = 2 * p * stride + first * step;
            for (vector, to) in to[..present].iter_mut().enumerate() {
                let at = at + vector * step;
                let high = if 2 * p + 1 < depth { data[at + stride] } else { 0.0 };
                *to = pair(data[at], high);
            }
        }
    }
}

/// Where the result goes; every task writes blocks of its own.
struct Slots(*mut f32);

#[expect(unsafe_code, reason = "the blocks of different tasks do not overlap")]
// SAFETY: as said; the pointer is only used while the result is borrowed mutably.
unsafe impl Sync for Slots {}

/// One block of the result.
struct Block<'a> {
    /// Packed left and right operand.
    operands: [&'a [u32]; 2],
    /// Rows, columns and pairs of the whole product.
    size: [usize; 3],
    /// First row and column of the block.
    first: [usize; 2],
    out: &'a Slots,
    accumulate: Accumulate,
}

impl PairKernel for Block<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Pairs>(self) {
        let [rows, columns, pairs] = self.size;
        let [first_row, first_column] = self.first;
        for depth in (0..pairs).step_by(DEPTH) {
            let count = DEPTH.min(pairs - depth);
            let is_added = depth > 0 || self.accumulate == Accumulate::Yes;
            for column in (first_column..columns.min(first_column + COLUMNS)).step_by(PANEL) {
                let right = &self.operands[1][(column / PANEL * pairs + depth) * PANEL..];
                for row in (first_row..rows.min(first_row + ROWS)).step_by(BAND) {
                    let left = &self.operands[0][(row / BAND * pairs + depth) * BAND..];
                    self.tile::<S>([left, right], count, [row, column], is_added);
                }
            }
        }
    }
}

impl Block<'_> {
    /// Sums a tile of [`BAND`] rows and [`PANEL`] columns over `count` pairs and writes or
    /// adds what of it lies in the result.
    #[inline(always)]
    #[expect(unsafe_code, reason = "bounds are checked once per tile, not per element")]
    fn tile<S: Pairs>(
        &self,
        [left, right]: [&[u32]; 2],
        count: usize,
        [row, column]: [usize; 2],
        is_added: bool,
    ) {
        let (left, right) = (&left[..count * BAND], &right[..count * PANEL]);
        let [rows, columns, _] = self.size;
        let mut sums = [[S::Lanes::splat(0.0); VECTORS]; BAND];
        // SAFETY: the slices hold `count` pairs of every row and column of the tile.
        unsafe {
            let (mut left, mut right) = (left.as_ptr(), right.as_ptr());
            for _ in 0..count {
                let mut b = [S::load(right); VECTORS];
                for (j, b) in b.iter_mut().enumerate().skip(1) {
                    *b = S::load(right.add(j * WIDTH));
                }
                for (i, sums) in sums.iter_mut().enumerate() {
                    for (sum, &b) in sums.iter_mut().zip(&b) {
                        *sum = S::multiply_add(left.add(i).read(), b, *sum);
                    }
                }
                left = left.wrapping_add(BAND);
                right = right.wrapping_add(PANEL);
            }
        }
        let is_whole = row + BAND <= rows && column + PANEL <= columns;
        // SAFETY: row and column lie in the result; beyond its edge nothing is touched.
        unsafe {
            let out = self.out.0.add(row * columns + column);
            if is_whole {
                for (i, sums) in sums.iter().enumerate() {
                    for (j, &sum) in sums.iter().enumerate() {
                        let out = out.add(i * columns + j * WIDTH);
                        let sum = if is_added { S::Lanes::load(out).add(sum) } else { sum };
                        sum.store(out);
                    }
                }
                return;
            }
            let mut buffer = [0.0f32; WIDTH];
            for (i, sums) in sums.iter().enumerate().take(rows - row) {
                for (j, &sum) in sums.iter().enumerate() {
                    sum.store(buffer.as_mut_ptr());
                    let at = column + j * WIDTH;
                    for (k, &sum) in buffer.iter().enumerate().take(columns.saturating_sub(at)) {
                        let out = out.add(i * columns + j * WIDTH + k);
                        out.write(if is_added { out.read() + sum } else { sum });
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Small whole numbers, whose products and sums are exact in every format.
    fn whole(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 7 + seed * 5) % 13) as f32 - 6.0).collect()
    }

    fn product(left: Matrix, right: Matrix, before: f32) -> Vec<f32> {
        let at = |matrix: &Matrix, i: usize, j: usize| {
            matrix.data[i * matrix.strides[0] + j * matrix.strides[1]]
        };
        let ([rows, depth], columns) = (left.size, right.size[1]);
        let element = |i: usize| {
            let (row, column) = (i / columns, i % columns);
            let sum: f32 = (0..depth).map(|p| at(&left, row, p) * at(&right, p, column)).sum();
            before + sum
        };
        (0..rows * columns).map(element).collect()
    }

    #[test]
    fn pairs_are_packed_and_put_back_in_their_places() {
        let sizes = [
            [1, 1, 1],
            [3, 2, 5],
            [12, 4, 32],
            [13, 5, 33],
            [121, 3, 513],
            [30, 300, 70],
            [25, 257, 40],
        ];
        for [rows, depth, columns] in sizes {
            let (a, b) = (whole(rows * depth, 1), whole(depth * columns, 2));
            for turned in 0..4 {
                let left = Matrix::row_major(&a, [rows, depth]);
                let left = if turned & 1 == 0 {
                    left
                } else {
                    Matrix::row_major(&a, [depth, rows]).transposed()
                };
                let right = Matrix::row_major(&b, [depth, columns]);
                let right = if turned & 2 == 0 {
                    right
                } else {
                    Matrix::row_major(&b, [columns, depth]).transposed()
                };
                for (accumulate, before) in [(Accumulate::No, 0.0), (Accumulate::Yes, 3.0)] {
                    let expected = product(left, right, before);
                    for is_native in [false, true] {
                        let mut out = vec![MaybeUninit::new(3.0); rows * columns];
                        multiply_pairs(is_native, left, right, &mut out, accumulate);
                        #[expect(unsafe_code, reason = "initialised above")]
                        // SAFETY: every element was 3 before the product.
                        let found: Vec<f32> =
                            out.iter().map(|x| unsafe { x.assume_init() }).collect();
                        assert_eq!(
                            found, expected,
                            "{rows}x{depth}x{columns} {turned} {is_native}"
                        );
                    }
                }
            }
        }
    }
}
