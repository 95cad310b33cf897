//! One body, compiled for several instruction sets, chosen at run time.
//!
//! A `Kernel` is written once over a `Simd` type and handed to `dispatch`, which runs the
//! copy compiled for the best instruction set of this machine. Everything a kernel calls must be
//! `#[inline(always)]`: only then is it compiled with the wider instructions too.
//!
//! Reductions always use sixteen lanes, whatever the register width, so AVX2 and AVX-512 give the
//! same bits.

mod bytes;
mod lanes;
pub(crate) mod math;
pub(crate) mod pairs;
mod portable;
pub(crate) mod product;
pub(crate) mod transpose;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::sync::atomic::{AtomicU8, Ordering};

pub(crate) use bytes::{BLOCK, Bytes};
pub(crate) use lanes::{Lanes, WIDTH, max, sum};
use portable::Portable;

/// An instruction set, from the most general to the fastest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// What every CPU of the target has (SSE2, NEON).
    Portable = 1,
    /// AVX2 with fused multiply-add.
    Avx2 = 2,
    /// AVX-512 F, BW, DQ and VL.
    Avx512 = 3,
    /// The same with the products of bfloat16 pairs.
    Avx512Bf16 = 4,
}

/// What a kernel body is generic over.
pub(crate) trait Simd: Bytes {
    /// Sixteen floats in this set's registers.
    type Lanes: Lanes;
    /// Whether one register holds all sixteen, with 32 of them: larger blocks pay.
    const WIDE: bool;
    /// `a * b + c`, rounded once where the set has the instruction.
    fn mul_add(a: f32, b: f32, c: f32) -> f32;

    /// Transposes a square of [`transpose::SQUARE`] rows and columns, times `factor`.
    ///
    /// # Safety
    /// `from` must be valid for reading the square's rows, which are `from_row` apart, `to` for
    /// writing its columns, `to_row` apart.
    #[expect(unsafe_code, reason = "reads and writes through pointers")]
    unsafe fn transpose(
        from: *const f32,
        from_row: usize,
        factor: f32,
        to: *mut f32,
        to_row: usize,
    );
}

/// Work that can be compiled for any instruction set.
pub(crate) trait Kernel {
    /// What the work returns.
    type Output;
    /// The body; must be `#[inline(always)]` together with all it calls.
    fn run<S: Simd>(self) -> Self::Output;
}

/// Zero means: the best there is.
static LIMIT: AtomicU8 = AtomicU8::new(0);

impl Level {
    /// From the general to the fast.
    pub const ALL: [Self; 4] = [Self::Portable, Self::Avx2, Self::Avx512, Self::Avx512Bf16];

    /// As in `WUJI_SIMD` and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Avx512Bf16 => "avx512-bf16",
        }
    }

    /// The set of this [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }
}

/// Keeps `dispatch` from using anything above `level`, for tests and measurements; `None` lifts
/// the limit. It holds for the whole process.
pub fn limit(level: Option<Level>) {
    LIMIT.store(level.map_or(0, |level| level as u8), Ordering::Relaxed);
}

/// The instruction set that `dispatch` uses.
pub fn level() -> Level {
    let best = detect();
    match LIMIT.load(Ordering::Relaxed) {
        1 => Level::Portable,
        2 => best.min(Level::Avx2),
        3 => best.min(Level::Avx512),
        // Zero or the last: what there is.
        _ => best,
    }
}

#[cfg(target_arch = "x86_64")]
fn detect() -> Level {
    if is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("fma")
    {
        if is_x86_feature_detected!("avx512bf16") { Level::Avx512Bf16 } else { Level::Avx512 }
    } else if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        Level::Avx2
    } else {
        Level::Portable
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn detect() -> Level {
    Level::Portable
}

/// Runs `kernel` compiled for [`level`].
#[expect(unsafe_code, reason = "calls the copy for an instruction set found by detection")]
pub(crate) fn dispatch<K: Kernel>(kernel: K) -> K::Output {
    match level() {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `detect` saw every feature that `run_avx512` is compiled with.
        Level::Avx512 | Level::Avx512Bf16 => unsafe { x86::run_avx512(kernel) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above, for AVX2 and FMA.
        Level::Avx2 => unsafe { x86::run_avx2(kernel) },
        _ => kernel.run::<Portable>(),
    }
}
