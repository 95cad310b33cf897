//! One shard, memory-mapped: opening costs a checksum pass, reading costs a copy of what is read.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use memmap2::Mmap;
use xxhash_rust::xxh3::Xxh3;

use super::header::{ShardHeader, TokenWidth, u64_at};
use crate::dataset::DataSource;
use crate::error::{DataError, Result};
use crate::fingerprint::Fingerprint;

/// A complete, verified shard on disk.
#[derive(Debug)]
pub struct TokenShard {
    path: PathBuf,
    header: ShardHeader,
    map: Mmap,
}

impl TokenShard {
    /// Opens a shard that was written with the tokenizer of this fingerprint, and verifies it
    /// against its checksum. Reads the file once, in pieces.
    pub fn open(path: &Path, tokenizer_fingerprint: &str) -> Result<Self> {
        let header = ShardHeader::read(path)?;
        if header.tokenizer_fingerprint != tokenizer_fingerprint {
            return Err(DataError::WrongTokenizer {
                path: path.to_path_buf(),
                expected: tokenizer_fingerprint.to_owned(),
                found: header.tokenizer_fingerprint,
            });
        }
        let file = File::open(path).map_err(|source| DataError::io("open", path, source))?;
        verify(&file, &header, path)?;
        let map = map(&file, path)?;
        // Facts for everything below, were the file exchanged between the reads above.
        if map.len() as u64 != header.file_bytes() {
            return Err(DataError::TruncatedShard {
                path: path.to_path_buf(),
                expected: header.file_bytes(),
                found: map.len() as u64,
            });
        }
        Ok(Self { path: path.to_path_buf(), header, map })
    }

    /// Where the shard lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the shard says about itself.
    pub fn header(&self) -> &ShardHeader {
        &self.header
    }

    /// Copies the tokens from index `start` on into `tokens`.
    ///
    /// # Panics
    /// If the range does not lie inside the shard.
    pub fn read(&self, start: u64, tokens: &mut [u32]) {
        let width = self.header.token_width.bytes();
        let from = (self.header.tokens_offset() + start * width as u64) as usize;
        assert!(
            start + tokens.len() as u64 <= self.header.token_count,
            "tokens {start}..+{} of a shard of {}",
            tokens.len(),
            self.header.token_count
        );
        let bytes = &self.map[from..from + tokens.len() * width];
        match self.header.token_width {
            TokenWidth::U16 => {
                for (token, pair) in tokens.iter_mut().zip(bytes.as_chunks().0) {
                    *token = u32::from(u16::from_le_bytes(*pair));
                }
            }
            TokenWidth::U32 => {
                for (token, four) in tokens.iter_mut().zip(bytes.as_chunks().0) {
                    *token = u32::from_le_bytes(*four);
                }
            }
        }
    }

    /// Index of the first token of a document; the number of tokens for one past the last.
    pub fn document_start(&self, document: u64) -> u64 {
        if document >= self.header.document_count {
            return self.header.token_count;
        }
        u64_at(&self.map, (self.header.documents_offset() + document * 8) as usize)
    }

    /// The document that holds token `token`. A document without any token holds none.
    pub fn document_of(&self, token: u64) -> u64 {
        let (mut low, mut high) = (0, self.header.document_count);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.document_start(middle) <= token {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low.saturating_sub(1)
    }
}

/// The documents of a shard, each as its tokens with the separator.
impl DataSource for TokenShard {
    type Item = Vec<u32>;

    fn len(&self) -> usize {
        self.header.document_count as usize
    }

    fn get(&self, i: usize) -> Result<Vec<u32>> {
        if i as u64 >= self.header.document_count {
            return Err(DataError::OutOfRange {
                what: "document",
                index: i as u64,
                len: self.header.document_count,
            });
        }
        let start = self.document_start(i as u64);
        let end = self.document_start(i as u64 + 1);
        let mut tokens = vec![0; (end - start) as usize];
        self.read(start, &mut tokens);
        Ok(tokens)
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.header.encode())
    }
}

/// Compares the content with the checksum through ordinary reads: touching the map instead would
/// count the whole file as this process's memory.
fn verify(file: &File, header: &ShardHeader, path: &Path) -> Result<()> {
    let failed = |source| DataError::io("read", path, source);
    let mut reader = BufReader::with_capacity(1 << 18, file);
    reader.seek(SeekFrom::Start(header.tokens_offset())).map_err(failed)?;
    let mut hasher = Xxh3::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        let count = reader.read(&mut buffer).map_err(failed)?;
        if count == 0 {
            break;
        }
        hasher.update(&buffer[..count]);
    }
    let found = hasher.digest();
    if found == header.checksum {
        return Ok(());
    }
    Err(DataError::CorruptShard {
        path: path.to_path_buf(),
        what: format!("checksum {found:016x}, expected {:016x}", header.checksum),
    })
}

#[expect(unsafe_code, reason = "mapping a file is unsafe: see the comment inside")]
fn map(file: &File, path: &Path) -> Result<Mmap> {
    // SAFETY: the map is read as plain bytes, for which every bit pattern is valid. Shards are
    // replaced by renaming, never changed in place, so what is mapped stays as it was verified;
    // a user who truncates a shard during a run ends that run with a bus error.
    unsafe { Mmap::map(file) }.map_err(|source| DataError::io("map", path, source))
}
