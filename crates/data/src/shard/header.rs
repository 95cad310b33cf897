//! The first bytes of a shard: what is in it, and how to notice when something else is.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use xxhash_rust::xxh3::Xxh3;

use crate::error::{DataError, Result};

pub(super) const MAGIC: &[u8; 8] = b"WUJITOKS";
const VERSION: u32 = 1;
const FIXED_BYTES: usize = 72;
/// Longer than any digest, short enough that a damaged length cannot ask for gigabytes.
pub(super) const MAX_FINGERPRINT_BYTES: usize = 1024;

/// How many bytes one token takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenWidth {
    /// Two bytes: vocabularies of up to 65 536.
    U16,
    /// Four bytes.
    U32,
}

impl TokenWidth {
    /// The narrowest width that holds every id of a vocabulary.
    pub fn for_vocab(vocab_size: usize) -> Self {
        if vocab_size <= 1 << 16 { Self::U16 } else { Self::U32 }
    }

    /// Bytes per token.
    pub fn bytes(self) -> usize {
        match self {
            Self::U16 => 2,
            Self::U32 => 4,
        }
    }
}

/// What a shard says about itself. The file:
///
/// All integers are little-endian.
///
/// | offset | type | field |
/// |---:|---|---|
/// | 0 | 8 bytes | magic `WUJITOKS` |
/// | 8 | u32 | format version |
/// | 12 | u32 | bytes per token: 2 or 4 |
/// | 16 | u64 | vocabulary size |
/// | 24 | u64 | number of tokens |
/// | 32 | u64 | number of documents |
/// | 40 | u64 | bytes of source text |
/// | 48 | u64 | XXH3-64 of everything from the first token to the end of the file |
/// | 56 | u64 | length of the tokenizer fingerprint |
/// | 64 | u64 | XXH3-64 of bytes 0–63 followed by the fingerprint |
/// | 72 | text | tokenizer fingerprint, zero-padded to a multiple of 64 |
/// | | u16 or u32 each | tokens, zero-padded to a multiple of 8 |
/// | | u64 each | index of the first token of each document |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardHeader {
    /// Bytes per token.
    pub token_width: TokenWidth,
    /// Vocabulary size of the tokenizer.
    pub vocab_size: u64,
    /// Number of tokens.
    pub token_count: u64,
    /// Number of documents.
    pub document_count: u64,
    /// Bytes of the text that the tokens stand for; separators stand for none.
    pub source_bytes: u64,
    /// XXH3-64 of tokens and document boundaries.
    pub checksum: u64,
    /// Fingerprint of the tokenizer.
    pub tokenizer_fingerprint: String,
}

impl ShardHeader {
    /// Reads and checks the header of the shard at `path`, and that the file has the length that
    /// it implies.
    pub fn read(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|source| DataError::io("open", path, source))?;
        let size = file.metadata().map_err(|source| DataError::io("read", path, source))?.len();
        let mut bytes = Vec::new();
        file.take((FIXED_BYTES + MAX_FINGERPRINT_BYTES) as u64)
            .read_to_end(&mut bytes)
            .map_err(|source| DataError::io("read", path, source))?;
        let header = Self::decode(&bytes, path, size)?;
        if header.file_bytes() != size {
            return Err(DataError::TruncatedShard {
                path: path.to_path_buf(),
                expected: header.file_bytes(),
                found: size,
            });
        }
        Ok(header)
    }

    /// Offset of the first token in the file.
    pub fn tokens_offset(&self) -> u64 {
        (FIXED_BYTES + self.tokenizer_fingerprint.len()).next_multiple_of(64) as u64
    }

    /// Offset of the document boundaries in the file.
    pub fn documents_offset(&self) -> u64 {
        self.token_count
            .saturating_mul(self.token_width.bytes() as u64)
            .saturating_add(self.tokens_offset() + 7)
            & !7
    }

    /// Length of the whole file.
    pub fn file_bytes(&self) -> u64 {
        self.document_count.saturating_mul(8).saturating_add(self.documents_offset())
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let fingerprint = self.tokenizer_fingerprint.as_bytes();
        let mut bytes = Vec::with_capacity(self.tokens_offset() as usize);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&(self.token_width.bytes() as u32).to_le_bytes());
        for field in [
            self.vocab_size,
            self.token_count,
            self.document_count,
            self.source_bytes,
            self.checksum,
            fingerprint.len() as u64,
        ] {
            bytes.extend_from_slice(&field.to_le_bytes());
        }
        let checksum = header_checksum(&bytes, fingerprint);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        bytes.extend_from_slice(fingerprint);
        bytes.resize(self.tokens_offset() as usize, 0);
        bytes
    }

    fn decode(bytes: &[u8], path: &Path, size: u64) -> Result<Self> {
        let not_a_shard = |found: String| DataError::NotAShard { path: path.to_path_buf(), found };
        if bytes.is_empty() {
            return Err(DataError::EmptyFile { path: path.to_path_buf() });
        }
        if !MAGIC.starts_with(&bytes[..bytes.len().min(8)]) {
            return Err(not_a_shard("it does not begin with WUJITOKS".to_owned()));
        }
        let truncated = |expected: usize| DataError::TruncatedShard {
            path: path.to_path_buf(),
            expected: expected as u64,
            found: size,
        };
        if bytes.len() < FIXED_BYTES {
            return Err(truncated(FIXED_BYTES));
        }
        let version = u32_at(bytes, 8);
        if version != VERSION {
            return Err(not_a_shard(format!("format version {version}, expected {VERSION}")));
        }
        let fingerprint_bytes = u64_at(bytes, 56);
        let corrupt = |what: &str| DataError::CorruptShard {
            path: path.to_path_buf(),
            what: what.to_owned(),
        };
        if fingerprint_bytes > MAX_FINGERPRINT_BYTES as u64 {
            return Err(corrupt("the header has an impossible fingerprint length"));
        }
        let end = FIXED_BYTES + fingerprint_bytes as usize;
        let fingerprint = bytes.get(FIXED_BYTES..end).ok_or_else(|| truncated(end))?;
        if header_checksum(&bytes[..64], fingerprint) != u64_at(bytes, 64) {
            return Err(corrupt("the header does not match its checksum"));
        }
        let token_width = match u32_at(bytes, 12) {
            2 => TokenWidth::U16,
            4 => TokenWidth::U32,
            other => return Err(not_a_shard(format!("{other} bytes per token"))),
        };
        Ok(Self {
            token_width,
            vocab_size: u64_at(bytes, 16),
            token_count: u64_at(bytes, 24),
            document_count: u64_at(bytes, 32),
            source_bytes: u64_at(bytes, 40),
            checksum: u64_at(bytes, 48),
            tokenizer_fingerprint: String::from_utf8(fingerprint.to_vec())
                .map_err(|_| corrupt("the tokenizer fingerprint is not text"))?,
        })
    }
}

fn header_checksum(fixed: &[u8], fingerprint: &[u8]) -> u64 {
    let mut hasher = Xxh3::new();
    hasher.update(fixed);
    hasher.update(fingerprint);
    hasher.digest()
}

fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    let mut field = [0; 4];
    field.copy_from_slice(&bytes[offset..offset + 4]);
    u32::from_le_bytes(field)
}

pub(super) fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    let mut field = [0; 8];
    field.copy_from_slice(&bytes[offset..offset + 8]);
    u64::from_le_bytes(field)
}
