//! Text to token ids with byte offsets and back: training, loading and saving tokenizers.
#![doc = ""]

mod batch;
mod decode_stream;
mod encoding;
mod info;
mod kind;
mod special_tokens;
mod tokenizer;

mod split_pattern;
mod train;

mod load;
mod save;

mod byte_level;
mod characters;
mod charsmap;
mod fingerprint;
mod ordinary;
mod pipeline;

mod error;

pub use batch::{BatchConfig, BatchEncoder, PaddedBatch, Side};
pub use decode_stream::DecodeStream;
pub use encoding::Encoding;
pub use error::TokenizerError;
pub use info::TokenizerInfo;
pub use kind::TokenizerKind;
pub use split_pattern::SplitPattern;
pub use tokenizer::Tokenizer;
pub use train::{TieBreak, TokenizerTrainerConfig, TrainingReport};
