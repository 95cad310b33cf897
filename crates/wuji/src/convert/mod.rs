//! Checkpoints of other programs to Hugging Face model directories.
//!
//! [`recognise`] tells by content what a path holds, and [`convert`] makes of it a directory with
//! `config.json`, `model.safetensors`, `tokenizer.json` and `generation_config.json`. The directory
//! appears under its name only when it is complete.

mod hugging_face;
mod llama2c;
mod recognise;
mod target;

use std::path::{Path, PathBuf};

use serde::Serialize;
use wuji_model::weights::StoredDtype;

pub use recognise::{SourceFormat, recognise};

use crate::WujiError;

/// How to convert.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConvertOptions {
    /// Number format of the weights; that of the source when absent.
    pub dtype: Option<StoredDtype>,
    /// The tokenizer, for formats that keep it elsewhere; what lies beside the source when absent.
    pub tokenizer: Option<PathBuf>,
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Converted {
    /// What the source was.
    pub source_format: SourceFormat,
    /// Family of the model.
    pub model_type: String,
    /// Number of parameters.
    pub parameters: usize,
    /// Number format of the weights.
    pub dtype: StoredDtype,
    /// The tokenizer that was taken along.
    pub tokenizer: Option<PathBuf>,
}

/// Converts what `source` holds to a Hugging Face model directory at `target`.
///
/// # Errors
/// A source that is not recognised, malformed or of a family that this version does not have; a
/// target that exists already; weights that the number format cannot hold.
pub fn convert(
    source: &Path,
    target: &Path,
    options: &ConvertOptions,
) -> Result<Converted, WujiError> {
    let format = recognise(source)?;
    let target = target::Target::begin(target)?;
    let converted = match format {
        SourceFormat::HuggingFace => hugging_face::convert(source, target.path(), options),
        SourceFormat::Llama2c => llama2c::convert(source, target.path(), options),
    }?;
    target.publish()?;
    Ok(converted)
}
