//! Checkpoints of other programs to Hugging Face model directories, and to GGUF files.
//!
//! [`recognise`] tells by content what a path holds, and [`convert`] makes of it a directory with `config.json`,
//! `model.safetensors`, `tokenizer.json` and `generation_config.json`, or one GGUF file. What is made appears under
//! its name only when it is complete.

mod gguf;
mod hugging_face;
mod llama2c;
mod loaded;
mod number_format;
mod recognise;
mod target;

use std::path::{Path, PathBuf};

use serde::Serialize;

pub use number_format::NumberFormat;
pub use recognise::{SourceFormat, recognise};

use crate::WujiError;
pub(crate) use loaded::TAKEN_ALONG;

/// What to make.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetFormat {
    /// A Hugging Face directory.
    #[default]
    HuggingFace,
    /// One GGUF file, of a Llama-family model.
    Gguf,
}

/// How to convert.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConvertOptions {
    /// What to make.
    pub to: TargetFormat,
    /// Number format of the weights; that of the source when absent.
    pub dtype: Option<NumberFormat>,
    /// The tokenizer, for formats that keep it elsewhere; what lies beside the source when absent.
    pub tokenizer: Option<PathBuf>,
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Converted {
    /// What the source was.
    pub source_format: SourceFormat,
    /// What was made of it.
    pub target_format: TargetFormat,
    /// Family of the model.
    pub model_type: String,
    /// Number of parameters.
    pub parameters: usize,
    /// Number format of the weights.
    pub dtype: NumberFormat,
    /// The tokenizer that was taken along.
    pub tokenizer: Option<PathBuf>,
    /// Why the tokenizer was left out, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokenizer_left_out: Option<String>,
}

/// Converts what `source` holds to what `options` say, at `target`.
///
/// # Errors
/// A source that is not recognised, malformed or of a family that this version does not have; a
/// target that exists already; weights that the number format cannot hold, or a model that the
/// format has no words for.
pub fn convert(
    source: &Path,
    target: &Path,
    options: &ConvertOptions,
) -> Result<Converted, WujiError> {
    let source_format = recognise(source)?;
    let workshop = target::Target::begin(target)?;
    let loaded = match source_format {
        SourceFormat::HuggingFace | SourceFormat::Pytorch => {
            hugging_face::load(source, options.tokenizer.as_deref())
        }
        SourceFormat::Gguf => gguf::load(source, options.tokenizer.as_deref()),
        SourceFormat::Llama2c => llama2c::load(source, options.tokenizer.as_deref()),
    }?;
    let dtype = options.dtype.unwrap_or(loaded.dtype);
    loaded.check_range(source, dtype)?;
    let mut converted = Converted {
        source_format,
        target_format: options.to,
        model_type: loaded.config.model_type().to_string(),
        parameters: loaded.parameters,
        dtype,
        tokenizer: loaded.tokenizer.as_ref().map(|(path, _)| path.clone()),
        tokenizer_left_out: None,
    };
    match options.to {
        TargetFormat::HuggingFace => {
            target::write_directory(workshop.path(), loaded, dtype)?;
            workshop.publish()?;
        }
        TargetFormat::Gguf => {
            let file = workshop.path().join("model.gguf");
            let written = gguf::write(&file, target, &loaded, dtype)?;
            converted.tokenizer_left_out = written.tokenizer_left_out;
            if converted.tokenizer_left_out.is_some() {
                converted.tokenizer = None;
            }
            workshop.publish_file(&file)?;
        }
    }
    Ok(converted)
}
