//! The header of a safetensors file, and its tensors as places in the file.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use safetensors::Dtype;
use safetensors::tensor::Metadata;

use super::number_type::NumberType;
use super::tensor_files::{Entry, Source};
use crate::ModelError;

/// Longest header that is believed; as in the reference implementation.
const MAX_HEADER_BYTES: u64 = 100_000_000;

/// The name of this format in messages.
pub(super) const FORMAT: &str = "safetensors";

/// Where the bytes of a tensor are.
#[derive(Debug, Clone)]
pub(super) struct Slice {
    pub(super) path: Arc<Path>,
    dtype: Dtype,
    start: u64,
    bytes: usize,
}

impl Slice {
    /// The bytes, and what they are; the type as it is called if that is none that is read.
    pub(super) fn read(&self) -> Result<(Vec<u8>, Result<NumberType, String>), ModelError> {
        let mut bytes = vec![0; self.bytes];
        File::open(&self.path)
            .and_then(|mut file| {
                file.seek(SeekFrom::Start(self.start))?;
                file.read_exact(&mut bytes)
            })
            .map_err(|source| ModelError::io("reading", self.path.as_ref(), source))?;
        Ok((bytes, number_type(self.dtype)))
    }
}

/// The tensors of the file at `path`, by name.
pub(super) fn open(path: &Path) -> Result<Vec<(String, Entry)>, ModelError> {
    let io = |source| ModelError::io("reading", path, source);
    let bad = |reason: String| ModelError::bad_weights(path, FORMAT, reason);
    let mut file = File::open(path).map_err(io)?;
    let file_bytes = file.metadata().map_err(io)?.len();
    let mut length = [0; 8];
    file.read_exact(&mut length)
        .map_err(|_| bad(format!("it has {file_bytes} bytes, too few for a header")))?;
    let header_bytes = u64::from_le_bytes(length);
    if header_bytes > MAX_HEADER_BYTES || header_bytes + 8 > file_bytes {
        return Err(bad(format!(
            "the header claims {header_bytes} bytes in a file of {file_bytes}"
        )));
    }
    let mut header = vec![0; header_bytes as usize];
    file.read_exact(&mut header).map_err(io)?;
    let metadata: Metadata = serde_json::from_slice(&header)
        .map_err(|error| bad(format!("the header is not valid: {error}")))?;
    let expected = 8 + header_bytes + metadata.data_len() as u64;
    if expected != file_bytes {
        return Err(bad(format!("expected {expected} bytes, found {file_bytes} (truncated?)")));
    }
    let path: Arc<Path> = path.into();
    let entries = metadata.tensors().into_iter().map(|(name, info)| {
        let (start, end) = info.data_offsets;
        let slice = Slice {
            path: path.clone(),
            dtype: info.dtype,
            start: 8 + header_bytes + start as u64,
            bytes: end - start,
        };
        (name, Entry { shape: info.shape.clone(), source: Source::Safetensors(slice) })
    });
    Ok(entries.collect())
}

fn number_type(dtype: Dtype) -> Result<NumberType, String> {
    Ok(match dtype {
        Dtype::F64 => NumberType::F64,
        Dtype::F32 => NumberType::F32,
        Dtype::F16 => NumberType::F16,
        Dtype::BF16 => NumberType::Bf16,
        Dtype::I64 => NumberType::I64,
        Dtype::I32 => NumberType::I32,
        Dtype::I16 => NumberType::I16,
        Dtype::I8 => NumberType::I8,
        Dtype::U64 => NumberType::U64,
        Dtype::U32 => NumberType::U32,
        Dtype::U16 => NumberType::U16,
        Dtype::U8 => NumberType::U8,
        Dtype::BOOL => NumberType::Bool,
        other => return Err(format!("{other:?}")),
    })
}
