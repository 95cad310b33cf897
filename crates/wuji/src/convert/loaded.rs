//! A model that was read and is yet to be written.

use std::path::{Path, PathBuf};

use serde_json::Value;
use wuji_model::ModelConfig;
use wuji_model::weights::FileTensor;
use wuji_tokenizer::Tokenizer;

use super::NumberFormat;
use crate::WujiError;

/// Files beside the weights that say nothing about how these are stored.
pub(crate) const TAKEN_ALONG: [&str; 18] = [
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
    "modules.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "README.md",
    "LICENSE",
    "LICENSE.txt",
];

/// A file that stays as it is.
#[derive(Debug)]
pub(super) struct CopiedFile {
    pub(super) from: PathBuf,
    /// Its path in a model directory.
    pub(super) name: PathBuf,
}

/// Everything that a target may need.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) config: ModelConfig,
    pub(super) tensors: Vec<FileTensor>,
    pub(super) parameters: usize,
    /// The number format of the source.
    pub(super) dtype: NumberFormat,
    /// The tokenizer and where it was.
    pub(super) tokenizer: Option<(PathBuf, Tokenizer)>,
    /// Files to be copied as they are.
    pub(super) beside: Vec<CopiedFile>,
    /// Whether the tokenizer was given, and takes the place of what is copied.
    pub(super) tokenizer_is_given: bool,
    /// `generation_config.json`, for sources without such a file.
    pub(super) generation_config: Option<Value>,
}

impl Loaded {
    /// What a format cannot hold would become infinite without a word: f16 ends at 65504.
    pub(super) fn check_range(&self, source: &Path, dtype: NumberFormat) -> Result<(), WujiError> {
        let largest = dtype.in_gguf().largest();
        for tensor in &self.tensors {
            if let Some(value) = tensor.values.iter().find(|value| value.abs() > largest) {
                let problem = format!(
                    "{} has the value {value}, which {dtype} cannot hold; use bf16",
                    tensor.name
                );
                return Err(WujiError::input(source, problem));
            }
        }
        Ok(())
    }
}

/// The tokenizer in `path`, if it has no more ids than the model.
pub(super) fn given_tokenizer(
    path: &Path,
    vocab_size: usize,
) -> Result<(PathBuf, Tokenizer), WujiError> {
    let tokenizer = Tokenizer::load(path)?;
    let found = tokenizer.vocab_size();
    if found <= vocab_size {
        return Ok((path.to_path_buf(), tokenizer));
    }
    let problem = format!("the tokenizer has {found} ids, but the model's vocabulary {vocab_size}");
    Err(WujiError::input(path, problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_beyond_f16_is_refused_by_name() {
        let config = ModelConfig::from_json(r#"{"model_type": "gpt2"}"#).unwrap();
        let loaded = Loaded {
            config,
            tensors: vec![FileTensor { name: "w".into(), shape: vec![2], values: vec![1.0, -7e4] }],
            parameters: 2,
            dtype: NumberFormat::F32,
            tokenizer: None,
            beside: Vec::new(),
            tokenizer_is_given: false,
            generation_config: None,
        };
        let error = loaded.check_range(Path::new("m"), NumberFormat::F16).unwrap_err();
        assert_eq!(error.to_string(), "m: w has the value -70000, which f16 cannot hold; use bf16");
        for dtype in [NumberFormat::Bf16, NumberFormat::F32, NumberFormat::Q8_0] {
            assert!(loaded.check_range(Path::new("m"), dtype).is_ok(), "{dtype}");
        }
    }
}
