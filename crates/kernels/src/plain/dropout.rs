//! Dropout as burn has it.

use burn::tensor::{Distribution, Tensor};

/// `x · mask / (1 - rate)` with a mask of ones that are zeroes with probability `rate`.
pub fn dropout<const D: usize>(x: Tensor<D>, rate: f64) -> Tensor<D> {
    let keep = 1.0 - rate;
    let mask = x.random_like(Distribution::Bernoulli(keep)) * (1.0 / keep);
    x * mask
}
