//! What this crate needs of a tokenizer, so that it depends on no particular one.

use crate::fingerprint::Fingerprint;

/// Any error, boxed: what a [`TextEncoder`] of another crate may fail with.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Text to token ids, from several threads at once.
pub trait TextEncoder: Send + Sync {
    /// Token ids of `text`, without special tokens around it.
    fn encode_ids(&self, text: &str) -> Result<Vec<u32>, BoxError>;

    /// Number of ids; every id is smaller.
    fn vocab_size(&self) -> usize;

    /// Identifies the vocabulary and rules: two encoders with the same fingerprint give the same
    /// ids. Shards carry it and refuse any other.
    fn fingerprint(&self) -> String;

    /// The token put after each document, if the vocabulary has one.
    fn separator_id(&self) -> Option<u32>;
}

impl TextEncoder for wuji_tokenizer::Tokenizer {
    fn encode_ids(&self, text: &str) -> Result<Vec<u32>, BoxError> {
        Ok(Self::encode_ids(self, text)?)
    }

    fn vocab_size(&self) -> usize {
        Self::vocab_size(self)
    }

    fn fingerprint(&self) -> String {
        Self::fingerprint(self)
    }

    fn separator_id(&self) -> Option<u32> {
        self.eos_token_id()
    }
}

/// One token per byte: the simplest tokenizer there is, and the test double of this trait.
#[derive(Clone, Copy, Debug, Default)]
pub struct ByteEncoder {
    /// Whether documents end with token 256.
    pub separator: bool,
}

impl TextEncoder for ByteEncoder {
    fn encode_ids(&self, text: &str) -> Result<Vec<u32>, BoxError> {
        Ok(text.bytes().map(u32::from).collect())
    }

    fn vocab_size(&self) -> usize {
        256 + usize::from(self.separator)
    }

    fn fingerprint(&self) -> String {
        Fingerprint::of_parts([b"bytes".as_slice(), &[u8::from(self.separator)]]).to_string()
    }

    fn separator_id(&self) -> Option<u32> {
        self.separator.then_some(256)
    }
}
