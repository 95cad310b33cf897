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
use std::ops::Range;

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
/// Blocks at least, where there are rows for them.
const TASKS: usize = 16;
/// Rows of a task at most: its left operand stays in the second-level cache.
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
    let left = pack::<BAND>(left.into(), is_parallel);
    let right = pack::<PANEL>(right.transposed().into(), is_parallel);
    let Tasks { across, down, rows: rows_of_task } = Tasks::new(rows, columns);
    let out = Slots(out.as_mut_ptr().cast());
    let block = |index: usize| {
        let first_row = index / across * rows_of_task;
        let first_column = index % across * COLUMNS;
        let block = Block {
            left: &left,
            right: &right,
            size: [rows, columns, depth.div_ceil(2)],
            rows: first_row..rows.min(first_row + rows_of_task),
            columns: first_column..columns.min(first_column + COLUMNS),
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

/// How a result is cut into blocks. No sum depends on it.
struct Tasks {
    /// Blocks beside each other.
    across: usize,
    /// Blocks below each other.
    down: usize,
    /// Rows of a block, whole bands.
    rows: usize,
}

impl Tasks {
    /// About equal blocks, and where there are rows for it some for every thread.
    fn new(rows: usize, columns: usize) -> Self {
        let (across, bands) = (columns.div_ceil(COLUMNS), rows.div_ceil(BAND));
        let down = rows.div_ceil(ROWS).max(TASKS.div_ceil(across)).min(bands);
        let rows = bands.div_ceil(down) * BAND;
        Self { across, down: (bands * BAND).div_ceil(rows), rows }
    }
}

/// An operand seen the same way from either side: `count` vectors along the inner dimension.
#[derive(Clone, Copy)]
struct Vectors<'a> {
    data: &'a [f32],
    count: usize,
    depth: usize,
    /// Distance between vectors, and between the elements of one.
    strides: [usize; 2],
}

impl<'a> From<Matrix<'a>> for Vectors<'a> {
    fn from(Matrix { data, size: [count, depth], strides }: Matrix<'a>) -> Self {
        Self { data, count, depth, strides }
    }
}

/// Packs `GROUP` vectors after `GROUP` vectors: of each group all pairs in order, of each pair the
/// vectors. What is missing from the last group, or from the last pair, is zero.
fn pack<const GROUP: usize>(vectors: Vectors, is_parallel: bool) -> Vec<[u32; GROUP]> {
    let pairs = vectors.depth.div_ceil(2);
    let mut packed = Vec::with_capacity(vectors.count.div_ceil(GROUP) * pairs);
    let room = &mut packed.spare_capacity_mut()[..vectors.count.div_ceil(GROUP) * pairs];
    let body = |(index, to): (usize, &mut [MaybeUninit<[u32; GROUP]>])| {
        dispatch(Pack { vectors, first: index * GROUP, to });
    };
    if is_parallel {
        room.par_chunks_mut(pairs).enumerate().for_each(body);
    } else {
        room.chunks_mut(pairs).enumerate().for_each(body);
    }
    let count = room.len();
    #[expect(unsafe_code, reason = "what has just been written is not written twice")]
    // SAFETY: `Pack` writes every pair of its group.
    unsafe {
        packed.set_len(count);
    }
    packed
}

/// One group, from its `first` vector.
struct Pack<'a, const GROUP: usize> {
    vectors: Vectors<'a>,
    first: usize,
    to: &'a mut [MaybeUninit<[u32; GROUP]>],
}

impl<const GROUP: usize> Kernel for Pack<'_, GROUP> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        match self.vectors.strides {
            [_, 1] => self.along(),
            [1, _] if self.first + GROUP <= self.vectors.count => self.across(),
            _ => self.one_by_one(),
        }
    }
}

