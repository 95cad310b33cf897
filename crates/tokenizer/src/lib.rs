//! Text to token ids with byte offsets and back: training, loading and saving tokenizers.
//!
//! A [`Tokenizer`] is trained on texts or loaded from a file of the field's own formats, and saved as Hugging Face's
//! `tokenizer.json`. Underneath is the pipeline of the `tokenizers` crate: normaliser → pre-tokeniser → model →
//! template, with added tokens and a decoder. Every format that is read becomes a `tokenizer.json` first, so that what
//! runs is what is saved.
//!
//! ```
//! use wuji_tokenizer::{Tokenizer, TokenizerKind, TokenizerTrainerConfig};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Byte pair encoding over bytes: `<|endoftext|>`, the 256 bytes, and what the corpus gives.
//! let corpus = ["the cat sat on the mat", "the cat ate the rat"];
//! let config = TokenizerTrainerConfig::new(TokenizerKind::ByteLevelBpe, 300);
//! let tokenizer = Tokenizer::train(&config, corpus.iter().map(|text| text.to_string()))?;
//!
//! let encoding = tokenizer.encode("the cat 你", false)?;
//! assert_eq!(encoding.tokens[..2], ["the", "Ġcat"]);
//! assert_eq!(encoding.offsets[..2], [(0, 3), (3, 7)]);
//! assert_eq!(encoding.offsets.last(), Some(&(8, 11))); // bytes: 你 has three
//! assert_eq!(tokenizer.decode(&encoding.ids, true)?, "the cat 你");
//!
//! // Saved and loaded, it is the same tokenizer.
//! let directory = tempfile::tempdir()?;
//! tokenizer.save(directory.path())?;
//! let loaded = Tokenizer::load(directory.path())?;
//! assert_eq!(loaded.fingerprint(), tokenizer.fingerprint());
//!
//! // Ids that arrive one by one become text as soon as it is complete.
//! let mut stream = loaded.decode_stream(true);
//! let mut text = String::new();
//! for id in encoding.ids {
//!     text.extend(stream.push(id)?);
//! }
//! text.extend(stream.finish()?);
//! assert_eq!(text, "the cat 你");
//! # Ok(())
//! # }
//! ```
//!
//! Invariant: offsets are byte offsets into the text as it was given, on character boundaries.
//!
//! Invariant: training depends on the configuration and the texts alone, not on threads, chance or the machine.
//!
//! Invariant: equal fingerprints mean equal ids for every text.
//!
//! What it leaves to others: where texts come from (`wuji-data`), what ids mean (`wuji-model`), and the command line.

// What a tokenizer is and does.
mod encode;
mod encoding;
mod inspect;
mod tokenizer;

// Around it: streams, rectangles, summaries.
mod batch;
mod decode_stream;
mod info;
mod kind;
mod special_tokens;

// Where it comes from and where it goes.
pub mod gguf;
mod load;
mod save;
mod split_pattern;
mod train;

// What these stand on.
mod byte_level;
mod byte_pieces;
mod characters;
mod charsmap;
mod error;
mod fingerprint;
mod ordinary;
mod pipeline;

pub use batch::{BatchConfig, BatchEncoder, PaddedBatch, Side};
pub use decode_stream::DecodeStream;
pub use encoding::Encoding;
pub use error::TokenizerError;
pub use info::TokenizerInfo;
pub use inspect::PreToken;
pub use kind::TokenizerKind;
pub use split_pattern::SplitPattern;
pub use tokenizer::Tokenizer;
pub use train::{TieBreak, TokenizerTrainerConfig, TrainingReport};
