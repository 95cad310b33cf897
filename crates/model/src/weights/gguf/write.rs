//! Writing a Llama-family model as one GGUF file.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use wuji_tokenizer::gguf::{TensorInfo, Value, write_header};

use super::FORMAT;
use super::block_type::BlockType;
use super::config::{Described, describe};
use super::names::{gguf_name, is_query_or_key};
use super::quantise::quantise;
use super::read::ROPE_FREQS;
use crate::weights::FileTensor;
use crate::weights::rotary_rows::pairs_from_halves;
use crate::weights::write::write_atomically_by;
use crate::{ModelConfig, ModelError};

/// What a tensor's bytes are aligned to.
const ALIGNMENT: usize = 32;
/// Of the block formats' layout.
const QUANTISATION_VERSION: i64 = 2;

/// The number format of the matrices in a written file. Vectors stay f32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GgufDtype {
    /// 32-bit IEEE.
    #[default]
    F32,
    /// 16-bit IEEE.
    F16,
    /// bfloat16.
    Bf16,
    /// 8.5 bits: blocks of 32 with one scale.
    Q8_0,
    /// 4.5 bits: blocks of 32 with one scale.
    Q4_0,
}

impl GgufDtype {
    fn block_type(self) -> BlockType {
        match self {
            Self::F32 => BlockType::F32,
            Self::F16 => BlockType::F16,
            Self::Bf16 => BlockType::Bf16,
            Self::Q8_0 => BlockType::Q8_0,
            Self::Q4_0 => BlockType::Q4_0,
        }
    }

    /// `general.file_type`.
    fn file_type(self) -> i64 {
        match self {
            Self::F32 => 0,
            Self::F16 => 1,
            Self::Q4_0 => 2,
            Self::Q8_0 => 7,
            Self::Bf16 => 32,
        }
    }

    /// The largest magnitude that this format holds, scales being halves.
    pub fn largest(self) -> f32 {
        match self {
            Self::F32 | Self::Bf16 => f32::MAX,
            Self::F16 => 65504.0,
            Self::Q8_0 => 65504.0 * 127.0,
            Self::Q4_0 => 65504.0 * 8.0,
        }
    }
}

/// Writes `tensors`, which are those of a Hugging Face model with `config`, to the file `path`, atomically.
///
/// `more` are further metadata, such as the tokenizer's. Matrices whose rows are no whole blocks of `dtype` are
/// written as F16.
///
/// # Errors
/// A model of another family, or with parts that GGUF has no words for; tensors that such a model does not have; a
/// file that cannot be written.
pub fn write_gguf(
    path: &Path,
    config: &ModelConfig,
    tensors: &[FileTensor],
    dtype: GgufDtype,
    more: &[(String, Value)],
) -> Result<(), ModelError> {
    let unsupported =
        |reason| ModelError::UnsupportedFormat { path: path.into(), format: FORMAT, reason };
    let keys = serde_json::to_value(config).map_err(|source| ModelError::ConfigSyntax {
        origin: path.display().to_string(),
        source,
    })?;
    let described = describe(config.model_type(), &keys).map_err(unsupported)?;
    let planned = plan(path, tensors, dtype, &described)?;
    let mut metadata = described.metadata.clone();
    metadata.insert(1, ("general.file_type".into(), Value::Integer(dtype.file_type())));
    let version = Value::Integer(QUANTISATION_VERSION);
    metadata.insert(2, ("general.quantization_version".into(), version));
    metadata.extend_from_slice(more);
    write_atomically_by(path, |file| write_all(file, &metadata, &planned))
}

/// A tensor with its row of the table.
struct Planned<'a> {
    info: TensorInfo,
    kind: BlockType,
    values: &'a [f32],
    /// Heads whose rows are put in pairs.
    pairs: Option<usize>,
}

fn plan<'a>(
    path: &Path,
    tensors: &'a [FileTensor],
    dtype: GgufDtype,
    described: &'a Described,
) -> Result<Vec<Planned<'a>>, ModelError> {
    let mut planned = Vec::new();
    let mut problems = Vec::new();
    let mut offset = 0;
    let divisors = described.rope_divisors.as_deref();
    let factors = divisors.map(|values| (ROPE_FREQS.to_string(), vec![values.len()], values));
    let named = tensors.iter().filter_map(|tensor| match gguf_name(&tensor.name) {
        Some(name) => Some((name, tensor.shape.clone(), tensor.values.as_slice())),
        None => {
            problems.push(format!("{}: unexpected, shape {:?}", tensor.name, tensor.shape));
            None
        }
    });
    for (name, shape, values) in factors.into_iter().chain(named.collect::<Vec<_>>()) {
        let kind = block_type(dtype, &shape);
        let pairs = match is_query_or_key(&name) {
            (true, _) if described.architecture == "llama" => Some(described.heads),
            (_, true) if described.architecture == "llama" => Some(described.key_value_heads),
            _ => None,
        };
        let dimensions = shape.iter().rev().map(|extent| *extent as u64).collect();
        let info = TensorInfo { name, dimensions, kind: kind.number(), offset };
        offset += (stored_bytes(kind, values.len())).next_multiple_of(ALIGNMENT) as u64;
        planned.push(Planned { info, kind, values, pairs });
    }
    if problems.is_empty() {
        return Ok(planned);
    }
    Err(ModelError::WeightMismatch { origin: path.display().to_string(), problems })
}

fn block_type(dtype: GgufDtype, shape: &[usize]) -> BlockType {
    let (kind, columns) = (dtype.block_type(), shape.last().copied().unwrap_or(1));
    match shape.len() {
        0 | 1 => BlockType::F32,
        _ if columns.is_multiple_of(kind.block_values()) => kind,
        _ => BlockType::F16,
    }
}

fn stored_bytes(kind: BlockType, values: usize) -> usize {
    values / kind.block_values() * kind.block_bytes()
}

fn write_all(
    file: &mut File,
    metadata: &[(String, Value)],
    planned: &[Planned<'_>],
) -> io::Result<()> {
    let infos: Vec<TensorInfo> = planned.iter().map(|tensor| tensor.info.clone()).collect();
    let mut out = BufWriter::new(file);
    write_header(&mut out, metadata, &infos)?;
    let mut bytes = Vec::new();
    for tensor in planned {
        bytes.clear();
        match tensor.pairs {
            None => quantise(tensor.kind, tensor.values, &mut bytes),
            Some(heads) => {
                let columns = match tensor.info.dimensions.as_slice() {
                    [_] => 1,
                    dimensions => dimensions[0] as usize,
                };
                let values = pairs_from_halves(tensor.values, heads, columns);
                quantise(tensor.kind, &values, &mut bytes);
            }
        }
        bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
        out.write_all(&bytes)?;
    }
    out.flush()
}
