//! The keys of an architecture in a GGUF file, with errors that name the key.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use wuji_tokenizer::gguf::{Header, Metadata, TensorInfo};

use super::FORMAT;
use super::block_type::BlockType;
use super::read::{Blocks, RowOrder};
use crate::ModelError;

/// Architectures that are a Llama with at most biases and norms of queries and keys.
pub(super) const ARCHITECTURES: [&str; 3] = ["llama", "qwen2", "qwen3"];

/// A file's header, of which the architecture is one that is read.
#[derive(Debug)]
pub(super) struct GgufFile {
    pub(super) path: Arc<Path>,
    pub(super) header: Header,
    pub(super) architecture: String,
    bytes: u64,
}

impl GgufFile {
    pub(super) fn open(path: &Path) -> Result<Self, ModelError> {
        let io = |source| ModelError::io("reading", path, source);
        let file = File::open(path).map_err(io)?;
        let bytes = file.metadata().map_err(io)?.len();
        let keep = |key: &str| !key.starts_with("tokenizer.") || key.ends_with("_token_id");
        let header = Header::read(BufReader::new(file), keep)
            .map_err(|malformed| ModelError::bad_weights(path, FORMAT, malformed.to_string()))?;
        let architecture = header.metadata.string("general.architecture").unwrap_or_default();
        let architecture = architecture.to_string();
        let file = Self { path: path.into(), header, architecture, bytes };
        if !ARCHITECTURES.contains(&file.architecture.as_str()) {
            let reason = format!(
                "general.architecture is {:?}; this build reads {}",
                file.architecture,
                ARCHITECTURES.join(", ")
            );
            return Err(file.unsupported(reason));
        }
        Ok(file)
    }

    pub(super) fn metadata(&self) -> &Metadata {
        &self.header.metadata
    }

    pub(super) fn bad(&self, reason: String) -> ModelError {
        ModelError::bad_weights(self.path.as_ref(), FORMAT, reason)
    }

    pub(super) fn unsupported(&self, reason: String) -> ModelError {
        ModelError::UnsupportedFormat { path: self.path.to_path_buf(), format: FORMAT, reason }
    }

    /// `key` of the architecture, with the architecture in front.
    pub(super) fn key(&self, key: &str) -> String {
        format!("{}.{key}", self.architecture)
    }

    /// A size that may be left out.
    pub(super) fn size(&self, key: &str) -> Result<Option<usize>, ModelError> {
        let key = self.key(key);
        match (self.metadata().get(&key), self.metadata().integer(&key)) {
            (None, _) => Ok(None),
            (_, Some(size @ 0..=0xFFFF_FFFF)) => Ok(Some(size as usize)),
            (found, _) => Err(self.bad(format!("{key} = {found:?}: expected a size"))),
        }
    }

    /// A size that must be there.
    pub(super) fn required_size(&self, key: &str) -> Result<usize, ModelError> {
        self.size(key)?.ok_or_else(|| self.bad(format!("{} is missing", self.key(key))))
    }

    /// A number that may be left out.
    pub(super) fn number(&self, key: &str) -> Result<Option<f64>, ModelError> {
        let key = self.key(key);
        match (self.metadata().get(&key), self.metadata().float(&key)) {
            (None, _) => Ok(None),
            (_, Some(number)) => Ok(Some(as_written(number))),
            (found, _) => Err(self.bad(format!("{key} = {found:?}: expected a number"))),
        }
    }

    pub(super) fn tensor(&self, name: &str) -> Option<&TensorInfo> {
        self.header.tensors.iter().find(|tensor| tensor.name == name)
    }

    /// A tensor's shape, rows first.
    pub(super) fn shape(&self, info: &TensorInfo) -> Result<Vec<usize>, ModelError> {
        let values = info.dimensions.iter().try_fold(1u64, |all, extent| all.checked_mul(*extent));
        if values.is_none_or(|values| values > 1 << 40) {
            let reason =
                format!("{}: {:?} values, which no tensor has", info.name, info.dimensions);
            return Err(self.bad(reason));
        }
        Ok(info.dimensions.iter().rev().map(|extent| *extent as usize).collect())
    }

    /// Where a tensor's values are.
    pub(super) fn blocks(&self, info: &TensorInfo, rows: RowOrder) -> Result<Blocks, ModelError> {
        let Some(kind) = BlockType::from_number(info.kind) else {
            let reason = format!(
                "{} is of GGML type {}; this build reads {}",
                info.name,
                info.kind,
                BlockType::names()
            );
            return Err(self.unsupported(reason));
        };
        let shape = self.shape(info)?;
        let columns = shape.last().copied().unwrap_or(1);
        if !columns.is_multiple_of(kind.block_values()) {
            let reason = format!(
                "{}: rows of {columns} values are no whole blocks of {} ({})",
                info.name,
                kind.block_values(),
                kind.name()
            );
            return Err(self.bad(reason));
        }
        let values: usize = shape.iter().product();
        let bytes = (values / kind.block_values() * kind.block_bytes()) as u64;
        let start = self.header.data_offset.saturating_add(info.offset);
        if start.saturating_add(bytes) > self.bytes {
            let reason = format!(
                "{} ends at byte {}, the file at {} (truncated?)",
                info.name,
                start.saturating_add(bytes),
                self.bytes
            );
            return Err(self.bad(reason));
        }
        Ok(Blocks { path: self.path.clone(), kind, start, values, rows })
    }
}

/// The number that was meant by an f32 that was widened: 1e-5, and not 9.999999747378752e-6.
fn as_written(widened: f64) -> f64 {
    let narrow = widened as f32;
    if f64::from(narrow) == widened {
        format!("{narrow}").parse().unwrap_or(widened)
    } else {
        widened
    }
}
