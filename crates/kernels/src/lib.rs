//! Fused tensor operations with hand-written gradients.
//!
//! Every function here takes and returns ordinary [`burn::tensor::Tensor`]s on any device, with or
//! without autodiff, and means the same everywhere: the body in [`plain`] *is* the definition, and
//! a fused implementation may only be faster. This crate decides nothing about models or training;
//! it is the one place in the workspace where code is written per backend and where `unsafe` is
//! allowed.

mod activation;
mod attention;
mod embedding;
mod linear;
mod loss;
mod normalization;
mod optimizer;
mod rotary;

#[cfg(feature = "mimalloc")]
pub mod allocator;
mod fused;
pub mod plain;
pub mod simd;

pub use activation::{gelu, gelu_tanh, silu_mul, silu_mul_packed};
pub use attention::{AttentionOptions, attention, attention_packed};
pub use embedding::embedding;
pub use linear::linear;
pub use loss::{IGNORED_TARGET, cross_entropy_sum};
pub use normalization::{layer_norm, rms_norm};
pub use optimizer::{AdamWStep, adamw_step, squared_norm};
pub use rotary::{rotary, rotary_packed};
