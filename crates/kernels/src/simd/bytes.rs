//! Dot products of blocks of eight-bit integers.

#[cfg(target_arch = "x86_64")]
use super::x86;
use super::{Portable, Simd};

/// Integers of a block, which share a scale.
pub const BLOCK: usize = 32;

/// How an instruction set multiplies blocks.
pub(crate) trait Bytes: Copy {
    /// Partial sums in `f32`.
    type Sums: Copy;

    /// No sum yet.
    fn zero() -> Self::Sums;

    /// Adds `scale` times the dot product of two blocks, of which `a` holds no −128.
    fn add(sums: Self::Sums, a: &[i8; BLOCK], b: &[i8; BLOCK], scale: f32) -> Self::Sums;

    /// The sum.
    fn total(sums: Self::Sums) -> f32;
}

/// Eight sums of four products each, as the vector instructions have them.
impl Bytes for Portable {
    type Sums = [f32; 8];

    #[inline(always)]
    fn zero() -> [f32; 8] {
        [0.0; 8]
    }

    #[inline(always)]
    fn add(mut sums: [f32; 8], a: &[i8; BLOCK], b: &[i8; BLOCK], scale: f32) -> [f32; 8] {
        let (a, b) = (a.as_chunks::<4>().0, b.as_chunks::<4>().0);
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            let product = |i: usize| i32::from(a[i]) * i32::from(b[i]);
            let four = product(0) + product(1) + product(2) + product(3);
            *sum = Self::mul_add(four as f32, scale, *sum);
        }
        sums
    }

    #[inline(always)]
    fn total(sums: [f32; 8]) -> f32 {
        let [a, b, c, d, e, f, g, h] = sums;
        ((a + e) + (c + g)) + ((b + f) + (d + h))
    }
}

/// AVX2's, also for AVX-512: the memory is what limits.
#[cfg(target_arch = "x86_64")]
macro_rules! bytes_of_avx2 {
    ($set:ty) => {
        impl Bytes for $set {
            type Sums = std::arch::x86_64::__m256;

            #[inline(always)]
            fn zero() -> Self::Sums {
                x86::bytes::zero()
            }

            #[inline(always)]
            fn add(sums: Self::Sums, a: &[i8; BLOCK], b: &[i8; BLOCK], scale: f32) -> Self::Sums {
                x86::bytes::add(sums, a, b, scale)
            }

            #[inline(always)]
            fn total(sums: Self::Sums) -> f32 {
                Portable::total(x86::bytes::lanes(sums))
            }
        }
    };
}
#[cfg(target_arch = "x86_64")]
bytes_of_avx2!(x86::Avx2);
#[cfg(target_arch = "x86_64")]
bytes_of_avx2!(x86::Avx512);
#[cfg(target_arch = "x86_64")]
bytes_of_avx2!(x86::Avx512Bf16);
