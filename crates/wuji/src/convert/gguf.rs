//! A GGUF file with its tokenizer, read and written.

use std::path::Path;

use burn::module::Module;
use serde_json::json;
use wuji_device::DeviceSpec;
use wuji_model::CausalLm;
use wuji_model::weights::write_gguf;
use wuji_tokenizer::gguf::Value;
use wuji_tokenizer::{Tokenizer, TokenizerError};

use super::NumberFormat;
use super::loaded::{Loaded, given_tokenizer};
use crate::WujiError;

pub(super) fn load(source: &Path, tokenizer: Option<&Path>) -> Result<Loaded, WujiError> {
    let model = CausalLm::from_dir(source, &DeviceSpec::default().open()?)?;
    let config = model.config().clone();
    let found = match tokenizer {
        Some(path) => Some(given_tokenizer(path, config.vocab_size())?),
        // A file may have no tokenizer, or one of a kind that is not read.
        None => Tokenizer::load(source).ok().map(|found| (source.to_path_buf(), found)),
    };
    let ids = ["bos_token_id", "eos_token_id"].map(|key| (key, config.extra().get(key).cloned()));
    let generation = ids.into_iter().filter_map(|(key, id)| Some((key.to_string(), id?)));
    Ok(Loaded {
        tensors: model.file_tensors(),
        parameters: model.num_params(),
        dtype: NumberFormat::stated_in(&config),
        tokenizer: found,
        tokenizer_is_given: tokenizer.is_some(),
        beside: Vec::new(),
        generation_config: Some(json!(serde_json::Map::from_iter(generation))),
        config,
    })
}

/// What could not be written.
pub(super) struct Written {
    pub(super) tokenizer_left_out: Option<String>,
}

/// Writes `file`, which will be called `target`.
pub(super) fn write(
    file: &Path,
    target: &Path,
    loaded: &Loaded,
    dtype: NumberFormat,
) -> Result<Written, WujiError> {
    let mut more = Vec::new();
    if let Some(name) = target.file_stem() {
        let name = Value::String(name.to_string_lossy().into_owned());
        more.push(("general.name".to_string(), name));
    }
    let vocab_size = loaded.config.vocab_size();
    let described = loaded.tokenizer.as_ref().map(|(_, found)| found.gguf_metadata(vocab_size));
    let tokenizer_left_out = match described.transpose() {
        Ok(pairs) => {
            more.extend(pairs.into_iter().flatten());
            None
        }
        Err(TokenizerError::NotInGguf { reason }) => Some(reason),
        Err(error) => return Err(error.into()),
    };
    add_token_ids(&mut more, loaded);
    write_gguf(file, &loaded.config, &loaded.tensors, dtype.in_gguf(), &more)?;
    Ok(Written { tokenizer_left_out })
}

/// The ids that begin and end a text, where the tokenizer does not say them but the config does.
fn add_token_ids(more: &mut Vec<(String, Value)>, loaded: &Loaded) {
    for name in ["bos", "eos"] {
        let key = format!("tokenizer.ggml.{name}_token_id");
        let id = loaded.config.extra().get(&format!("{name}_token_id"));
        if let Some(id) = id.and_then(|id| id.as_i64())
            && !more.iter().any(|(known, _)| *known == key)
        {
            more.push((key, Value::Integer(id)));
        }
    }
}
