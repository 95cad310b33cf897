//! The kinds of tokenizer that this crate trains, and how a loaded one is recognised as one of them.

use serde::{Deserialize, Serialize};
use tokenizers::{DecoderWrapper, ModelWrapper};

use crate::tokenizer::Pipeline;

/// A kind of tokenizer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TokenizerKind {
    /// Byte pair encoding over the bytes of the text (GPT-2, Llama 3, Qwen): any text encodes and comes back exactly.
    #[default]
    ByteLevelBpe,
    /// BERT's: words cut into the longest known pieces, `##` before those that continue a word.
    WordPiece,
    /// SentencePiece's probabilistic pieces (T5, XLNet): the most probable segmentation under a unigram model.
    Unigram,
    /// One token per character.
    Char,
    /// One token per word.
    Word,
}

impl TokenizerKind {
    /// All kinds.
    pub const ALL: [Self; 5] =
        [Self::ByteLevelBpe, Self::WordPiece, Self::Unigram, Self::Char, Self::Word];

    /// The kind's name as configuration files spell it, for example `byte-level-bpe`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ByteLevelBpe => "byte-level-bpe",
            Self::WordPiece => "word-piece",
            Self::Unigram => "unigram",
            Self::Char => "char",
            Self::Word => "word",
        }
    }

    /// Recognises a pipeline; `None` for what this crate loads but does not train (Llama 2's BPE over characters).
    pub(crate) fn of(pipeline: &Pipeline) -> Option<Self> {
        match pipeline.get_model() {
            ModelWrapper::BPE(_) => decodes_bytes(pipeline).then_some(Self::ByteLevelBpe),
            ModelWrapper::WordPiece(_) => Some(Self::WordPiece),
            ModelWrapper::Unigram(_) => Some(Self::Unigram),
            ModelWrapper::WordLevel(_) if splits_characters(pipeline) => Some(Self::Char),
            ModelWrapper::WordLevel(_) => Some(Self::Word),
        }
    }
}

impl std::fmt::Display for TokenizerKind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Whether decoding is nothing but turning GPT-2's characters back into bytes.
pub(crate) fn decodes_bytes(pipeline: &Pipeline) -> bool {
    matches!(pipeline.get_decoder(), Some(DecoderWrapper::ByteLevel(_)))
}

/// The regular expression that matches any one character, newlines included.
pub(crate) const ANY_CHARACTER: &str = r"[\s\S]";

/// Whether the text is cut into single characters and nothing else is done to it.
fn splits_characters(pipeline: &Pipeline) -> bool {
    let any_character = serde_json::json!({
        "type": "Split", "pattern": {"Regex": ANY_CHARACTER}, "behavior": "Isolated", "invert": false
    });
    pipeline.get_normalizer().is_none()
        && pipeline
            .get_pre_tokenizer()
            .and_then(|pre_tokenizer| serde_json::to_value(pre_tokenizer).ok())
            .is_some_and(|value| value == any_character)
}
