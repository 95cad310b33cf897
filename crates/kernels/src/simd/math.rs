//! Elementary functions on single floats, written so that loops over them vectorise.
//!
//! No branches, no library calls: ranges are handled by clamps and selections, rounding by adding
//! a large constant. Comparisons are arranged so that NaN passes through.

use std::f32::consts::{LN_2, LOG2_E};

use super::Simd;

/// Adding and subtracting `1.5 · 2²³` rounds to the nearest integer, which then sits in the low
/// bits of the sum.
const ROUND: f32 = 12_582_912.0;

/// `ln 2` in two parts: the first has few bits, so that `n · LN2_HIGH` is exact.
const LN2_HIGH: f32 = 0.693_359_4;
const LN2_LOW: f32 = -2.121_944_4e-4;

/// `x` limited to `low..=high`; NaN stays.
#[inline(always)]
pub fn clamp(x: f32, low: f32, high: f32) -> f32 {
    let x = if x < low { low } else { x };
    if x > high { high } else { x }
}

/// `eʳ` for `|r| ≤ ln(2)/2` (Cephes).
#[inline(always)]
fn exp_near_zero<S: Simd>(r: f32) -> f32 {
    let p = S::mul_add(1.987_569_1e-4, r, 1.398_2e-3);
    let p = S::mul_add(p, r, 8.333_452e-3);
    let p = S::mul_add(p, r, 4.166_579_6e-2);
    let p = S::mul_add(p, r, 0.166_666_66);
    let p = S::mul_add(p, r, 0.5);
    S::mul_add(p * r, r, r) + 1.0
}

/// `2ⁿ` for an integer `n` in `-126..=127` given as `n + ROUND`.
#[inline(always)]
fn power_of_two(n_plus_round: f32) -> f32 {
    f32::from_bits((n_plus_round.to_bits() << 23).wrapping_add(0x3f80_0000))
}

/// `eˣ`, within 1.5 units in the last place over the whole range, subnormal results included.
#[inline(always)]
pub fn exp<S: Simd>(x: f32) -> f32 {
    // Beyond these the result is 0 or infinity anyway.
    let x = clamp(x, -104.0, 89.0);
    let n = S::mul_add(x, LOG2_E, ROUND) - ROUND;
    let r = S::mul_add(n, -LN2_HIGH, x);
    let r = S::mul_add(n, -LN2_LOW, r);
    // n reaches ±150, too much for one factor; two halves stay in range.
    let half = S::mul_add(n, 0.5, ROUND);
    let rest = n - (half - ROUND) + ROUND;
    exp_near_zero::<S>(r) * power_of_two(half) * power_of_two(rest)
}

/// `2ˣ` for `x ≤ 127`; anything that would be subnormal is 0, so `-∞` gives 0.
#[inline(always)]
pub fn exp2_flushed<S: Simd>(x: f32) -> f32 {
    let clamped = if x < -126.0 { -126.0 } else { x };
    let shifted = clamped + ROUND;
    let n = shifted - ROUND;
    let result = exp_near_zero::<S>((clamped - n) * LN_2) * power_of_two(shifted);
    if x < -126.0 { 0.0 } else { result }
}

/// `1 / (1 + e⁻ˣ)`.
#[inline(always)]
pub fn sigmoid<S: Simd>(x: f32) -> f32 {
    1.0 / (1.0 + exp::<S>(-x))
}

/// The hyperbolic tangent: a polynomial near zero (Cephes), else `1 - 2 / (e²ˣ + 1)`.
#[inline(always)]
pub fn tanh<S: Simd>(x: f32) -> f32 {
    let t = x.abs();
    let s = x * x;
    let p = S::mul_add(-5.704_988_7e-3, s, 2.063_908_8e-2);
    let p = S::mul_add(p, s, -5.373_971_6e-2);
    let p = S::mul_add(p, s, 0.133_314_42);
    let p = S::mul_add(p, s, -0.333_332_8);
    let near = S::mul_add(p * s, x, x);
    let far = 1.0 - 2.0 / (exp::<S>(2.0 * t) + 1.0);
    let far = if x < 0.0 { -far } else { far };
    if t < 0.625 { near } else { far }
}

