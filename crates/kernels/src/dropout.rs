//! Dropout.

use burn::backend::Dispatch;
use burn::tensor::{Distribution, Int, Tensor};

use crate::fused::dropout::{DropoutMask, DropoutOps};
use crate::{fused, plain};

/// Zeroes each value with probability `rate` and scales the rest by `1 / (1 - rate)`
/// (Srivastava et al. 2014).
///
/// Which values those are is decided by the generator of the device, so by its seed; another
/// backend draws others.
///
/// # Panics
/// Unless `0 <= rate < 1`.
pub fn dropout<const D: usize>(x: Tensor<D>, rate: f64) -> Tensor<D> {
    assert!((0.0..1.0).contains(&rate), "dropout: the rate {rate} is outside 0..1");
    if !fused::applies(&x) {
        return plain::dropout(x, rate);
    }
    let mask = DropoutMask::new(draw_key(&x), rate);
    Tensor::from_dispatch(Dispatch::fused_dropout(x.into_dispatch(), mask))
}

/// Sixty-four bits from the device's generator: all that the fused mask needs to be drawn.
fn draw_key<const D: usize>(x: &Tensor<D>) -> [u32; 2] {
    let device = x.device().without_autodiff();
    let bits = Distribution::Uniform(0.0, f64::from(u16::MAX) + 1.0);
    let drawn = Tensor::<1, Int>::random([4], bits, &device).into_data();
    let drawn: Vec<u32> = drawn.iter::<i64>().map(|bits| bits as u32 & 0xffff).collect();
    [drawn[0] << 16 | drawn[1], drawn[2] << 16 | drawn[3]]
}
