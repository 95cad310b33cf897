//! The fused implementations for the Flex backend.
//!
//! One file per operation: the trait that registers it with burn's dispatch, its Flex body, and
//! its gradient as a step of burn-autodiff. [`applies`] says when they may be used; everything else
//! goes to [`crate::plain`].

pub mod activation;
pub mod additive;
pub mod attention;
mod bf16;
pub mod dropout;
pub mod embedding;
mod gemm;
mod gemv;
pub mod head_norm;
pub mod linear;
pub mod linear_loss;
pub mod loss;
mod memory;
pub mod muon;
pub mod normalization;
pub mod optimizer;
pub mod quantized;
pub mod recurrence;
pub mod rotary;
pub mod swiglu;

use burn::backend::DispatchDevice;
use burn::tensor::{DType, Device, Tensor};
use rayon::prelude::*;

/// Whether a fused implementation exists for this tensor: it is on Flex and holds `f32`.
pub fn applies<const D: usize>(tensor: &Tensor<D>) -> bool {
    is_flex(&tensor.device()) && tensor.dtype() == DType::F32
}

/// Whether this is the Flex backend, with or without autodiff.
pub fn is_flex(device: &Device) -> bool {
    let device = device.clone().without_autodiff();
    matches!(device.as_dispatch(), DispatchDevice::Flex(_))
}

/// Applies `f` to each item, spread over the threads; the results keep the order.
pub fn in_parallel<T: Send, R: Send>(items: Vec<T>, f: impl Fn(T) -> R + Sync + Send) -> Vec<R> {
    items.into_par_iter().map(f).collect()
}
