//! `config.json`: one enum over the families.

use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::families::{
    BertConfig, DistilBertConfig, Family, Glm4Config, GlmConfig, GlmOriginalConfig, Gpt2Config,
    GptNeoXConfig, LlamaConfig, MarianConfig, MistralConfig, MixtralConfig, Qwen2Config,
    Qwen2MoeConfig, Qwen3Config, Qwen3MoeConfig, RobertaConfig, T5Config,
};
use crate::recurrent::{FeedForwardConfig, RecurrentLmConfig, Seq2SeqConfig};
use crate::weights::TensorNames;
use crate::{Architecture, ModelError};

/// The enum and what needs a list of its variants.
macro_rules! families {
    ($($(#[$doc:meta])* $variant:ident($config:ty) = $model_type:literal,)+) => {
        /// A model's config, as `config.json` holds it.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[serde(tag = "model_type")]
        pub enum ModelConfig {
            $($(#[$doc])* #[serde(rename = $model_type)] $variant($config),)+
        }

        impl ModelConfig {
            /// The families there are, as `model_type` spells them.
            pub const MODEL_TYPES: &'static [&'static str] = &[$($model_type),+];

            /// `model_type`.
            pub fn model_type(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $model_type,)+
                }
            }

            /// The config as what all families have in common.
            pub fn family(&self) -> &dyn Family {
                match self {
                    $(Self::$variant(config) => config,)+
                }
            }

            fn family_mut(&mut self) -> &mut dyn Family {
                match self {
                    $(Self::$variant(config) => config,)+
                }
            }

            fn of_type(model_type: &str, keys: Value) -> Option<serde_json::Result<Self>> {
                match model_type {
                    $($model_type => Some(serde_json::from_value(keys).map(Self::$variant)),)+
                    _ => None,
                }
            }
        }
    };
}

families! {
    /// GPT-2.
    Gpt2(Gpt2Config) = "gpt2",
    /// GPT-NeoX and Pythia.
    GptNeoX(GptNeoXConfig) = "gpt_neox",
    /// Llama 1–3.
    Llama(LlamaConfig) = "llama",
    /// Mistral.
    Mistral(MistralConfig) = "mistral",
    /// Mixtral.
    Mixtral(MixtralConfig) = "mixtral",
    /// Qwen2.
    Qwen2(Qwen2Config) = "qwen2",
    /// Qwen2 with experts.
    Qwen2Moe(Qwen2MoeConfig) = "qwen2_moe",
    /// Qwen3.
    Qwen3(Qwen3Config) = "qwen3",
    /// Qwen3 with experts.
    Qwen3Moe(Qwen3MoeConfig) = "qwen3_moe",
    /// GLM-4.
    Glm(GlmConfig) = "glm",
    /// GLM-4-0414.
    Glm4(Glm4Config) = "glm4",
    /// The original GLM.
    GlmOriginal(GlmOriginalConfig) = "glm_original",
    /// BERT.
    Bert(BertConfig) = "bert",
    /// RoBERTa.
    Roberta(RobertaConfig) = "roberta",
    /// DistilBERT.
    DistilBert(DistilBertConfig) = "distilbert",
    /// T5 v1.0 and v1.1.
    T5(T5Config) = "t5",
    /// The original Transformer, as Marian has it.
    Marian(MarianConfig) = "marian",
    /// A recurrent language model.
    Recurrent(RecurrentLmConfig) = "wuji_rnn",
    /// A feed-forward language model.
    FeedForward(FeedForwardConfig) = "wuji_mlp",
    /// A recurrent encoder–decoder with attention.
    RecurrentSeq2Seq(Seq2SeqConfig) = "wuji_rnn_seq2seq",
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
        let model_type = match keys.shift_remove("model_type") {
            Some(Value::String(model_type)) => model_type,
            other => other.map_or("(absent)".to_string(), |value| value.to_string()),
        };
        match Self::of_type(&model_type, Value::Object(keys)) {
            Some(config) => config
                .map_err(|source| ModelError::ConfigSyntax { origin: origin.to_string(), source }),
            None => Err(ModelError::UnsupportedModelType {
                origin: origin.to_string(),
                found: model_type,
                supported: Self::MODEL_TYPES.join(", "),
            }),
        }
    }

    /// Writes `config.json` into `dir`, atomically.
    ///
    /// # Errors
    /// The file cannot be written, or values that make no sense.
    pub fn save(&self, dir: &Path) -> Result<(), ModelError> {
        let path = dir.join("config.json");
        let syntax =
            |source| ModelError::ConfigSyntax { origin: path.display().to_string(), source };
        let mut keys = serde_json::to_value(self).map_err(syntax)?;
        // Some classes of `transformers` compute what is null here, others stumble over it.
        let architecture = self.architecture()?;
        for (key, value) in [
            ("head_dim", architecture.head_dim),
            ("num_key_value_heads", architecture.num_key_value_heads),
        ] {
            if keys.get(key).is_some_and(Value::is_null) {
                keys[key] = value.into();
            }
        }
        let text = serde_json::to_string_pretty(&keys).map_err(syntax)?;
        crate::weights::write_file_atomically(&path, format!("{text}\n").as_bytes())
    }

    /// Checks the values alone and beside each other.
    ///
    /// # Errors
    /// [`ModelError::InvalidConfig`] for values that make no sense.
    pub fn validate(&self) -> Result<(), ModelError> {
        self.family().validate()
    }

    /// The stack this describes; of an encoder–decoder, the decoder.
    ///
    /// # Errors
    /// [`ModelError::InvalidConfig`] for values that make no sense, [`ModelError::WrongKind`] for a
    /// family that is no transformer.
    pub fn architecture(&self) -> Result<Architecture, ModelError> {
        let architecture = self.family().architecture()?;
        architecture.validate()?;
        Ok(architecture)
    }

    /// The encoder of an encoder–decoder.
    ///
    /// # Errors
    /// As [`ModelConfig::architecture`].
    pub fn encoder_architecture(&self) -> Result<Option<Architecture>, ModelError> {
        let Some(architecture) = self.family().encoder_architecture()? else { return Ok(None) };
        architecture.validate()?;
        Ok(Some(architecture))
    }

    /// What a model of this family computes.
    pub fn kind(&self) -> ModelKind {
        self.family().kind()
    }

    /// Refuses a config of another kind.
    pub(crate) fn expect_kind(&self, expected: ModelKind) -> Result<(), ModelError> {
        if self.kind() == expected {
            return Ok(());
        }
        Err(ModelError::WrongKind {
            model_type: self.model_type(),
            found: self.kind().description(),
            expected: expected.description(),
        })
    }

    /// The family's tensor names.
    pub fn tensor_names(&self) -> &dyn TensorNames {
        self.family().tensor_names()
    }

    /// Number of token ids.
    pub fn vocab_size(&self) -> usize {
        self.family().vocab_size()
    }

    /// Sets the number of token ids.
    pub fn set_vocab_size(&mut self, size: usize) {
        self.family_mut().set_vocab_size(size);
    }

    /// Longest sequence that the positions allow.
    pub fn max_position_embeddings(&self) -> usize {
        self.family().max_position_embeddings()
    }

    /// Keys that no field of the family reads.
    pub fn extra(&self) -> &Map<String, Value> {
        self.family().extra()
    }

    /// Sets a key that no field of the family reads (`eos_token_id`, `architectures`, …).
    pub fn set_extra(&mut self, key: &str, value: Value) {
        self.family_mut().extra_mut().insert(key.to_string(), value);
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

    /// A token id among the keys that no field reads (`pad_token_id`).
    pub fn token_id(&self, key: &str) -> Option<u32> {
        self.extra().get(key)?.as_u64().and_then(|id| u32::try_from(id).ok())
    }

    /// Whether the model was trained with a prefix that is read in both directions: the key
    /// `prefix_lm`, which `transformers` does not know and passes over.
    pub fn is_prefix_lm(&self) -> bool {
        self.extra().get("prefix_lm").is_some_and(|mark| *mark == Value::Bool(true))
    }

    /// The class that `transformers` loads a model of this family with, from `architectures` where
    /// that says it.
    pub fn class_name(&self) -> String {
        let given = self.extra().get("architectures").and_then(|classes| classes.get(0));
        let given = given.and_then(Value::as_str);
        given.unwrap_or(self.family().default_class_name()).to_string()
    }
}

/// What a model computes, which decides the type that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelKind {
    /// The next token: [`CausalLm`](crate::CausalLm).
    CausalLm,
    /// Hidden states of a whole text, and heads over them: [`EncoderModel`](crate::EncoderModel).
    Encoder,
    /// A text from another: [`Seq2SeqLm`](crate::Seq2SeqLm).
    EncoderDecoder,
    /// The next token, from a state: [`RecurrentLm`](crate::recurrent::RecurrentLm).
    Recurrent,
    /// The next token, from a window: [`FeedForwardLm`](crate::recurrent::FeedForwardLm).
    FeedForward,
    /// A text from another, by states and attention:
    /// [`RecurrentSeq2Seq`](crate::recurrent::RecurrentSeq2Seq).
    RecurrentEncoderDecoder,
}

impl ModelKind {
    /// Whether it is a stack of transformer blocks, or two.
    pub fn is_transformer(self) -> bool {
        matches!(self, Self::CausalLm | Self::Encoder | Self::EncoderDecoder)
    }

    /// Whether it makes a text of another.
    pub fn has_source(self) -> bool {
        matches!(self, Self::EncoderDecoder | Self::RecurrentEncoderDecoder)
    }

    pub(crate) fn description(self) -> &'static str {
        match self {
            Self::CausalLm => "a causal language model",
            Self::Encoder => "an encoder",
            Self::EncoderDecoder => "an encoder–decoder",
            Self::Recurrent => "a recurrent language model",
            Self::FeedForward => "a feed-forward language model",
            Self::RecurrentEncoderDecoder => "a recurrent encoder–decoder",
        }
    }
}
