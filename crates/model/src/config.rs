//! `config.json`: one enum over the families.

use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::families::{Gpt2Config, LlamaConfig, Qwen3Config};
use crate::weights::TensorNames;
use crate::{DecoderArchitecture, ModelError};

/// The families this build has, as `model_type` spells them.
const SUPPORTED: &str = "gpt2, llama, qwen3";

/// A model's config, as `config.json` holds it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "model_type", rename_all = "lowercase")]
pub enum ModelConfig {
    /// GPT-2.
    Gpt2(Gpt2Config),
    /// Llama 1–3.
    Llama(LlamaConfig),
    /// Qwen3.
    Qwen3(Qwen3Config),
}

impl ModelConfig {
    /// Reads `config.json` of a model directory, or the file itself.
    ///
    /// # Errors
    /// The file cannot be read, is not such a config, or names another family.
    pub fn from_path(path: &Path) -> Result<Self, ModelError> {
        let file = if path.is_dir() { path.join("config.json") } else { path.to_path_buf() };
        let text = std::fs::read_to_string(&file)
            .map_err(|source| ModelError::io("reading", &file, source))?;
        Self::parse(&text, &file.display().to_string())
    }

    /// Reads a config from JSON text.
    ///
    /// # Errors
    /// As [`ModelConfig::from_path`].
    pub fn from_json(text: &str) -> Result<Self, ModelError> {
        Self::parse(text, "config")
    }

    fn parse(text: &str, origin: &str) -> Result<Self, ModelError> {
        let syntax = |source| ModelError::ConfigSyntax { origin: origin.to_string(), source };
        let keys: Map<String, Value> = serde_json::from_str(text).map_err(syntax)?;
        Self::from_keys(keys, origin)
    }

    /// Reads a config from its keys; `origin` names their source in messages.
    ///
    /// # Errors
    /// As [`ModelConfig::from_path`].
    pub fn from_keys(mut keys: Map<String, Value>, origin: &str) -> Result<Self, ModelError> {
        let syntax = |source| ModelError::ConfigSyntax { origin: origin.to_string(), source };
        let model_type = match keys.shift_remove("model_type") {
            Some(Value::String(model_type)) => model_type,
            other => other.map_or("(absent)".to_string(), |value| value.to_string()),
        };
        let value = Value::Object(keys);
        match model_type.as_str() {
            "gpt2" => serde_json::from_value(value).map(Self::Gpt2).map_err(syntax),
            "llama" => serde_json::from_value(value).map(Self::Llama).map_err(syntax),
            "qwen3" => serde_json::from_value(value).map(Self::Qwen3).map_err(syntax),
            _ => Err(ModelError::UnsupportedModelType {
                origin: origin.to_string(),
                found: model_type,
                supported: SUPPORTED.to_string(),
            }),
        }
    }

    /// Writes `config.json` into `dir`, atomically.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, dir: &Path) -> Result<(), ModelError> {
        let path = dir.join("config.json");
        let text = serde_json::to_string_pretty(self).map_err(|source| {
            ModelError::ConfigSyntax { origin: path.display().to_string(), source }
        })?;
        crate::weights::write_file_atomically(&path, format!("{text}\n").as_bytes())
    }

    /// The decoder this describes.
    ///
    /// # Errors
    /// [`ModelError::InvalidConfig`] for values that make no sense.
    pub fn architecture(&self) -> Result<DecoderArchitecture, ModelError> {
        match self {
            Self::Gpt2(config) => config.architecture(),
            Self::Llama(config) => config.architecture(),
            Self::Qwen3(config) => config.architecture(),
        }
    }

    /// The family's tensor names.
    pub fn tensor_names(&self) -> &dyn TensorNames {
        match self {
            Self::Gpt2(config) => config,
            Self::Llama(config) => config,
            Self::Qwen3(config) => config,
        }
    }

    /// `model_type`.
    pub fn model_type(&self) -> &'static str {
        match self {
            Self::Gpt2(_) => "gpt2",
            Self::Llama(_) => "llama",
            Self::Qwen3(_) => "qwen3",
        }
    }

    /// Number of token ids.
    pub fn vocab_size(&self) -> usize {
        match self {
            Self::Gpt2(config) => config.vocab_size,
            Self::Llama(LlamaConfig { vocab_size, .. })
            | Self::Qwen3(Qwen3Config(LlamaConfig { vocab_size, .. })) => *vocab_size,
        }
    }

    /// Sets the number of token ids.
    pub fn set_vocab_size(&mut self, size: usize) {
        match self {
            Self::Gpt2(config) => config.vocab_size = size,
            Self::Llama(LlamaConfig { vocab_size, .. })
            | Self::Qwen3(Qwen3Config(LlamaConfig { vocab_size, .. })) => *vocab_size = size,
        }
    }

    /// Longest sequence that the positions allow.
    pub fn max_position_embeddings(&self) -> usize {
        match self {
            Self::Gpt2(config) => config.n_positions,
            Self::Llama(config) | Self::Qwen3(Qwen3Config(config)) => {
                config.max_position_embeddings
            }
        }
    }

    /// Keys that no field of the family reads.
    pub fn extra(&self) -> &Map<String, Value> {
        match self {
            Self::Gpt2(config) => &config.extra,
            Self::Llama(config) | Self::Qwen3(Qwen3Config(config)) => &config.extra,
        }
    }

    /// Sets a key that no field of the family reads (`eos_token_id`, `architectures`, …).
    pub fn set_extra(&mut self, key: &str, value: Value) {
        let extra = match self {
            Self::Gpt2(config) => &mut config.extra,
            Self::Llama(config) | Self::Qwen3(Qwen3Config(config)) => &mut config.extra,
        };
        extra.insert(key.to_string(), value);
    }

    /// The ids that end a text, from `eos_token_id` (one number or a list).
    pub fn eos_token_ids(&self) -> Vec<u32> {
        let id = |value: &Value| value.as_u64().and_then(|id| u32::try_from(id).ok());
        match self.extra().get("eos_token_id") {
            Some(Value::Array(ids)) => ids.iter().filter_map(id).collect(),
            Some(value) => id(value).into_iter().collect(),
            None => Vec::new(),
        }
    }

    /// The class that `transformers` loads a model of this family with.
    pub fn architecture_name(&self) -> &'static str {
        match self {
            Self::Gpt2(_) => "GPT2LMHeadModel",
            Self::Llama(_) => "LlamaForCausalLM",
            Self::Qwen3(_) => "Qwen3ForCausalLM",
        }
    }
}
