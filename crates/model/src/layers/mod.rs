//! The layers every family is made of: one linear, one norm, one attention, one MLP, one block.

mod attention;
mod block;
mod embedding;
mod linear;
mod mlp;
mod norm;
mod rope;

pub use attention::{Attention, AttentionContext};
pub use block::DecoderBlock;
pub(crate) use block::dropout;
pub use embedding::Embedding;
pub use linear::Linear;
pub use mlp::Mlp;
pub use norm::Norm;
pub use rope::{RotaryAngles, rotary_frequencies};
