//! AVX2 and AVX-512.
#![expect(
    unsafe_code,
    reason = "intrinsics; every type here is only used below run_avx2 or run_avx512"
)]

use std::arch::x86_64::*;

use super::pairs::{PairKernel, Pairs};
use super::{Kernel, Lanes, Simd};

/// AVX2 with FMA.
#[derive(Clone, Copy)]
pub struct Avx2;

/// AVX-512.
#[derive(Clone, Copy)]
pub struct Avx512;

/// Runs `kernel` with AVX2 and FMA.
///
/// # Safety
/// The CPU must have both.
#[target_feature(enable = "avx2,fma")]
pub unsafe fn run_avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<Avx2>()
}

/// Runs `kernel` with AVX-512.
///
/// # Safety
/// The CPU must have AVX-512 F, BW, DQ and VL, and FMA.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,fma")]
pub unsafe fn run_avx512<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<Avx512>()
}

/// AVX-512 with BF16.
#[derive(Clone, Copy)]
pub struct Avx512Bf16;

/// Runs `kernel` with AVX-512 and its BF16 products.
///
/// # Safety
/// The CPU must have AVX-512 F, BW, DQ, VL and BF16, and FMA.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma")]
pub unsafe fn run_pairs_avx512_bf16<K: PairKernel>(kernel: K) -> K::Output {
    kernel.run::<Avx512Bf16>()
}

/// What the sets have in common: fused multiply-adds, and the squares that AVX transposes.
macro_rules! simd {
    ($set:ident, $lanes:ident, wide: $wide:literal) => {
        impl Simd for $set {
            type Lanes = $lanes;
            const WIDE: bool = $wide;

            #[inline(always)]
            fn mul_add(a: f32, b: f32, c: f32) -> f32 {
                a.mul_add(b, c)
            }

            #[inline(always)]
            unsafe fn transpose(
                from: *const f32,
                from_row: usize,
                factor: f32,
                to: *mut f32,
                to_row: usize,
            ) {
                unsafe { transpose(from, from_row, factor, to, to_row) }
            }
        }
    };
}
simd!(Avx2, Pair, wide: false);
simd!(Avx512, Single, wide: true);
simd!(Avx512Bf16, Single, wide: true);

// SAFETY of the intrinsics below: the type exists only in kernels that `run_pairs_avx512_bf16`
// called, which needs the instructions.
impl Pairs for Avx512Bf16 {
    type Right = __m512bh;

    #[inline(always)]
    unsafe fn load(from: *const u32) -> __m512bh {
        // Both types are 512 bits without meaning of their own.
        unsafe { std::mem::transmute::<__m512i, __m512bh>(_mm512_loadu_si512(from.cast())) }
    }

    #[inline(always)]
    fn multiply_add(left: u32, right: __m512bh, sum: Single) -> Single {
        unsafe {
            let left = _mm512_set1_epi32(left.cast_signed());
            let left = std::mem::transmute::<__m512i, __m512bh>(left);
            Single(_mm512_dpbf16_ps(sum.0, left, right))
        }
    }
}

