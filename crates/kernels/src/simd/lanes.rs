//! Sixteen floats at a time.

/// How many floats a [`Lanes`] holds.
pub const WIDTH: usize = 16;

/// Sixteen floats in the registers of one instruction set.
///
/// Only the small matrix products use this: there the accumulators must stay in registers, which
/// the compiler does not promise for arrays. Element-wise loops are left to its vectoriser.
pub trait Lanes: Copy {
    /// All lanes equal.
    fn splat(value: f32) -> Self;

    /// Reads sixteen floats, at any alignment.
    ///
    /// # Safety
    /// `from` must be valid for reading sixteen floats.
    #[expect(unsafe_code, reason = "reads through a pointer")]
    unsafe fn load(from: *const f32) -> Self;

    /// Writes sixteen floats, at any alignment.
    ///
    /// # Safety
    /// `to` must be valid for writing sixteen floats.
    #[expect(unsafe_code, reason = "writes through a pointer")]
    unsafe fn store(self, to: *mut f32);

    /// Lane-wise sum.
    fn add(self, other: Self) -> Self;

    /// `self * b + c` lane by lane.
    fn mul_add(self, b: Self, c: Self) -> Self;
}

/// Sum of sixteen partial sums, in a fixed order.
#[inline(always)]
pub fn sum(mut lanes: [f32; WIDTH]) -> f32 {
    for half in [8, 4, 2, 1] {
        for i in 0..half {
            lanes[i] += lanes[i + half];
        }
    }
    lanes[0]
}

/// Largest of sixteen partial maxima.
#[inline(always)]
pub fn max(mut lanes: [f32; WIDTH]) -> f32 {
    for half in [8, 4, 2, 1] {
        for i in 0..half {
            lanes[i] = if lanes[i + half] > lanes[i] { lanes[i + half] } else { lanes[i] };
        }
    }
    lanes[0]
}
