//! The machine's own f32 matrix-product rate, against which a run's rate is put.

use std::time::Instant;

use burn::tensor::{Device, Distribution, Tensor};

/// Side of the square matrices: large enough to be bound by arithmetic, small enough for a second.
const SIDE: usize = 1024;
const ROUNDS: usize = 5;

/// Floating-point operations per second of an f32 matrix product on `device`, the best of a few
/// rounds (other work on the machine can only slow a round down).
pub fn measure_matmul_peak(device: &Device) -> f64 {
    let random = || Tensor::<2>::random([SIDE, SIDE], Distribution::Default, device);
    let (a, b) = (random(), random());
    let flops = 2.0 * (SIDE as f64).powi(3);
    (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            let product = a.clone().matmul(b.clone());
            // Reading one value waits for devices that compute in the background.
            let _: f32 = product.slice([0..1, 0..1]).into_scalar();
            flops / start.elapsed().as_secs_f64()
        })
        .fold(0.0, f64::max)
}
