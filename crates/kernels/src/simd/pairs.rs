//! Products of bfloat16 numbers, two at a time, summed in f32.
//!
//! The unit is a pair: the elements `2p` and `2p + 1` of a row of the left operand, or of a column
//! of the right one, in the low and the high half of a `u32`. AVX-512 BF16 multiplies and adds
//! sixteen pairs with one instruction. The portable body takes a pair apart into two floats, which is
//! exact, a bfloat16 being the upper half of one; it is what the tests hold the instruction to, and
//! slower than rounding the operands and multiplying them as `f32`, which is what other CPUs do.

use super::portable::Portable;
#[cfg(target_arch = "x86_64")]
use super::x86;
use super::{Lanes, Level, Simd, WIDTH, detect, level};

/// How an instruction set multiplies pairs.
pub(crate) trait Pairs: Simd {
    /// Sixteen pairs of the right operand.
    type Right: Copy;
    /// Reads sixteen pairs.
    ///
    /// # Safety
    /// `from` must be valid for reading sixteen words.
    #[expect(unsafe_code, reason = "reads through a pointer")]
    unsafe fn load(from: *const u32) -> Self::Right;

    /// Adds the product of one pair with each of sixteen.
    fn multiply_add(left: u32, right: Self::Right, sum: Self::Lanes) -> Self::Lanes;
}

/// Work that can be compiled for any instruction set that multiplies pairs.
pub(crate) trait PairKernel {
    /// What the work returns.
    type Output;
    /// The body; must be `#[inline(always)]` together with all it calls.
    fn run<S: Pairs>(self) -> Self::Output;
}

/// Whether this CPU has an instruction for pairs, and may use it.
pub fn has_instruction() -> bool {
    level() == Level::Avx512Bf16
}

/// Runs `kernel` with the instruction for pairs, if `is_native` and the CPU has it, or without.
#[expect(unsafe_code, reason = "calls the copy for an instruction set found by detection")]
pub(crate) fn dispatch_pairs<K: PairKernel>(is_native: bool, kernel: K) -> K::Output {
    match is_native {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `detect` saw every feature that `run_pairs_avx512_bf16` is compiled with.
        true if detect() == Level::Avx512Bf16 => unsafe { x86::run_pairs_avx512_bf16(kernel) },
        _ => kernel.run::<Portable>(),
    }
}

/// The nearest bfloat16, ties to even, in the low half; NaN stays NaN.
#[inline(always)]
pub fn round(x: f32) -> u32 {
    let bits = x.to_bits();
    let rounded = bits.wrapping_add(0x7fff + ((bits >> 16) & 1)) >> 16;
    let quiet = (bits >> 16) | 0x40;
    if bits & 0x7fff_ffff > 0x7f80_0000 { quiet } else { rounded }
}

/// Two floats as a pair.
#[inline(always)]
pub fn pair(low: f32, high: f32) -> u32 {
    round(low) | (round(high) << 16)
}

/// The low number of a pair.
#[inline(always)]
pub fn low(pair: u32) -> f32 {
    f32::from_bits(pair << 16)
}

/// The high number of a pair.
#[inline(always)]
pub fn high(pair: u32) -> f32 {
    f32::from_bits(pair & 0xffff_0000)
}

impl Pairs for Portable {
    type Right = [Self::Lanes; 2];

    #[inline(always)]
    #[expect(unsafe_code, reason = "the caller vouches for the pointer")]
    unsafe fn load(from: *const u32) -> Self::Right {
        // SAFETY: as the caller says; the arrays are read as the lanes they hold.
        unsafe {
            let pairs: [u32; WIDTH] = from.cast::<[u32; WIDTH]>().read_unaligned();
            let (low, high) = (pairs.map(low), pairs.map(high));
            [Self::Lanes::load(low.as_ptr()), Self::Lanes::load(high.as_ptr())]
        }
    }

    #[inline(always)]
    fn multiply_add(left: u32, right: Self::Right, sum: Self::Lanes) -> Self::Lanes {
        let sum = Self::Lanes::splat(low(left)).mul_add(right[0], sum);
        Self::Lanes::splat(high(left)).mul_add(right[1], sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_that_of_half() {
        let mut bits = 1u32;
        for _ in 0..200_000 {
            bits = bits.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
            let x = f32::from_bits(bits);
            let expected = half::bf16::from_f32(x);
            let found = half::bf16::from_bits(round(x) as u16);
            assert!(
                found.to_bits() == expected.to_bits() || (found.is_nan() && expected.is_nan()),
                "{x}: {found}, expected {expected}"
            );
        }
    }

    #[test]
    fn a_pair_keeps_the_order() {
        let both = pair(1.5, -2.0);
        assert_eq!((low(both), high(both)), (1.5, -2.0));
    }
}