/// The standard normal distribution function `Φ(x) = erfc(-x/√2) / 2`.
///
/// N. Juffa's `erff`, whose outer branch is `1 - exp(p(|x|))`: below zero that exponential is used
/// by itself, so nothing cancels. Within 2 units in the last place above zero; the relative error
/// grows to 10⁻⁴ at -5, where the value is 3 · 10⁻⁷.
#[inline(always)]
pub fn normal_cdf<S: Simd>(x: f32) -> f32 {
    let a = x * std::f32::consts::FRAC_1_SQRT_2;
    let t = a.abs();
    let s = a * a;

    let r = S::mul_add(-1.728_534_7e-5, t, 3.831_971_3e-4);
    let u = S::mul_add(-3.883_964_4e-3, t, 2.425_462_2e-2);
    let r = S::mul_add(r, s, u);
    let r = S::mul_add(r, t, -0.106_777_88);
    let r = S::mul_add(r, t, -0.634_846_7);
    let r = S::mul_add(r, t, -0.128_717_51);
    let tail = 0.5 * exp::<S>(S::mul_add(r, t, -t)); // erfc(t) / 2
    let outer = if a < 0.0 { tail } else { 1.0 - tail };

    let p = S::mul_add(-5.967_617e-4, s, 4.991_194_2e-3);
    let p = S::mul_add(p, s, -2.676_813_5e-2);
    let p = S::mul_add(p, s, 0.112_819_925);
    let p = S::mul_add(p, s, -0.376_125_34);
    let p = S::mul_add(p, s, 0.128_379_17);
    let inner = S::mul_add(0.5, S::mul_add(p, a, a), 0.5);

    if t > 0.927_734_4 { outer } else { inner }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use super::*;
    use crate::simd::{Kernel, Level, dispatch, level, limit};

    /// The limit on instruction sets is process-wide; tests take turns.
    static TURN: Mutex<()> = Mutex::new(());

    struct Map<F>(F, Vec<f32>);

    trait Function {
        fn apply<S: Simd>(&self, x: f32) -> f32;
    }

    impl<F: Function> Kernel for Map<F> {
        type Output = Vec<f32>;

        #[inline(always)]
        fn run<S: Simd>(self) -> Vec<f32> {
            let Self(f, mut values) = self;
            for x in &mut values {
                *x = f.apply::<S>(*x);
            }
            values
        }
    }

    macro_rules! function {
        ($name:ident, $f:ident) => {
            #[derive(Clone, Copy)]
            struct $name;
            impl Function for $name {
                #[inline(always)]
                fn apply<S: Simd>(&self, x: f32) -> f32 {
                    $f::<S>(x)
                }
            }
        };
    }
    function!(Exp, exp);
    function!(Exp2, exp2_flushed);
    function!(Sigmoid, sigmoid);
    function!(Tanh, tanh);
    function!(NormalCdf, normal_cdf);

    /// Largest error in units in the last place over `from..to`, at every instruction set.
    fn worst<F: Function + Copy>(f: F, truth: impl Fn(f64) -> f64, from: f32, to: f32) -> f64 {
        const STEPS: usize = 200_003;
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let xs: Vec<f32> =
            (0..STEPS).map(|i| from + (to - from) * (i as f32 / STEPS as f32)).collect();
        let mut worst = 0.0f64;
        for set in Level::ALL {
            limit(Some(set));
            if level() != set {
                continue;
            }
            for (&x, y) in xs.iter().zip(dispatch(Map(f, xs.clone()))) {
                let exact = truth(f64::from(x));
                let size = (exact as f32).abs().max(f32::MIN_POSITIVE);
                let unit = f64::from(f32::from_bits(size.to_bits() + 1) - size);
                worst = worst.max((f64::from(y) - exact).abs() / unit);
            }
        }
        limit(None);
        worst
    }

    fn exact_cdf(x: f64) -> f64 {
        0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
    }

    #[test]
    fn functions_are_within_two_units_in_the_last_place() {
        let found = [
            ("exp", worst(Exp, f64::exp, -104.0, 88.7)),
            ("exp near zero", worst(Exp, f64::exp, -1.0, 1.0)),
            ("exp2", worst(Exp2, f64::exp2, -125.9, 127.0)),
            ("sigmoid", worst(Sigmoid, |x| 1.0 / (1.0 + (-x).exp()), -80.0, 80.0)),
            ("tanh", worst(Tanh, f64::tanh, -12.0, 12.0)),
            ("tanh near zero", worst(Tanh, f64::tanh, -0.7, 0.7)),
            ("normal_cdf", worst(NormalCdf, exact_cdf, 0.0, 8.0)),
        ];
        for (name, error) in found {
            assert!(error <= 2.5, "{name}: {error} units");
        }
    }

    #[test]
    fn the_tail_of_the_normal_distribution_does_not_cancel() {
        // 1 + erf(x / √2) in f32 has no correct digit left at -5.
        for (from, to, units) in [(-1.3, 0.0, 8.0), (-5.0, -1.3, 2000.0)] {
            let error = worst(NormalCdf, exact_cdf, from, to);
            assert!(error <= units, "{from}..{to}: {error} units");
        }
    }

    #[test]
    fn ends_of_the_range() {
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        for set in Level::ALL {
            limit(Some(set));
            let xs = [f32::NEG_INFINITY, -1e30, 0.0, 1e30, f32::INFINITY, f32::NAN];
            let of = |f: fn(Vec<f32>) -> Vec<f32>| f(xs.to_vec());
            let y = of(|xs| dispatch(Map(Exp, xs)));
            assert_eq!(y[..5], [0.0, 0.0, 1.0, f32::INFINITY, f32::INFINITY]);
            assert!(y[5].is_nan());
            let y = of(|xs| dispatch(Map(Exp2, xs)));
            assert_eq!(y[..3], [0.0, 0.0, 1.0]);
            assert!(y[5].is_nan());
            let y = of(|xs| dispatch(Map(Sigmoid, xs)));
            assert_eq!(y[..5], [0.0, 0.0, 0.5, 1.0, 1.0]);
            assert!(y[5].is_nan());
            let y = of(|xs| dispatch(Map(Tanh, xs)));
            assert_eq!(y[..5], [-1.0, -1.0, 0.0, 1.0, 1.0]);
            assert!(y[5].is_nan());
            let y = of(|xs| dispatch(Map(NormalCdf, xs)));
            assert_eq!(y[..5], [0.0, 0.0, 0.5, 1.0, 1.0]);
            assert!(y[5].is_nan());
        }
        limit(None);
    }
}
