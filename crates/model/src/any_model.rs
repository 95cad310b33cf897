//! A model of whatever kind its config says.

use std::borrow::Cow;
use std::path::Path;

use burn::module::Module;
use burn::tensor::Device;

use crate::recurrent::{FeedForwardLm, RecurrentLm, RecurrentSeq2Seq};
use crate::weights::{FileTensor, StoredDtype, TensorFiles, open_model};
use crate::{CausalLm, EncoderModel, ModelConfig, ModelError, ModelKind, Seq2SeqLm};

/// The enum and what is done with each variant alike.
///
/// A transformer keeps its whole [`ModelConfig`], since a kind has many families; the others are a
/// family each and keep its own config, `$family`.
macro_rules! any_model {
    (
        transformers { $($(#[$doc:meta])* $variant:ident($model:ident),)+ }
        others { $($(#[$other_doc:meta])* $other:ident($other_model:ident) = $family:ident,)+ }
    ) => {
        /// One of the kinds of model.
        #[derive(Debug, Clone)]
        pub enum AnyModel {
            $($(#[$doc])* $variant($model),)+
            $($(#[$other_doc])* $other($other_model),)+
        }

        $(impl From<$model> for AnyModel {
            fn from(model: $model) -> Self {
                Self::$variant(model)
            }
        })+

        $(impl From<$other_model> for AnyModel {
            fn from(model: $other_model) -> Self {
                Self::$other(model)
            }
        })+

        impl AnyModel {
            /// Builds a model from a config and already opened weight files.
            ///
            /// # Errors
            /// As [`AnyModel::from_dir`].
            pub fn from_files(
                config: &ModelConfig,
                files: &TensorFiles,
                device: &Device,
            ) -> Result<Self, ModelError> {
                match config {
                    $(ModelConfig::$family(config) => {
                        Ok($other_model::from_files(config, files, device)?.into())
                    })+
                    _ => Self::transformer_from_files(config, files, device),
                }
            }

            /// A new model with weights drawn from `seed`.
            ///
            /// # Errors
            /// A config whose sizes do not fit each other.
            pub fn init(
                config: &ModelConfig,
                seed: u64,
                device: &Device,
            ) -> Result<Self, ModelError> {
                match config {
                    $(ModelConfig::$family(config) => {
                        Ok($other_model::init(config, seed, device)?.into())
                    })+
                    _ => Self::init_transformer(config, seed, device),
                }
            }

            /// Writes `config.json` and weights into `dir`, which is created.
            ///
            /// # Errors
            /// A file that cannot be written.
            pub fn save(&self, dir: &Path, dtype: StoredDtype) -> Result<(), ModelError> {
                match self {
                    $(Self::$variant(model) => model.save(dir, dtype),)+
                    $(Self::$other(model) => model.save(dir, dtype),)+
                }
            }

            /// Every tensor as it stands in a file.
            pub fn file_tensors(&self) -> Vec<FileTensor> {
                match self {
                    $(Self::$variant(model) => model.file_tensors(),)+
                    $(Self::$other(model) => model.file_tensors(),)+
                }
            }

            /// The config the model was built from.
            pub fn config(&self) -> Cow<'_, ModelConfig> {
                match self {
                    $(Self::$variant(model) => Cow::Borrowed(model.config()),)+
                    $(Self::$other(model) => {
                        Cow::Owned(ModelConfig::$family(model.config().clone()))
                    })+
                }
            }

            /// Number of parameters.
            pub fn num_params(&self) -> usize {
                match self {
                    $(Self::$variant(model) => model.num_params(),)+
                    $(Self::$other(model) => model.num_params(),)+
                }
            }
        }
    };
}

any_model! {
    transformers {
        /// The next token.
        CausalLm(CausalLm),
        /// Hidden states of a whole text, and heads over them.
        Encoder(EncoderModel),
        /// A text from another.
        EncoderDecoder(Seq2SeqLm),
    }
    others {
        /// The next token, from a state.
        Recurrent(RecurrentLm) = Recurrent,
        /// The next token, from a window.
        FeedForward(FeedForwardLm) = FeedForward,
        /// A text from another, by states and attention.
        RecurrentSeq2Seq(RecurrentSeq2Seq) = RecurrentSeq2Seq,
    }
}

impl AnyModel {
    /// Reads a model directory in Hugging Face's layout or a GGUF file.
    ///
    /// # Errors
    /// Missing or malformed files, an unknown family, or weights that do not fit, all listed.
    pub fn from_dir(dir: &Path, device: &Device) -> Result<Self, ModelError> {
        let (config, files) = open_model(dir)?;
        Self::from_files(&config, &files, device)
    }
}

/// What [`AnyModel::from_files`] and [`AnyModel::init`] do for transformers, by `$make`.
macro_rules! by_kind {
    ($config:ident, $make:ident($($argument:ident),+)) => {
        match $config.kind() {
            ModelKind::Encoder => Ok(EncoderModel::$make($($argument),+)?.into()),
            ModelKind::EncoderDecoder => Ok(Seq2SeqLm::$make($($argument),+)?.into()),
            _ => Ok(CausalLm::$make($($argument),+)?.into()),
        }
    };
}

impl AnyModel {
    fn transformer_from_files(
        config: &ModelConfig,
        files: &TensorFiles,
        device: &Device,
    ) -> Result<Self, ModelError> {
        by_kind!(config, from_files(config, files, device))
    }

    fn init_transformer(
        config: &ModelConfig,
        seed: u64,
        device: &Device,
    ) -> Result<Self, ModelError> {
        by_kind!(config, init(config, seed, device))
    }
}
