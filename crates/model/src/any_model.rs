//! A model of whatever kind its config says.

use std::path::Path;

use burn::module::Module;
use burn::tensor::Device;

use crate::weights::{FileTensor, StoredDtype, TensorFiles, open_model};
use crate::{CausalLm, EncoderModel, ModelConfig, ModelError, ModelKind, Seq2SeqLm};

/// One of the kinds of model.
#[derive(Debug, Clone)]
pub enum AnyModel {
    /// The next token.
    CausalLm(CausalLm),
    /// Hidden states of a whole text, and heads over them.
    Encoder(EncoderModel),
    /// A text from another.
    EncoderDecoder(Seq2SeqLm),
}

impl From<CausalLm> for AnyModel {
    fn from(model: CausalLm) -> Self {
        Self::CausalLm(model)
    }
}

impl From<EncoderModel> for AnyModel {
    fn from(model: EncoderModel) -> Self {
        Self::Encoder(model)
    }
}

impl From<Seq2SeqLm> for AnyModel {
    fn from(model: Seq2SeqLm) -> Self {
        Self::EncoderDecoder(model)
    }
}

impl AnyModel {
    /// Reads a Hugging Face model directory or a GGUF file.
    ///
    /// # Errors
    /// Missing or malformed files, an unknown family, or weights that do not fit, all listed.
    pub fn from_dir(dir: &Path, device: &Device) -> Result<Self, ModelError> {
        let (config, files) = open_model(dir)?;
        Self::from_files(&config, &files, device)
    }

    /// Builds a model from a config and already opened weight files.
    ///
    /// # Errors
    /// As [`AnyModel::from_dir`].
    pub fn from_files(
        config: &ModelConfig,
        files: &TensorFiles,
        device: &Device,
    ) -> Result<Self, ModelError> {
        Ok(match config.kind() {
            ModelKind::CausalLm => Self::CausalLm(CausalLm::from_files(config, files, device)?),
            ModelKind::Encoder => Self::Encoder(EncoderModel::from_files(config, files, device)?),
            ModelKind::EncoderDecoder => {
                Self::EncoderDecoder(Seq2SeqLm::from_files(config, files, device)?)
            }
        })
    }

    /// A new model with weights drawn from `seed`.
    ///
    /// # Errors
    /// A config whose sizes do not fit each other.
    pub fn init(config: &ModelConfig, seed: u64, device: &Device) -> Result<Self, ModelError> {
        Ok(match config.kind() {
            ModelKind::CausalLm => Self::CausalLm(CausalLm::init(config, seed, device)?),
            ModelKind::Encoder => Self::Encoder(EncoderModel::init(config, seed, device)?),
            ModelKind::EncoderDecoder => {
                Self::EncoderDecoder(Seq2SeqLm::init(config, seed, device)?)
            }
        })
    }

    /// Writes `config.json` and weights into `dir`, which is created.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn save(&self, dir: &Path, dtype: StoredDtype) -> Result<(), ModelError> {
        match self {
            Self::CausalLm(model) => model.save(dir, dtype),
            Self::Encoder(model) => model.save(dir, dtype),
            Self::EncoderDecoder(model) => model.save(dir, dtype),
        }
    }

    /// Every tensor as it stands in a file.
    pub fn file_tensors(&self) -> Vec<FileTensor> {
        match self {
            Self::CausalLm(model) => model.file_tensors(),
            Self::Encoder(model) => model.file_tensors(),
            Self::EncoderDecoder(model) => model.file_tensors(),
        }
    }

    /// The config the model was built from.
    pub fn config(&self) -> &ModelConfig {
        match self {
            Self::CausalLm(model) => model.config(),
            Self::Encoder(model) => model.config(),
            Self::EncoderDecoder(model) => model.config(),
        }
    }

    /// Number of parameters.
    pub fn num_params(&self) -> usize {
        match self {
            Self::CausalLm(model) => model.num_params(),
            Self::Encoder(model) => model.num_params(),
            Self::EncoderDecoder(model) => model.num_params(),
        }
    }
}
