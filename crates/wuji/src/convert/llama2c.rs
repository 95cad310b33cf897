//! A llama2.c checkpoint and the tokenizer beside it.

use std::path::{Path, PathBuf};

use serde_json::json;
use wuji_model::ModelConfig;
use wuji_model::weights::read_llama2c;
use wuji_tokenizer::Tokenizer;

use super::NumberFormat;
use super::loaded::Loaded;
use crate::WujiError;

/// The ids that `run.c` begins texts with and ends them at.
const BOS: u32 = 1;
const EOS: u32 = 2;

pub(super) fn load(source: &Path, given: Option<&Path>) -> Result<Loaded, WujiError> {
    let (config, tensors) = read_llama2c(source)?;
    let parameters = tensors.iter().map(|tensor| tensor.values.len()).sum();
    let tokenizer = match given {
        Some(path) => Some(fitting(path, config.vocab_size)?),
        None => beside(source, config.vocab_size)?,
    };
    let mut config = ModelConfig::Llama(config);
    config.set_extra("bos_token_id", BOS.into());
    config.set_extra("eos_token_id", EOS.into());
    // In the training text of these models a story ends where the next begins, so `run.c` stops at
    // the beginning token too.
    let generation = json!({ "bos_token_id": BOS, "eos_token_id": [EOS, BOS] });
    Ok(Loaded {
        config,
        tensors,
        parameters,
        dtype: NumberFormat::F32,
        tokenizer,
        tokenizer_is_given: given.is_some(),
        beside: Vec::new(),
        generation_config: Some(generation),
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
