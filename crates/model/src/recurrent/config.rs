//! What the configs of this folder share: cells, non-linearities, and `config.json` on disk.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wuji_kernels::{Nonlinearity, RecurrentCell};

use crate::ModelError;
pub(super) use crate::weights::MAX_SHARD_BYTES;
use crate::weights::write_file_atomically;

/// A recurrent cell, as `config.json` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CellKind {
    /// `h' = f(W x + U h + b)` with the config's `activation` (Elman 1990).
    Elman,
    /// Long short-term memory (Hochreiter and Schmidhuber 1997).
    Lstm,
    /// Gated recurrent unit (Cho et al. 2014).
    Gru,
}

impl CellKind {
    /// The cell; `activation` is an Elman cell's.
    pub fn cell(self, activation: Nonlinearity) -> RecurrentCell {
        match self {
            Self::Elman => RecurrentCell::Elman(activation),
            Self::Lstm => RecurrentCell::Lstm,
            Self::Gru => RecurrentCell::Gru,
        }
    }
}

/// [`Nonlinearity`] in files.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Nonlinearity", rename_all = "lowercase")]
pub(super) enum NonlinearityName {
    Relu,
    Sigmoid,
    Tanh,
    Gelu,
    #[serde(alias = "swish")]
    Silu,
}

/// A config that is a `config.json` with a `model_type`.
pub(super) trait ConfigFile: Serialize + DeserializeOwned {
    const MODEL_TYPE: &'static str;

    /// Whether the values make sense together.
    fn validate(&self) -> Result<(), ModelError>;
}

/// Reads `config.json` of `dir`, or the file itself.
pub(super) fn read<C: ConfigFile>(path: &Path) -> Result<C, ModelError> {
    let file = if path.is_dir() { path.join("config.json") } else { path.to_path_buf() };
    let text = std::fs::read_to_string(&file)
        .map_err(|source| ModelError::io("reading", &file, source))?;
    parse(&text, &file.display().to_string())
}

/// Reads a config from JSON text; `origin` names its source in messages.
pub(super) fn parse<C: ConfigFile>(text: &str, origin: &str) -> Result<C, ModelError> {
    let syntax = |source| ModelError::ConfigSyntax { origin: origin.to_string(), source };
    let mut keys: Map<String, Value> = serde_json::from_str(text).map_err(syntax)?;
    match keys.shift_remove("model_type") {
        Some(Value::String(found)) if found == C::MODEL_TYPE => {}
        other => {
            return Err(ModelError::UnsupportedModelType {
                origin: origin.to_string(),
                found: match other {
                    Some(Value::String(found)) => found,
                    Some(value) => value.to_string(),
                    None => "(absent)".to_string(),
                },
                supported: C::MODEL_TYPE.to_string(),
            });
        }
    }
    let config: C = serde_json::from_value(Value::Object(keys)).map_err(syntax)?;
    config.validate()?;
    Ok(config)
}

/// Writes `config.json` into `dir`, which is created, atomically.
pub(super) fn write<C: ConfigFile>(config: &C, dir: &Path) -> Result<(), ModelError> {
    #[derive(Serialize)]
    struct Tagged<'a, C> {
        model_type: &'static str,
        #[serde(flatten)]
        config: &'a C,
    }
    std::fs::create_dir_all(dir).map_err(|source| ModelError::io("creating", dir, source))?;
    let path = dir.join("config.json");
    let text =
        serde_json::to_string_pretty(&Tagged { model_type: C::MODEL_TYPE, config }).map_err(
            |source| ModelError::ConfigSyntax { origin: path.display().to_string(), source },
        )?;
    write_file_atomically(&path, format!("{text}\n").as_bytes())
}

/// The first of `sizes` that is zero, as an error.
pub(super) fn all_positive(sizes: &[(&'static str, usize)]) -> Result<(), ModelError> {
    match sizes.iter().find(|(_, size)| *size == 0) {
        Some((key, size)) => Err(ModelError::invalid(key, size, "at least 1")),
        None => Ok(()),
    }
}

/// Checks a dropout rate and the bound of initial weights.
pub(super) fn check_rates(dropout: f64, initializer_range: f64) -> Result<(), ModelError> {
    if !(0.0..1.0).contains(&dropout) {
        return Err(ModelError::invalid("dropout", dropout, "a rate in 0..1"));
    }
    if !(initializer_range.is_finite() && initializer_range > 0.0) {
        let expected = "a positive number";
        return Err(ModelError::invalid("initializer_range", initializer_range, expected));
    }
    Ok(())
}

/// Checks token ids where they enter.
pub(super) fn check_ids(ids: &[u32], vocab_size: usize) -> Result<(), ModelError> {
    match ids.iter().enumerate().find(|(_, id)| **id as usize >= vocab_size) {
        Some((at, id)) => Err(ModelError::Input(format!(
            "token {at} is id {id}; expected ids below the vocabulary size {vocab_size}"
        ))),
        None => Ok(()),
    }
}
