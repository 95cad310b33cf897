//! Fused tensor operations with hand-written gradients.
//!
//! Every function here takes and returns ordinary [`burn::tensor::Tensor`]s on any device, with or
//! without autodiff, and means the same everywhere: the body in [`plain`] *is* the definition, and
//! a fused implementation may only be faster. This crate decides nothing about models or training;
//! it is the one place in the workspace where code is written per backend and where `unsafe` is
//! allowed.
//!
//! Fused today: everything, for `f32` on the Flex backend. Other backends and element types run
//! the plain bodies. The fused bodies are compiled for AVX-512, AVX2 and the target's baseline, and
//! the best one is chosen at run time ([`simd`]); there are no hand-written NEON products yet.
//!
//! Invariant: results do not depend on the number of threads. Work is cut into pieces of fixed
//! size, and sums over pieces are taken in order.
//!
//! ```
//! use burn::tensor::{Device, Distribution, Tensor};
//! use wuji_kernels::{AttentionOptions, attention_packed, linear};
//!
//! // Two heads of width 8 over one sequence of five tokens, with a gradient for the weight.
//! let device = Device::flex().autodiff();
//! let hidden = Tensor::<3>::random([1, 5, 16], Distribution::Normal(0.0, 1.0), &device);
//! let weight = Tensor::<2>::random([16, 48], Distribution::Normal(0.0, 0.2), &device);
//! let weight = weight.require_grad();
//! let qkv = linear(hidden, weight.clone(), None);
//! let attended = attention_packed(qkv, 2, 2, None, None, &AttentionOptions::causal());
//! assert_eq!(attended.dims(), [1, 5, 16]);
//! let gradients = attended.sum().backward();
//! assert_eq!(weight.grad(&gradients).map(|g| g.dims()), Some([16, 48]));
//! ```

mod activation;
mod additive;
mod attention;
mod dropout;
mod embedding;
mod head_norm;
mod linear;
mod loss;
mod muon;
mod normalization;
mod optimizer;
mod precision;
mod quantized;
mod recurrence;
mod rotary;

#[cfg(feature = "mimalloc")]
pub mod allocator;
mod fused;
pub mod plain;
pub mod simd;

pub use activation::{gelu, gelu_tanh, silu_mul, silu_mul_packed};
pub use additive::additive_scores;
pub use attention::{
    AttentionOptions, attention, attention_packed, attention_probabilities, weighted_values,
};
pub use dropout::dropout;
pub use embedding::embedding;
pub use head_norm::head_norm_packed;
pub use linear::linear;
pub use loss::{CrossEntropy, IGNORED_TARGET, cross_entropy_sum, linear_cross_entropy_sum};
pub use muon::{MuonMatrix, MuonStep, muon_step};
pub use normalization::{layer_norm, rms_norm};
pub use optimizer::{AdamWStep, adamw_step, squared_norm};
pub use precision::Precision;
pub use quantized::{Int8Weight, linear_int8};
pub use recurrence::{Nonlinearity, RecurrentCell, recurrence, time_steps};
pub use rotary::{rotary, rotary_packed};
