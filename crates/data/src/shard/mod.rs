//! Token shards: one split of one source, tokenized, as a memory-mapped file.
//!
//! [`ShardWriter`] streams a shard to disk, [`TokenShard`] maps one, and [`TokenShards`] shows
//! several as one long sequence. The layout is in [`ShardHeader`].

mod header;
mod reader;
mod set;
mod writer;

pub use header::{ShardHeader, TokenWidth};
pub use reader::TokenShard;
pub(crate) use set::check_weights;
pub use set::{NamedShard, ShardRegion, TokenShards};
pub use writer::{ShardSpec, ShardWriter};
