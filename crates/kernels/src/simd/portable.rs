//! The instruction set that every CPU of the target has.

use super::transpose::SQUARE;
use super::{Lanes, Simd, WIDTH};

/// Plain Rust; the compiler uses SSE2 on x86-64 and NEON on aarch64.
#[derive(Clone, Copy)]
pub struct Portable;

/// A fused multiply-add is part of aarch64; on baseline x86-64 it would be a slow library call.
const FUSED: bool = cfg!(target_arch = "aarch64");

impl Simd for Portable {
    type Lanes = Array;
    const WIDE: bool = false;

    #[inline(always)]
    fn mul_add(a: f32, b: f32, c: f32) -> f32 {
        if FUSED { a.mul_add(b, c) } else { a * b + c }
    }

    #[inline(always)]
    #[expect(unsafe_code, reason = "reads and writes through pointers")]
    unsafe fn transpose(
        from: *const f32,
        from_row: usize,
        factor: f32,
        to: *mut f32,
        to_row: usize,
    ) {
        for i in 0..SQUARE {
            for j in 0..SQUARE {
                // SAFETY: inside the square, which the caller vouches for.
                unsafe { *to.add(j * to_row + i) = *from.add(i * from_row + j) * factor };
            }
        }
    }
}

/// Sixteen floats as an array.
#[derive(Clone, Copy)]
pub struct Array([f32; WIDTH]);

impl Lanes for Array {
    #[inline(always)]
    fn splat(value: f32) -> Self {
        Self([value; WIDTH])
    }

    #[inline(always)]
    #[expect(unsafe_code, reason = "reads through a pointer")]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller promises sixteen readable floats.
        Self(unsafe { from.cast::<[f32; WIDTH]>().read_unaligned() })
    }

    #[inline(always)]
    #[expect(unsafe_code, reason = "writes through a pointer")]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller promises sixteen writable floats.
        unsafe { to.cast::<[f32; WIDTH]>().write_unaligned(self.0) }
    }

    #[inline(always)]
    fn add(mut self, other: Self) -> Self {
        for (a, b) in self.0.iter_mut().zip(other.0) {
            *a += b;
        }
        self
    }

    #[inline(always)]
    fn mul_add(mut self, b: Self, c: Self) -> Self {
        for i in 0..WIDTH {
            self.0[i] = Portable::mul_add(self.0[i], b.0[i], c.0[i]);
        }
        self
    }
}
