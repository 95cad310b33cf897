//! The layers every family is made of: one linear, one norm, one attention, one MLP, one block.

mod attention;
mod block;
mod embedding;
mod experts;
mod linear;
mod mlp;
mod norm;
mod positions;
mod rope;

pub use attention::{Attention, AttentionContext, CrossAttentions, Memory};
pub use block::Block;
pub(crate) use block::dropout;
pub use embedding::Embedding;
pub use experts::{MixtureOfExperts, RouterLogits, load_balancing_loss};
pub use linear::Linear;
pub use mlp::Mlp;
pub(crate) use mlp::activate;
pub use norm::Norm;
pub use positions::{relative_buckets, sinusoids};
pub use rope::{RotaryAngles, RotaryPairs, rotary_frequencies, rotary_order};
