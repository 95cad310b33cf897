//! Small dense matrix products for blocks that already sit in cache.
//!
//! The `gemm` crate serves the large products; packing and scheduling would cost it more than the
//! work itself on a 16 × 64 block.

use super::{Kernel, Lanes, Simd, WIDTH, dispatch};

/// The left operand: element `(i, p)` is `data[i * row + p * column]`, so a transpose is free.
#[derive(Clone, Copy)]
pub struct Left<'a> {
    /// Storage.
    pub data: &'a [f32],
    /// Distance between rows.
    pub row: usize,
    /// Distance between columns.
    pub column: usize,
}

/// The right operand: row `p` starts at `data[p * row]`, its elements are adjacent.
#[derive(Clone, Copy)]
pub struct Right<'a> {
    /// Storage.
    pub data: &'a [f32],
    /// Distance between rows.
    pub row: usize,
}

/// The result: row `i` starts at `data[i * row]`, its elements are adjacent.
pub struct Out<'a> {
    /// Storage.
    pub data: &'a mut [f32],
    /// Distance between rows.
    pub row: usize,
}

/// `out = left · right`, or `out += left · right` with `accumulate`.
///
/// `size` is `[rows, columns, depth]`; columns must be a multiple of [`WIDTH`].
///
/// # Panics
/// When an operand is too short for its size and strides.
pub fn product(size: [usize; 3], left: Left, right: Right, out: Out, accumulate: bool) {
    let [rows, columns, depth] = size;
    if rows == 0 || columns == 0 {
        return;
    }
    assert!(columns.is_multiple_of(WIDTH), "product: {columns} columns");
    assert!((rows - 1) * out.row + columns <= out.data.len(), "product: out");
    if depth > 0 {
        let last = (rows - 1) * left.row + (depth - 1) * left.column;
        assert!(last < left.data.len(), "product: left");
        assert!((depth - 1) * right.row + columns <= right.data.len(), "product: right");
    }
    dispatch(Product {
        size,
        left: (left.data.as_ptr(), left.row, left.column),
        right: (right.data.as_ptr(), right.row),
        out: (out.data.as_mut_ptr(), out.row),
        accumulate,
    });
}

/// A product whose bounds have been checked.
struct Product {
    size: [usize; 3],
    left: (*const f32, usize, usize),
    right: (*const f32, usize),
    out: (*mut f32, usize),
    accumulate: bool,
}

impl Kernel for Product {
    type Output = ();

    #[inline(always)]
    #[expect(unsafe_code, reason = "the tiles of a product that `product` has checked")]
    fn run<S: Simd>(self) {
        let [rows, columns, _] = self.size;
        let mut column = 0;
        while column < columns {
            let wide = S::WIDE && columns - column >= 2 * WIDTH;
            let mut row = 0;
            while row < rows {
                // SAFETY: the tile lies inside the checked product.
                row += unsafe {
                    match (wide, rows - row) {
                        (true, 8..) => self.tile::<S, 8, 2>(row, column),
                        (true, 4..) => self.tile::<S, 4, 2>(row, column),
                        (true, 2..) => self.tile::<S, 2, 2>(row, column),
                        (true, _) => self.tile::<S, 1, 2>(row, column),
                        (false, 4..) => self.tile::<S, 4, 1>(row, column),
                        (false, 2..) => self.tile::<S, 2, 1>(row, column),
                        (false, _) => self.tile::<S, 1, 1>(row, column),
                    }
                };
            }
            column += if wide { 2 * WIDTH } else { WIDTH };
        }
    }
}

impl Product {
    /// Computes `ROWS` rows of `VECTORS * WIDTH` columns and returns `ROWS`.
    ///
    /// # Safety
    /// The tile must lie inside the product.
    #[inline(always)]
    #[expect(unsafe_code, reason = "bounds are checked once per product, not per element")]
    unsafe fn tile<S: Simd, const ROWS: usize, const VECTORS: usize>(
        &self,
        row: usize,
        column: usize,
    ) -> usize {
        let (left, left_row, left_column) = self.left;
        let (right, right_row) = self.right;
        let (out, out_row) = self.out;
        let mut sums = [[S::Lanes::splat(0.0); VECTORS]; ROWS];
        // SAFETY: every index is inside the tile, which the caller vouches for.
        unsafe {
            let mut left = left.add(row * left_row);
            let mut right = right.add(column);
            for _ in 0..self.size[2] {
                let mut b = [S::Lanes::splat(0.0); VECTORS];
                for (j, b) in b.iter_mut().enumerate() {
                    *b = S::Lanes::load(right.add(j * WIDTH));
                }
                for (i, sums) in sums.iter_mut().enumerate() {
                    let a = S::Lanes::splat(*left.add(i * left_row));
                    for (sum, b) in sums.iter_mut().zip(b) {
                        *sum = a.mul_add(b, *sum);
                    }
                }
                // Wrapping, because the step after the last one may leave the operand.
                left = left.wrapping_add(left_column);
                right = right.wrapping_add(right_row);
            }
            for (i, sums) in sums.iter().enumerate() {
                for (j, &sum) in sums.iter().enumerate() {
                    let out = out.add((row + i) * out_row + column + j * WIDTH);
                    let sum = if self.accumulate { S::Lanes::load(out).add(sum) } else { sum };
                    sum.store(out);
                }
            }
        }
        ROWS
    }
}
