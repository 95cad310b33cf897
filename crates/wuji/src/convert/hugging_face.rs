//! A Hugging Face directory to another one, with weights of another number format and whatever lies
//! beside them taken along.

use std::path::{Path, PathBuf};

use burn::module::Module;
use serde_json::Value;
use wuji_device::DeviceSpec;
use wuji_model::weights::StoredDtype;
use wuji_model::{CausalLm, ModelConfig};

use super::target::write_model;
use super::{ConvertOptions, Converted, SourceFormat};
use crate::WujiError;

/// Files beside the weights that say nothing about how these are stored.
const TAKEN_ALONG: [&str; 15] = [
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "tokenizer.model",
    "spiece.model",
    "vocab.json",
    "merges.txt",
    "vocab.txt",
    "chat_template.jinja",
    "chat_template.json",
    "generation_config.json",
    "README.md",
    "LICENSE",
    "LICENSE.txt",
];

pub(super) fn convert(
    source: &Path,
    target: &Path,
    options: &ConvertOptions,
) -> Result<Converted, WujiError> {
    let model = CausalLm::from_dir(source, &DeviceSpec::default().open()?)?;
    let config = model.config().clone();
    let dtype = options.dtype.unwrap_or_else(|| stated_dtype(&config));
    let (tensors, parameters) = (model.file_tensors(), model.num_params());
    drop(model);
    let model_type = config.model_type().to_string();
    write_model(target, config, &tensors, dtype)?;
    for name in TAKEN_ALONG {
        let from = source.join(name);
        if from.is_file() {
            std::fs::copy(&from, target.join(name))
                .map_err(|error| WujiError::io("copying", &from, error))?;
        }
    }
    let tokenizer = tokenizer(source, target, options)?;
    Ok(Converted {
        source_format: SourceFormat::HuggingFace,
        model_type,
        parameters,
        dtype,
        tokenizer,
    })
}

/// The tokenizer that was given, or the one that was copied.
fn tokenizer(
    source: &Path,
    target: &Path,
    options: &ConvertOptions,
) -> Result<Option<PathBuf>, WujiError> {
    if let Some(path) = &options.tokenizer {
        wuji_tokenizer::Tokenizer::load(path)?.save(target)?;
        return Ok(Some(path.clone()));
    }
    Ok(wuji_tokenizer::Tokenizer::load(target).is_ok().then(|| source.to_path_buf()))
}

/// The number format that the config says the weights have.
fn stated_dtype(config: &ModelConfig) -> StoredDtype {
    let stated = ["dtype", "torch_dtype"].iter().find_map(|key| config.extra().get(*key));
    match stated.and_then(Value::as_str) {
        Some("float16") => StoredDtype::F16,
        Some("bfloat16") => StoredDtype::Bf16,
        _ => StoredDtype::F32,
    }
}
