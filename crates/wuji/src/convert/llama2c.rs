//! A llama2.c checkpoint and the tokenizer beside it.

use std::path::{Path, PathBuf};

use serde_json::json;
use wuji_model::ModelConfig;
use wuji_model::weights::{StoredDtype, read_llama2c};
use wuji_tokenizer::Tokenizer;

use super::target::{write_json, write_model};
use super::{ConvertOptions, Converted, SourceFormat};
use crate::WujiError;

/// The ids that `run.c` begins texts with and ends them at.
const BOS: u32 = 1;
const EOS: u32 = 2;

pub(super) fn convert(
    source: &Path,
    target: &Path,
    options: &ConvertOptions,
) -> Result<Converted, WujiError> {
    let (config, tensors) = read_llama2c(source)?;
    let parameters = tensors.iter().map(|tensor| tensor.values.len()).sum();
    let tokenizer = match &options.tokenizer {
        Some(path) => Some(fitting(path, config.vocab_size)?),
        None => beside(source, config.vocab_size)?,
    };
    let mut config = ModelConfig::Llama(config);
    config.set_extra("bos_token_id", BOS.into());
    config.set_extra("eos_token_id", EOS.into());
    let dtype = options.dtype.unwrap_or(StoredDtype::F32);
    let model_type = config.model_type().to_string();
    write_model(target, config, &tensors, dtype)?;
    // In the training text of these models a story ends where the next begins, so `run.c` stops at
    // the beginning token too.
    let generation = json!({ "bos_token_id": BOS, "eos_token_id": [EOS, BOS] });
    write_json(&target.join("generation_config.json"), &generation)?;
    if let Some((_, tokenizer)) = &tokenizer {
        tokenizer.save(target)?;
    }
    Ok(Converted {
        source_format: SourceFormat::Llama2c,
        model_type,
        parameters,
        dtype,
        tokenizer: tokenizer.map(|(path, _)| path),
    })
}

/// The tokenizer in `path`, if it is one for this vocabulary.
fn fitting(path: &Path, vocab_size: usize) -> Result<(PathBuf, Tokenizer), WujiError> {
    let tokenizer = Tokenizer::load(path)?;
    let found = tokenizer.vocab_size();
    if found == vocab_size {
        return Ok((path.to_path_buf(), tokenizer));
    }
    let problem = format!("the tokenizer has {found} ids, but the model's vocabulary {vocab_size}");
    Err(WujiError::input(path, problem))
}

/// The `tok*.bin` in the checkpoint's directory that fits it, if there is one.
fn beside(source: &Path, vocab_size: usize) -> Result<Option<(PathBuf, Tokenizer)>, WujiError> {
    let dir = match source.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let io = |error| WujiError::io("reading", dir, error);
    let mut candidates = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(io)? {
        let entry = entry.map_err(io)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("tok") && name.ends_with(".bin") {
            candidates.push(entry.path());
        }
    }
    candidates.sort();
    let fits = candidates.iter().filter_map(|path| fitting(path, vocab_size).ok()).next();
    match (fits, candidates.first()) {
        // None of them fits: the first says why.
        (None, Some(path)) => fitting(path, vocab_size).map(Some),
        (found, _) => Ok(found),
    }
}
