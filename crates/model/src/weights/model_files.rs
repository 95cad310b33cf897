//! A model at a path: a Hugging Face directory, or one GGUF file that holds config and weights.

use std::path::Path;

use super::gguf::read_config;
use super::{TensorFiles, WeightFormat};
use crate::{ModelConfig, ModelError};

/// The config of the model at `path`: a directory with `config.json`, such a file, or a GGUF file.
///
/// # Errors
/// A file that cannot be read, is no config, or of a family that this build does not have.
pub fn config_of(path: &Path) -> Result<ModelConfig, ModelError> {
    if !path.is_file() || WeightFormat::of(path)? != Some(WeightFormat::Gguf) {
        return ModelConfig::from_path(path);
    }
    ModelConfig::from_keys(read_config(path)?, &path.display().to_string())
}

/// Config and weights of the model at `path`: a Hugging Face directory or a GGUF file.
///
/// # Errors
/// As [`config_of`] and [`TensorFiles::open_dir`]; a weight file without a config.
pub fn open_model(path: &Path) -> Result<(ModelConfig, TensorFiles), ModelError> {
    if !path.is_file() {
        return Ok((config_of(path)?, TensorFiles::open_dir(path)?));
    }
    match WeightFormat::of(path)? {
        Some(WeightFormat::Gguf) => Ok((config_of(path)?, TensorFiles::open(path)?)),
        Some(_) => Err(ModelError::NoConfig { path: path.into() }),
        None => {
            let reason = "a model is a directory with config.json and weights, or a GGUF file";
            Err(ModelError::bad_weights(path, "model", reason.into()))
        }
    }
}
