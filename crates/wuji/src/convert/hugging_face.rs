//! A Hugging Face directory, with weights as safetensors or as PyTorch saves them.

use std::path::Path;

use wuji_device::DeviceSpec;
use wuji_model::AnyModel;
use wuji_tokenizer::Tokenizer;

use super::NumberFormat;
use super::loaded::{Loaded, TAKEN_ALONG, given_tokenizer};
use crate::WujiError;

pub(super) fn load(source: &Path, tokenizer: Option<&Path>) -> Result<Loaded, WujiError> {
    let model = AnyModel::from_dir(source, &DeviceSpec::default().open()?)?;
    let config = model.config().into_owned();
    let beside = TAKEN_ALONG.iter().map(|name| source.join(name)).filter(|path| path.is_file());
    let found = match tokenizer {
        Some(path) => Some(given_tokenizer(path, config.vocab_size())?),
        None => Tokenizer::load(source).ok().map(|found| (source.to_path_buf(), found)),
    };
    Ok(Loaded {
        tensors: model.file_tensors(),
        parameters: model.num_params(),
        dtype: NumberFormat::stated_in(&config),
        tokenizer: found,
        tokenizer_is_given: tokenizer.is_some(),
        beside: beside.collect(),
        generation_config: None,
        config,
    })
}
