//! The GGUF container (llama.cpp): a header with key–value metadata and a table of tensors, read and written.
//!
//! What the keys of a tokenizer mean is here and in `load/gguf.rs`; what tensors hold, and what the keys of an
//! architecture mean, is left to `wuji-model`. Integers are little-endian; version 3 is written, 2 and 3 are read.
//!
//! Reference: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>.

mod describe;
mod describe_scored;
mod header;
mod metadata;
mod reader;

pub use header::{Header, TensorInfo, write_header};
pub use metadata::{Metadata, Value};
pub use reader::Malformed;

use reader::Reader;
