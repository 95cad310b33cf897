//! Writes a shard as a stream: memory stays flat however long the text is, and the file appears
//! under its name only when it is complete.

use std::fmt;
use std::fs::{File, Permissions};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use xxhash_rust::xxh3::Xxh3;

use super::header::{MAX_FINGERPRINT_BYTES, ShardHeader, TokenWidth};
use crate::error::{DataError, Result};

/// What is known of a shard before its first token.
#[derive(Clone, Debug)]
pub struct ShardSpec {
    /// Vocabulary size; decides between two and four bytes per token.
    pub vocab_size: usize,
    /// Fingerprint of the tokenizer.
    pub tokenizer_fingerprint: String,
}

/// A shard being written. Dropping it before [`finish`](Self::finish) leaves no file.
pub struct ShardWriter {
    path: PathBuf,
    tokens: BufWriter<NamedTempFile>,
    /// Boundaries wait in a file of their own, because tokens come first in the shard and a
    /// corpus of short lines has too many documents to hold in memory.
    documents: BufWriter<File>,
    hasher: Xxh3,
    header: ShardHeader,
    scratch: Vec<u8>,
}

impl ShardWriter {
    /// Starts a shard that will be at `path`; temporary files lie in the same directory.
    pub fn create(path: &Path, spec: ShardSpec) -> Result<Self> {
        if spec.tokenizer_fingerprint.len() > MAX_FINGERPRINT_BYTES {
            return Err(DataError::InvalidOption {
                key: "tokenizer fingerprint".to_owned(),
                reason: format!(
                    "{} bytes, expected at most {MAX_FINGERPRINT_BYTES}",
                    spec.tokenizer_fingerprint.len()
                ),
            });
        }
        let failed = |source| DataError::io("create", path, source);
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let header = ShardHeader {
            token_width: TokenWidth::for_vocab(spec.vocab_size),
            vocab_size: spec.vocab_size as u64,
            token_count: 0,
            document_count: 0,
            source_bytes: 0,
            checksum: 0,
            tokenizer_fingerprint: spec.tokenizer_fingerprint,
        };
        let mut tokens = BufWriter::new(temporary_file(directory).map_err(failed)?);
        tokens.write_all(&header.encode()).map_err(failed)?;
        let documents = BufWriter::new(tempfile::tempfile_in(directory).map_err(failed)?);
        Ok(Self {
            path: path.to_path_buf(),
            tokens,
            documents,
            hasher: Xxh3::new(),
            header,
            scratch: Vec::new(),
        })
    }

    /// The next token begins a new document.
    pub fn begin_document(&mut self) -> Result<()> {
        let start = self.header.token_count.to_le_bytes();
        self.documents
            .write_all(&start)
            .map_err(|source| DataError::io("write", &self.path, source))?;
        self.header.document_count += 1;
        Ok(())
    }

    /// Appends tokens that stand for `source_bytes` bytes of text. Tokens before any
    /// [`begin_document`](Self::begin_document) begin the first one: every token has a document.
    pub fn push(&mut self, tokens: &[u32], source_bytes: u64) -> Result<()> {
        if self.header.document_count == 0 {
            self.begin_document()?;
        }
        if let Some(&id) = tokens.iter().find(|&&id| u64::from(id) >= self.header.vocab_size) {
            return Err(DataError::TokenOutOfRange {
                path: self.path.clone(),
                id,
                vocab_size: self.header.vocab_size as usize,
            });
        }
        self.scratch.clear();
        match self.header.token_width {
            // The check above and `TokenWidth::for_vocab` leave no id that two bytes cannot hold.
            TokenWidth::U16 => {
                self.scratch.extend(tokens.iter().flat_map(|&id| (id as u16).to_le_bytes()));
            }
            TokenWidth::U32 => {
                self.scratch.extend(tokens.iter().flat_map(|&id| id.to_le_bytes()));
            }
        }
        self.hasher.update(&self.scratch);
        self.tokens
            .write_all(&self.scratch)
            .map_err(|source| DataError::io("write", &self.path, source))?;
        self.header.token_count += tokens.len() as u64;
        self.header.source_bytes += source_bytes;
        Ok(())
    }

    /// Completes the shard and puts it under its name.
    pub fn finish(self) -> Result<ShardHeader> {
        let path = self.path.clone();
        self.complete().map_err(|source| DataError::io("write", &path, source))
    }

    fn complete(mut self) -> io::Result<ShardHeader> {
        let tokens_end = self.header.token_count * self.header.token_width.bytes() as u64;
        let padding = self.header.documents_offset() - self.header.tokens_offset() - tokens_end;
        let padding = &[0; 8][..padding as usize];
        self.hasher.update(padding);
        self.tokens.write_all(padding)?;
        self.append_documents()?;

        self.header.checksum = self.hasher.digest();
        let mut file = self.tokens.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&self.header.encode())?;
        // Without this a power cut after the rename could leave a complete name on missing data.
        file.as_file().sync_all()?;
        file.persist(&self.path).map_err(|failure| failure.error)?;
        Ok(self.header)
    }

    fn append_documents(&mut self) -> io::Result<()> {
        self.documents.flush()?;
        let documents = self.documents.get_mut();
        documents.seek(SeekFrom::Start(0))?;
        let mut buffer = vec![0; 1 << 16];
        loop {
            let count = documents.read(&mut buffer)?;
            if count == 0 {
                return Ok(());
            }
            self.hasher.update(&buffer[..count]);
            self.tokens.write_all(&buffer[..count])?;
        }
    }
}

impl fmt::Debug for ShardWriter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ShardWriter")
            .field("path", &self.path)
            .field("header", &self.header)
            .finish_non_exhaustive()
    }
}

/// A temporary file that, once renamed, has the permissions of any other new file.
fn temporary_file(directory: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".shard-").suffix(".tmp");
    if let Some(permissions) = ordinary_permissions() {
        builder.permissions(permissions);
    }
    builder.tempfile_in(directory)
}

#[cfg(unix)]
fn ordinary_permissions() -> Option<Permissions> {
    use std::os::unix::fs::PermissionsExt;
    Some(Permissions::from_mode(0o666)) // less the user's umask
}

#[cfg(not(unix))]
fn ordinary_permissions() -> Option<Permissions> {
    None
}
