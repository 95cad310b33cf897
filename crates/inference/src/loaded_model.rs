//! A model directory of whatever kind, as what can be done with it.

use std::path::Path;

use burn::tensor::Device;
use serde_json::Value;
use wuji_model::recurrent::{FeedForwardLm, RecurrentLm, RecurrentSeq2Seq};
use wuji_model::{AnyModel, CausalLm, Seq2SeqLm, WeightFormat};
use wuji_protocol::TextModel;
use wuji_tokenizer::Tokenizer;

use crate::engine::StoredModel;
use crate::{BlankFiller, Engine, InferenceError, MaskFiller, PrefixLm, Translator};

/// What a model does with a text.
pub enum LoadedModel {
    /// Goes on with it.
    Continues(Box<dyn TextModel>),
    /// Makes another of it: the prompt is the source.
    Translates(Box<dyn TextModel>),
    /// Guesses its masked tokens.
    FillsMasks(Box<MaskFiller>),
    /// Writes into its blanks.
    FillsBlanks(Box<BlankFiller>),
}

impl std::fmt::Debug for LoadedModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Continues(_) => "Continues",
            Self::Translates(_) => "Translates",
            Self::FillsMasks(_) => "FillsMasks",
            Self::FillsBlanks(_) => "FillsBlanks",
        })
    }
}

impl LoadedModel {
    /// Loads a model directory, or a GGUF file; `model_type` in `config.json` says what it is.
    ///
    /// # Errors
    /// A file that is missing, damaged or does not fit the others, or a model that does nothing with
    /// texts.
    pub fn load(dir: &Path, device: &Device) -> Result<Self, InferenceError> {
        Self::load_as(dir, WeightFormat::F32, device)
    }

    /// The same with the matrices of a decoder in another format.
    ///
    /// # Errors
    /// As [`LoadedModel::load`], and another format than `f32` for another kind of model.
    pub fn load_as(
        dir: &Path,
        format: WeightFormat,
        device: &Device,
    ) -> Result<Self, InferenceError> {
        let model = match AnyModel::from_dir(dir, device)? {
            AnyModel::CausalLm(model) => model.with_weights(format)?.into(),
            other if format == WeightFormat::F32 => other,
            other => {
                return Err(InferenceError::WrongKind {
                    path: dir.to_path_buf(),
                    model_type: other.config().model_type().to_owned(),
                    ability: "have weights of eight bits",
                });
            }
        };
        Self::of(dir, model)
    }

    fn of(dir: &Path, model: AnyModel) -> Result<Self, InferenceError> {
        Ok(match model {
            AnyModel::CausalLm(model) if model.decoder.block_position_embedding.is_some() => {
                Self::FillsBlanks(Box::new(BlankFiller::new(dir, model, Tokenizer::load(dir)?)?))
            }
            AnyModel::CausalLm(model) if model.config().is_prefix_lm() => {
                Self::Continues(Box::new(Engine::<PrefixLm>::of_model(dir, PrefixLm(model))?))
            }
            AnyModel::CausalLm(model) => {
                Self::Continues(Box::new(Engine::<CausalLm>::of_model(dir, model)?))
            }
            AnyModel::Encoder(model) => {
                Self::FillsMasks(Box::new(MaskFiller::new(dir, model, Tokenizer::load(dir)?)?))
            }
            AnyModel::EncoderDecoder(model) => {
                Self::Translates(Box::new(Translator::<Seq2SeqLm>::of_model(dir, model)?))
            }
            AnyModel::Recurrent(model) => {
                Self::Continues(Box::new(Engine::<RecurrentLm>::of_model(dir, model)?))
            }
            AnyModel::FeedForward(model) => {
                Self::Continues(Box::new(Engine::<FeedForwardLm>::of_model(dir, model)?))
            }
            AnyModel::RecurrentSeq2Seq(model) => {
                let translator = Translator::<RecurrentSeq2Seq>::of_recurrent(dir, model)?;
                Self::Translates(Box::new(translator))
            }
        })
    }
}

impl StoredModel for CausalLm {
    fn read(dir: &Path, device: &Device) -> Result<Self, InferenceError> {
        let refuse = |model_type: &str| InferenceError::WrongKind {
            path: dir.to_path_buf(),
            model_type: model_type.to_owned(),
            ability: "continue texts",
        };
        match AnyModel::from_dir(dir, device)? {
            AnyModel::CausalLm(model) if model.decoder.architecture().causal => Ok(model),
            other => Err(refuse(other.config().model_type())),
        }
    }

    fn end_token_ids(&self) -> Vec<u32> {
        self.config().eos_token_ids()
    }
}

impl StoredModel for PrefixLm {
    fn read(dir: &Path, device: &Device) -> Result<Self, InferenceError> {
        CausalLm::read(dir, device).map(Self)
    }

    fn end_token_ids(&self) -> Vec<u32> {
        self.0.end_token_ids()
    }
}

impl StoredModel for RecurrentLm {
    fn read(dir: &Path, device: &Device) -> Result<Self, InferenceError> {
        Ok(Self::from_dir(dir, device)?)
    }

    fn end_token_ids(&self) -> Vec<u32> {
        end_token_id(&self.config().extra)
    }
}

impl StoredModel for FeedForwardLm {
    fn read(dir: &Path, device: &Device) -> Result<Self, InferenceError> {
        Ok(Self::from_dir(dir, device)?)
    }

    fn end_token_ids(&self) -> Vec<u32> {
        end_token_id(&self.config().extra)
    }
}

fn end_token_id(keys: &serde_json::Map<String, Value>) -> Vec<u32> {
    let id = keys.get("eos_token_id").and_then(Value::as_u64);
    id.and_then(|id| u32::try_from(id).ok()).into_iter().collect()
}
