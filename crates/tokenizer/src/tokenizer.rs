//! The tokenizer itself: what it holds and how it is completed. `encode` has what it does, `inspect` what it can say.
//!
//! It wraps the pipeline of the `tokenizers` crate (normaliser, pre-tokeniser, model, template, decoder, added
//! tokens), which carries every difference between one file and another. What is added here: byte offsets only, the
//! roles of special tokens, a stable fingerprint, and parallel batches under the caller's thread pool.

use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value};
use tokenizers::ModelWrapper;

use crate::byte_pieces::BytePieces;
use crate::characters::CharacterTable;
use crate::charsmap::{Charsmap, Normalized};
use crate::error::TokenizerError;
use crate::kind::{TokenizerKind, decodes_bytes};
use crate::special_tokens::SpecialTokens;
use crate::train::TrainingReport;

/// The pipeline of the `tokenizers` crate.
pub(crate) type Pipeline = tokenizers::Tokenizer;

/// The error type of the `tokenizers` crate.
pub(crate) type PipelineError = tokenizers::Error;

/// Turns text into token ids and back. Cheap to clone; clones share everything.
///
/// Obtained from [`Tokenizer::train`] or [`Tokenizer::load`].
#[derive(Clone)]
pub struct Tokenizer {
    pub(crate) inner: Arc<Inner>,
}

/// What the clones of a tokenizer share.
pub(crate) struct Inner {
    pub(crate) pipeline: Pipeline,
    /// Applied before the pipeline.
    pub(crate) charsmap: Option<Charsmap>,
    /// The pipeline without special tokens, made when [`Tokenizer::encode_ordinary`] first asks for it.
    pub(crate) ordinary: OnceLock<Pipeline>,
    pub(crate) kind: Option<TokenizerKind>,
    pub(crate) vocab_size: usize,
    /// The fast ways to ids, for the kinds that have one.
    pub(crate) characters: Option<CharacterTable>,
    pub(crate) byte_pieces: Option<BytePieces>,
    pub(crate) special_tokens: SpecialTokens,
    /// `tokenizer_config.json` as it was read, so that saving loses none of it (chat template, limits …).
    pub(crate) config: Map<String, Value>,
    pub(crate) fingerprint: OnceLock<String>,
    pub(crate) training: Option<TrainingReport>,
}

/// What comes with a pipeline that the pipeline itself does not hold.
#[derive(Debug, Default)]
pub(crate) struct Extras {
    /// Roles that the source of the tokenizer states.
    pub(crate) special_tokens: SpecialTokens,
    /// A normalisation table to apply before the pipeline.
    pub(crate) charsmap: Option<Charsmap>,
    /// `tokenizer_config.json`.
    pub(crate) config: Map<String, Value>,
    /// `special_tokens_map.json`.
    pub(crate) special_tokens_map: Map<String, Value>,
    /// How the training went, for a tokenizer that was just trained.
    pub(crate) training: Option<TrainingReport>,
}

impl Tokenizer {
    /// Completes `pipeline`: settles the roles and the short cuts.
    ///
    /// Truncation and padding that a `tokenizer.json` may carry are dropped, as `transformers` does: they describe how
    /// someone once called the tokenizer, and would silently cut training texts. [`Self::batch_encoder`] has both.
    pub(crate) fn new(mut pipeline: Pipeline, extras: Extras) -> Result<Self, TokenizerError> {
        let unlimited =
            pipeline.with_truncation(None).map_err(|source| TokenizerError::Encode { source })?;
        unlimited.with_padding(None);
        let kind = TokenizerKind::of(&pipeline);
        let largest_id = pipeline.get_vocab(true).into_values().max();
        let special_tokens =
            extras.special_tokens.resolve(&[&extras.config, &extras.special_tokens_map], |token| {
                pipeline.token_to_id(token).is_some()
            });
        let unknown = model_unknown(&pipeline)
            .and_then(|token| Some((token.to_owned(), pipeline.token_to_id(token)?)));
        let characters =
            (kind == Some(TokenizerKind::Char)).then(|| CharacterTable::new(&pipeline, unknown));
        let byte_pieces = BytePieces::of(&pipeline);
        Ok(Self {
            inner: Arc::new(Inner {
                byte_pieces,
                pipeline,
                charsmap: extras.charsmap,
                ordinary: OnceLock::new(),
                kind,
                vocab_size: largest_id.map_or(0, |id| id as usize + 1),
                characters,
                special_tokens,
                config: extras.config,
                fingerprint: OnceLock::new(),
                training: extras.training,
            }),
        })
    }

    /// The tokenizer as a `tokenizer.json`, always the same for the same content.
    pub(crate) fn description(&self) -> Value {
        let mut description = serde_json::to_value(&self.inner.pipeline)
            .expect("every part of a pipeline serialises to JSON");
        if let Some(charsmap) = &self.inner.charsmap {
            charsmap.put_back(&mut description["normalizer"]);
        }
        description
    }

    /// `text` as the pipeline takes it.
    pub(crate) fn prepare<'text>(&self, text: &'text str) -> Prepared<'text> {
        match &self.inner.charsmap {
            Some(charsmap) => Prepared::Normalized(charsmap.normalize(text)),
            None => Prepared::AsIs(text),
        }
    }

    pub(crate) fn pipeline(&self) -> &Pipeline {
        &self.inner.pipeline
    }

    pub(crate) fn roles(&self) -> &SpecialTokens {
        &self.inner.special_tokens
    }

    pub(crate) fn decodes_bytes(&self) -> bool {
        decodes_bytes(&self.inner.pipeline)
    }
}

/// A text on its way into the pipeline.
pub(crate) enum Prepared<'text> {
    AsIs(&'text str),
    Normalized(Normalized),
}

impl Prepared<'_> {
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::AsIs(text) => text,
            Self::Normalized(normalized) => &normalized.text,
        }
    }

    /// The range of the original text that a range of the prepared one comes from.
    pub(crate) fn original(&self, offsets: (usize, usize)) -> (usize, usize) {
        match self {
            Self::AsIs(_) => offsets,
            Self::Normalized(normalized) => normalized.original(offsets),
        }
    }
}

impl std::fmt::Debug for Tokenizer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Tokenizer")
            .field("kind", &self.kind())
            .field("vocab_size", &self.vocab_size())
            .field("fingerprint", &self.fingerprint())
            .finish()
    }
}

/// The token that the model itself falls back to.
fn model_unknown(pipeline: &Pipeline) -> Option<&str> {
    match pipeline.get_model() {
        ModelWrapper::BPE(model) => model.unk_token.as_deref(),
        ModelWrapper::WordPiece(model) => Some(&model.unk_token),
        ModelWrapper::WordLevel(model) => Some(&model.unk_token),
        ModelWrapper::Unigram(_) => None,
    }
}
