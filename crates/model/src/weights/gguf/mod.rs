//! Llama-family models in GGUF files (llama.cpp), read as a Hugging Face config and tensors, and written from them.
//!
//! The container — header, metadata, table of tensors — is `wuji-tokenizer`'s, which reads vocabularies from the same
//! files. Here is what it means for a model: block formats, tensor names, the keys of an architecture, and the row
//! order of queries and keys.
//!
//! Reference: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>; block layouts are those of
//! `ggml-common.h` and are checked against the `gguf` package's numbers.

mod block_type;
mod config;
mod dequantise;
mod k_quants;
mod metadata;
mod names;
mod quantise;
mod read;
mod rope_factors;
mod write;

pub(super) use config::read_config;
pub(super) use read::{Blocks, open};
pub use write::{GgufDtype, write_gguf};

/// The name of this format in messages.
const FORMAT: &str = "GGUF";