impl<const GROUP: usize> Pack<'_, GROUP> {
    /// Vectors whose elements are adjacent: some pairs of all of them are rounded, then turned.
    #[inline(always)]
    fn along(self) {
        let Vectors { data, count, depth, strides: [step, _] } = self.vectors;
        let present = GROUP.min(count - self.first);
        let mut rounded = [[0; BLOCK]; GROUP];
        for (block, to) in self.to.chunks_mut(BLOCK).enumerate() {
            let start = 2 * block * BLOCK;
            for (vector, rounded) in rounded.iter_mut().enumerate().take(present) {
                let values = &data[(self.first + vector) * step..][..depth];
                let values = &values[start..depth.min(start + 2 * BLOCK)];
                let (pairs, rest) = values.as_chunks::<2>();
                for (rounded, &[low, high]) in rounded.iter_mut().zip(pairs) {
                    *rounded = pair(low, high);
                }
                if let [last] = rest {
                    rounded[pairs.len()] = pair(*last, 0.0);
                }
            }
            for (p, to) in to.iter_mut().enumerate() {
                to.write(std::array::from_fn(|vector| rounded[vector][p]));
            }
        }
    }

    /// A whole group of adjacent vectors: a pair of all of them is two runs of numbers.
    #[inline(always)]
    fn across(self) {
        let Vectors { data, depth, strides: [_, stride], .. } = self.vectors;
        let run = |element: usize| -> &[f32; GROUP] {
            let run = &data[element * stride + self.first..][..GROUP];
            run.try_into().expect("a run of that length")
        };
        for (p, to) in self.to.iter_mut().enumerate() {
            let low = run(2 * p);
            let high = if 2 * p + 1 < depth { run(2 * p + 1) } else { &[0.0; GROUP] };
            to.write(std::array::from_fn(|vector| pair(low[vector], high[vector])));
        }
    }

    /// Whatever the strides.
    #[inline(always)]
    fn one_by_one(self) {
        let Vectors { data, count, depth, strides: [step, stride] } = self.vectors;
        let present = GROUP.min(count - self.first);
        let at = |vector: usize, element: usize| {
            let inside = vector < present && element < depth;
            if inside { data[(self.first + vector) * step + element * stride] } else { 0.0 }
        };
        for (p, to) in self.to.iter_mut().enumerate() {
            to.write(std::array::from_fn(|vector| pair(at(vector, 2 * p), at(vector, 2 * p + 1))));
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
    /// The packed left operand.
    left: &'a [[u32; BAND]],
    /// The packed right operand.
    right: &'a [[u32; PANEL]],
    /// Rows, columns and pairs of the whole product.
    size: [usize; 3],
    /// Those of the block, from the beginning of a band and of a panel on.
    rows: Range<usize>,
    columns: Range<usize>,
    out: &'a Slots,
    accumulate: Accumulate,
}

impl PairKernel for Block<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Pairs>(self) {
        let [_, _, pairs] = self.size;
        for depth in (0..pairs).step_by(DEPTH) {
            let count = DEPTH.min(pairs - depth);
            let is_added = depth > 0 || self.accumulate == Accumulate::Yes;
            for column in self.columns.clone().step_by(PANEL) {
                let right = &self.right[column / PANEL * pairs + depth..][..count];
                for row in self.rows.clone().step_by(BAND) {
                    let left = &self.left[row / BAND * pairs + depth..][..count];
                    self.tile::<S>(left, right, [row, column], is_added);
                }
            }
        }
    }
}

impl Block<'_> {
    /// Sums a tile of [`BAND`] rows and [`PANEL`] columns over some pairs and writes or adds what of
    /// it lies in the result.
    #[inline(always)]
    #[expect(unsafe_code, reason = "reads and writes whole vectors")]
    fn tile<S: Pairs>(
        &self,
        left: &[[u32; BAND]],
        right: &[[u32; PANEL]],
        [row, column]: [usize; 2],
        is_added: bool,
    ) {
        let [rows, columns, _] = self.size;
        let mut sums = [[S::Lanes::splat(0.0); VECTORS]; BAND];
        for (left, right) in left.iter().zip(right) {
            // SAFETY: a pair of the panel is that many vectors.
            let right: [S::Right; VECTORS] =
                std::array::from_fn(|j| unsafe { S::load(right.as_ptr().add(j * WIDTH)) });
            for (&left, sums) in left.iter().zip(&mut sums) {
                for (sum, &right) in sums.iter_mut().zip(&right) {
                    *sum = S::multiply_add(left, right, *sum);
                }
            }
        }
        let whole = row + BAND <= rows && column + PANEL <= columns;
        if whole {
            // SAFETY: the tile lies in the result.
            unsafe {
                let out = self.out.0.add(row * columns + column);
                for (i, sums) in sums.iter().enumerate() {
                    for (j, &sum) in sums.iter().enumerate() {
                        let out = out.add(i * columns + j * WIDTH);
                        let sum = if is_added { S::Lanes::load(out).add(sum) } else { sum };
                        sum.store(out);
                    }
                }
            }
            return;
        }
        // Through memory of its own: were the sums themselves counted through, they would be kept in
        // memory, and stored after every pair.
        let mut tile = [[0.0f32; PANEL]; BAND];
        for (tile, sums) in tile.iter_mut().zip(&sums) {
            for (tile, &sum) in tile.as_chunks_mut::<WIDTH>().0.iter_mut().zip(sums) {
                // SAFETY: room for one vector.
                unsafe { sum.store(tile.as_mut_ptr()) };
            }
        }
        self.write_edge(&tile, [row, column], is_added);
    }

    /// Writes or adds what of a tile lies in the result.
    #[expect(unsafe_code, reason = "writes through the pointer that tasks share")]
    fn write_edge(&self, tile: &[[f32; PANEL]; BAND], [row, column]: [usize; 2], is_added: bool) {
        let [rows, columns, _] = self.size;
        for (i, sums) in tile.iter().enumerate().take(rows - row) {
            for (j, &sum) in sums.iter().enumerate().take(columns - column) {
                // SAFETY: row and column lie in the result.
                unsafe {
                    let out = self.out.0.add((row + i) * columns + column + j);
                    out.write(if is_added { out.read() + sum } else { sum });
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
