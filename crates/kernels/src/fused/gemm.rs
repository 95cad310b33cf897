//! Large matrix products: in `f32` on the `gemm` crate, in bfloat16 our own.

use std::mem::MaybeUninit;

use gemm::Parallelism;

use super::{bf16, gemv};
use crate::Precision;

/// Multiply-adds from which a product is worth waking the other threads.
const PARALLEL: usize = 1 << 18;

/// A matrix as it lies in memory: element `(i, j)` is `data[i * row + j * column]`.
#[derive(Clone, Copy)]
pub struct Matrix<'a> {
    /// Storage.
    pub data: &'a [f32],
    /// Number of rows and columns.
    pub size: [usize; 2],
    /// Distance between rows and between columns.
    pub strides: [usize; 2],
}

impl<'a> Matrix<'a> {
    /// Rows one after the other.
    pub fn row_major(data: &'a [f32], size: [usize; 2]) -> Self {
        Self { data, size, strides: [size[1], 1] }
    }

    /// The same memory read the other way round.
    pub fn transposed(self) -> Self {
        let Self { data, size: [rows, columns], strides: [row, column] } = self;
        Self { data, size: [columns, rows], strides: [column, row] }
    }

    /// Whether every element lies in the storage.
    pub(super) fn fits(&self) -> bool {
        let [rows, columns] = self.size;
        rows == 0
            || columns == 0
            || (rows - 1) * self.strides[0] + (columns - 1) * self.strides[1] < self.data.len()
    }
}

/// Writes `left · right` to `out`, rows one after the other.
///
/// # Panics
/// When the sizes do not fit.
#[expect(unsafe_code, reason = "calls gemm on a slice of the size that is checked there")]
pub fn multiply(precision: Precision, left: Matrix, right: Matrix, out: &mut [MaybeUninit<f32>]) {
    if precision == Precision::Bf16 {
        return bf16::multiply(left, right, out, Accumulate::No);
    }
    if left.size[1] == 0 {
        out.fill(MaybeUninit::new(0.0));
        return;
    }
    if gemv::applies(left, right) {
        out.fill(MaybeUninit::new(0.0));
        // SAFETY: every element has just been written.
        return gemv::multiply_add(left, right, unsafe { out.assume_init_mut() });
    }
    let parallelism = parallelism(left, right);
    // SAFETY: the result is not read.
    unsafe {
        call(left, right, out.as_mut_ptr().cast(), out.len(), Accumulate::No, parallelism);
    }
}

/// Adds `left · right` to `out`, rows one after the other.
///
/// # Panics
/// When the sizes do not fit.
#[expect(unsafe_code, reason = "calls gemm on a slice of the size that is checked there")]
pub fn multiply_add(precision: Precision, left: Matrix, right: Matrix, out: &mut [f32]) {
    if precision == Precision::Bf16 {
        // SAFETY: `bf16::multiply` writes floats only.
        let out = unsafe { &mut *(std::ptr::from_mut(out) as *mut [MaybeUninit<f32>]) };
        return bf16::multiply(left, right, out, Accumulate::Yes);
    }
    if gemv::applies(left, right) {
        return gemv::multiply_add(left, right, out);
    }
    let parallelism = parallelism(left, right);
    // SAFETY: the result is initialised.
    unsafe { call(left, right, out.as_mut_ptr(), out.len(), Accumulate::Yes, parallelism) };
}

/// Whether a product is added to what is there or replaces it.
#[derive(Clone, Copy, PartialEq)]
pub enum Accumulate {
    /// Replaces.
    No,
    /// Adds.
    Yes,
}

/// Writes or adds `left · right` to `out` without waking other threads, which have work of their
/// own.
///
/// # Panics
/// When the sizes do not fit.
#[expect(unsafe_code, reason = "calls gemm on a slice of the size that is checked there")]
pub fn multiply_on_this_thread(
    left: Matrix,
    right: Matrix,
    out: &mut [f32],
    accumulate: Accumulate,
) {
    // SAFETY: the result is initialised.
    unsafe {
        call(left, right, out.as_mut_ptr(), out.len(), accumulate, Parallelism::None);
    }
}

fn parallelism(left: Matrix, right: Matrix) -> Parallelism {
    let work = left.size[0] * left.size[1] * right.size[1];
    if work >= PARALLEL { Parallelism::Rayon(0) } else { Parallelism::None }
}

/// # Safety
/// `out` must be valid for `len` floats, initialised if it is added to.
#[expect(unsafe_code, reason = "gemm takes pointers; sizes are checked here")]
unsafe fn call(
    left: Matrix,
    right: Matrix,
    out: *mut f32,
    len: usize,
    accumulate: Accumulate,
    parallelism: Parallelism,
) {
    let ([rows, depth], [depth_too, columns]) = (left.size, right.size);
    assert_eq!(depth, depth_too, "matrix product: inner sizes");
    assert_eq!(rows * columns, len, "matrix product: size of the result");
    assert!(left.fits() && right.fits(), "matrix product: operand too short");
    // SAFETY: both operands and the result hold all elements that the sizes and strides reach, and
    // the result overlaps neither, being borrowed mutably.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            depth,
            out,
            1,
            columns as isize,
            accumulate == Accumulate::Yes,
            left.data.as_ptr(),
            left.strides[1] as isize,
            left.strides[0] as isize,
            right.data.as_ptr(),
            right.strides[1] as isize,
            right.strides[0] as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            parallelism,
        );
    }
}
