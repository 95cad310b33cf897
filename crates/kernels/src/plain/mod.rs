//! Each operation written in ordinary burn operations.
//!
//! These bodies define what the crate computes. They serve every backend and element type that has
//! no fused implementation, and the tests compare the fused implementations with them.

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
mod recurrence;
mod rotary;

pub use activation::{gelu, gelu_tanh, silu_mul};
pub use additive::additive_scores;
pub use attention::{attention, attention_probabilities, weighted_values};
pub use dropout::dropout;
pub use embedding::embedding;
pub use head_norm::head_norm_packed;
pub use linear::linear;
pub use loss::cross_entropy_sum;
pub use muon::muon_step;
pub use normalization::{layer_norm, rms_norm};
pub use optimizer::{adamw_step, squared_norm};
pub use recurrence::recurrence;
pub use rotary::rotary;