/// Eight rows of eight: pairs, then fours, then halves change places.
///
/// # Safety
/// As [`Simd::transpose`]; the CPU must have AVX.
#[inline(always)]
unsafe fn transpose(from: *const f32, from_row: usize, factor: f32, to: *mut f32, to_row: usize) {
    // SAFETY: the caller vouches for the square and the instructions.
    unsafe {
        let row = |i: usize| _mm256_loadu_ps(from.add(i * from_row));
        let [r0, r1, r2, r3] = [row(0), row(1), row(2), row(3)];
        let [r4, r5, r6, r7] = [row(4), row(5), row(6), row(7)];
        let low = |a, b| _mm256_unpacklo_ps(a, b);
        let high = |a, b| _mm256_unpackhi_ps(a, b);
        let (a0, a1, a2, a3) = (low(r0, r1), high(r0, r1), low(r2, r3), high(r2, r3));
        let (a4, a5, a6, a7) = (low(r4, r5), high(r4, r5), low(r6, r7), high(r6, r7));
        let first = |a, b| _mm256_shuffle_ps::<0b01_00_01_00>(a, b);
        let second = |a, b| _mm256_shuffle_ps::<0b11_10_11_10>(a, b);
        let (b0, b1, b2, b3) = (first(a0, a2), second(a0, a2), first(a1, a3), second(a1, a3));
        let (b4, b5, b6, b7) = (first(a4, a6), second(a4, a6), first(a5, a7), second(a5, a7));
        let factor = _mm256_set1_ps(factor);
        let store = |j: usize, row| {
            _mm256_storeu_ps(to.add(j * to_row), _mm256_mul_ps(row, factor));
        };
        for (j, (a, b)) in [(b0, b4), (b1, b5), (b2, b6), (b3, b7)].into_iter().enumerate() {
            store(j, _mm256_permute2f128_ps::<0x20>(a, b));
            store(j + 4, _mm256_permute2f128_ps::<0x31>(a, b));
        }
    }
}

/// Sixteen floats in two registers.
#[derive(Clone, Copy)]
pub struct Pair(__m256, __m256);

// SAFETY of every intrinsic below: the types exist only in kernels that `run_avx2` or `run_avx512`
// called, and those need the instructions.
impl Lanes for Pair {
    #[inline(always)]
    fn splat(value: f32) -> Self {
        let half = unsafe { _mm256_set1_ps(value) };
        Self(half, half)
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        unsafe { Self(_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(8))) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        unsafe {
            _mm256_storeu_ps(to, self.0);
            _mm256_storeu_ps(to.add(8), self.1);
        }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        unsafe { Self(_mm256_add_ps(self.0, other.0), _mm256_add_ps(self.1, other.1)) }
    }

    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        unsafe { Self(_mm256_fmadd_ps(self.0, b.0, c.0), _mm256_fmadd_ps(self.1, b.1, c.1)) }
    }
}

/// Sixteen floats in one register.
#[derive(Clone, Copy)]
pub struct Single(__m512);

impl Lanes for Single {
    #[inline(always)]
    fn splat(value: f32) -> Self {
        Self(unsafe { _mm512_set1_ps(value) })
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        Self(unsafe { _mm512_loadu_ps(from) })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        unsafe { _mm512_storeu_ps(to, self.0) }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(unsafe { _mm512_add_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        Self(unsafe { _mm512_fmadd_ps(self.0, b.0, c.0) })
    }
}

/// Blocks of eight-bit integers.
pub(super) mod bytes {
    use std::arch::x86_64::*;

    use super::super::BLOCK;

    // SAFETY of the intrinsics below: they are only reached from kernels that `run_avx2` or
    // `run_avx512` called, and those need the instructions.

    #[inline(always)]
    pub fn zero() -> __m256 {
        unsafe { _mm256_setzero_ps() }
    }

    /// `a` without its signs times `b` with them: the instruction wants one operand unsigned. Two
    /// products of at most 127² fit into sixteen bits.
    #[inline(always)]
    pub fn add(sums: __m256, a: &[i8; BLOCK], b: &[i8; BLOCK], scale: f32) -> __m256 {
        unsafe {
            let a = _mm256_loadu_si256(a.as_ptr().cast());
            let b = _mm256_loadu_si256(b.as_ptr().cast());
            let pairs = _mm256_maddubs_epi16(_mm256_sign_epi8(a, a), _mm256_sign_epi8(b, a));
            let fours = _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
            _mm256_fmadd_ps(_mm256_cvtepi32_ps(fours), _mm256_set1_ps(scale), sums)
        }
    }

    #[inline(always)]
    pub fn lanes(sums: __m256) -> [f32; 8] {
        let mut lanes = [0.0; 8];
        unsafe { _mm256_storeu_ps(lanes.as_mut_ptr(), sums) };
        lanes
    }
}
