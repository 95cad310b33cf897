//! The fused implementations for the Flex backend.
//!
//! One file per operation: the trait that registers it with burn's dispatch, its Flex body, and
//! its gradient as a step of burn-autodiff. [`applies`] says when they may be used; everything else
//! goes to [`crate::plain`].

pub mod activation;
pub mod additive;
pub mod attention;
pub mod dropout;
pub mod embedding;
mod gemm;
pub mod head_norm;
pub mod linear;
pub mod loss;
mod memory;
pub mod muon;
pub mod normalization;
pub mod optimizer;
pub mod recurrence;
pub mod rotary;
pub mod swiglu;

use burn::backend::DispatchDevice;
use burn::tensor::{DType, Tensor};
use rayon::prelude::*;

/// Whether a fused implementation exists for this tensor: it is on Flex and holds `f32`.
pub fn applies<const D: usize>(tensor: &Tensor<D>) -> bool {
    let device = tensor.device().without_autodiff();
    matches!(device.as_dispatch(), DispatchDevice::Flex(_)) && tensor.dtype() == DType::F32
}

/// Applies `f` to each item, spread over the threads; the results keep the order.
pub fn in_parallel<T: Send, R: Send>(items: Vec<T>, f: impl Fn(T) -> R + Sync + Send) -> Vec<R> {
    items.into_par_iter().map(f).collect()
}
