//! The tokenizer: text to ids with byte offsets, and back.
//!
//! It wraps the pipeline of the `tokenizers` crate (normaliser, pre-tokeniser, model, template, decoder, added
//! tokens), which carries every difference between one file and another. What is added here: byte offsets only, the
//! roles of special tokens, a stable fingerprint, and parallel batches under the caller's thread pool.

use std::sync::{Arc, OnceLock};

use rayon::prelude::*;
use serde_json::{Map, Value};
use tokenizers::{
    ModelWrapper, NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString,
    PreTokenizer,
};

use crate::batch::{BatchConfig, BatchEncoder};
use crate::characters::CharacterTable;
use crate::charsmap::{Charsmap, Normalized};
use crate::decode_stream::DecodeStream;
use crate::encoding::Encoding;
use crate::error::TokenizerError;
use crate::info::TokenizerInfo;
use crate::kind::{TokenizerKind, decodes_bytes};
use crate::special_tokens::{Role, SpecialTokens};
use crate::train::TrainingReport;
use crate::{fingerprint, ordinary};

/// The pipeline of the `tokenizers` crate.
pub(crate) type Pipeline = tokenizers::Tokenizer;

/// The error type of the `tokenizers` crate.
pub(crate) type PipelineError = tokenizers::Error;

/// Turns text into token ids and back. Cheap to clone; clones share everything.
///
/// Obtained from [`Tokenizer::train`] or [`Tokenizer::load`].
#[derive(Clone)]
pub struct Tokenizer {
    inner: Arc<Inner>,
}

struct Inner {
    pipeline: Pipeline,
    /// Applied before the pipeline.
    charsmap: Option<Charsmap>,
    /// The same without special tokens, made when [`Tokenizer::encode_ordinary`] first asks for it.
    ordinary: OnceLock<Pipeline>,
    kind: Option<TokenizerKind>,
    vocab_size: usize,
    characters: Option<CharacterTable>,
    special_tokens: SpecialTokens,
    /// `tokenizer_config.json` as it was read, so that saving loses none of it (chat template, limits …).
    config: Map<String, Value>,
    fingerprint: OnceLock<String>,
    training: Option<TrainingReport>,
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
        let unknown = model_unknown(&pipeline).and_then(|token| pipeline.token_to_id(token));
        let characters =
            (kind == Some(TokenizerKind::Char)).then(|| CharacterTable::new(&pipeline, unknown));
        Ok(Self {
            inner: Arc::new(Inner {
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

    /// Encodes `text`; `add_special_tokens` applies the template (`[CLS] … [SEP]`, `<s> …`).
    ///
    /// Special tokens that are spelled out in the text are recognised; see [`Self::encode_ordinary`] for text from
    /// strangers.
    pub fn encode(&self, text: &str, add_special_tokens: bool) -> Result<Encoding, TokenizerError> {
        self.encode_with(&self.inner.pipeline, text, add_special_tokens)
    }

    /// Encodes two texts as one input, as the template joins them (`[CLS] a [SEP] b [SEP]`).
    pub fn encode_pair(
        &self,
        first: &str,
        second: &str,
        add_special_tokens: bool,
    ) -> Result<Encoding, TokenizerError> {
        let prepared = [first, second].map(|text| self.prepare(text));
        let pair = (prepared[0].text(), prepared[1].text());
        let encoded = self.inner.pipeline.encode(pair, add_special_tokens);
        let mut encoding = encoded.map(Encoding::from).map_err(|source| {
            match self.encode_error(first, source) {
                TokenizerError::Encode { source } => self.encode_error(second, source),
                found => found,
            }
        })?;
        for (offsets, side) in encoding.offsets.iter_mut().zip(&encoding.sequence_ids) {
            if let Some(side) = side {
                *offsets = prepared[*side].original(*offsets);
            }
        }
        Ok(encoding)
    }

    /// The ids of `text` without template and without offsets: the fast way, for preparing training data.
    ///
    /// Special tokens that are spelled out in the text are recognised, so that corpora with `<|endoftext|>` between
    /// documents work.
    pub fn encode_ids(&self, text: &str) -> Result<Vec<u32>, TokenizerError> {
        if let Some(characters) = &self.inner.characters
            && let Some(ids) = characters.encode(text)?
        {
            return Ok(ids);
        }
        self.ids_with(&self.inner.pipeline, text)
    }

    /// Encodes `text` with every special token in it taken as ordinary characters, and without the template.
    ///
    /// For text from outside: a user who types `<|endoftext|>` gets those thirteen characters, not the end of the
    /// text. Added tokens that are not special are still recognised.
    pub fn encode_ordinary(&self, text: &str) -> Result<Encoding, TokenizerError> {
        self.encode_with(self.ordinary()?, text, false)
    }

    /// The ids of [`Self::encode_ordinary`], faster.
    pub fn encode_ordinary_ids(&self, text: &str) -> Result<Vec<u32>, TokenizerError> {
        self.ids_with(self.ordinary()?, text)
    }

    /// Encodes many texts in parallel, on the current rayon pool.
    pub fn encode_batch<S: AsRef<str> + Sync>(
        &self,
        texts: &[S],
        add_special_tokens: bool,
    ) -> Result<Vec<Encoding>, TokenizerError> {
        texts.par_iter().map(|text| self.encode(text.as_ref(), add_special_tokens)).collect()
    }

    /// [`Self::encode_ids`] of many texts in parallel, on the current rayon pool.
    pub fn encode_ids_batch<S: AsRef<str> + Sync>(
        &self,
        texts: &[S],
    ) -> Result<Vec<Vec<u32>>, TokenizerError> {
        texts.par_iter().map(|text| self.encode_ids(text.as_ref())).collect()
    }

    /// An encoder that truncates and pads, for models that take rectangular batches.
    pub fn batch_encoder(&self, config: &BatchConfig) -> Result<BatchEncoder, TokenizerError> {
        BatchEncoder::new(self, config)
    }

    /// The text of `ids`. Ids outside the vocabulary stand for nothing, as models with a padded vocabulary expect.
    ///
    /// Bytes that are not UTF-8 (a byte-level model may stop inside a character) become U+FFFD.
    pub fn decode(&self, ids: &[u32], skip_special_tokens: bool) -> Result<String, TokenizerError> {
        let decoded = self.inner.pipeline.decode(ids, skip_special_tokens);
        decoded.map_err(|source| TokenizerError::Decode { source })
    }

    /// Decodes many sequences in parallel, on the current rayon pool.
    pub fn decode_batch<S: AsRef<[u32]> + Sync>(
        &self,
        sequences: &[S],
        skip_special_tokens: bool,
    ) -> Result<Vec<String>, TokenizerError> {
        sequences.par_iter().map(|ids| self.decode(ids.as_ref(), skip_special_tokens)).collect()
    }

    /// A decoder that takes one id at a time and gives text as soon as it is complete UTF-8.
    #[must_use]
    pub fn decode_stream(&self, skip_special_tokens: bool) -> DecodeStream {
        DecodeStream::new(self.clone(), skip_special_tokens)
    }

    /// What the normaliser makes of `text`: the first step of encoding, to look at.
    pub fn normalize(&self, text: &str) -> Result<String, TokenizerError> {
        let mut normalized = NormalizedString::from(self.prepare(text).text());
        if let Some(normalizer) = self.inner.pipeline.get_normalizer() {
            normalizer
                .normalize(&mut normalized)
                .map_err(|source| TokenizerError::Encode { source })?;
        }
        Ok(normalized.get().to_owned())
    }

    /// The pieces into which the pre-tokeniser cuts `text` before the model sees it, with byte offsets into `text`:
    /// the second step of encoding, to look at. `text` is taken as normalised.
    pub fn pre_tokenize(
        &self,
        text: &str,
    ) -> Result<Vec<(String, (usize, usize))>, TokenizerError> {
        let mut pieces = PreTokenizedString::from(text);
        if let Some(pre_tokenizer) = self.inner.pipeline.get_pre_tokenizer() {
            pre_tokenizer
                .pre_tokenize(&mut pieces)
                .map_err(|source| TokenizerError::Encode { source })?;
        }
        let splits = pieces.get_splits(OffsetReferential::Original, OffsetType::Byte);
        Ok(splits.into_iter().map(|(piece, offsets, _)| (piece.to_owned(), offsets)).collect())
    }

    /// Number of ids that a model over this tokenizer needs: one more than the largest id.
    ///
    /// Equal to [`Self::token_count`] unless ids are left out.
    #[must_use]
    pub fn vocab_size(&self) -> usize {
        self.inner.vocab_size
    }

    /// Number of tokens, added ones included.
    #[must_use]
    pub fn token_count(&self) -> usize {
        self.inner.pipeline.get_vocab_size(true)
    }

    /// All tokens with their ids, in the order of the ids.
    #[must_use]
    pub fn vocab(&self) -> Vec<(String, u32)> {
        let mut vocab: Vec<_> = self.inner.pipeline.get_vocab(true).into_iter().collect();
        vocab.sort_unstable_by(|left, right| (left.1, &left.0).cmp(&(right.1, &right.0)));
        vocab
    }

    /// The id of `token`, spelled as in the vocabulary (`Ġthe`, not ` the`).
    #[must_use]
    pub fn token_to_id(&self, token: &str) -> Option<u32> {
        self.inner.pipeline.token_to_id(token)
    }

    /// The token with this id, spelled as in the vocabulary.
    #[must_use]
    pub fn id_to_token(&self, id: u32) -> Option<String> {
        self.inner.pipeline.id_to_token(id)
    }

    /// Id of the token that begins a text.
    #[must_use]
    pub fn bos_token_id(&self) -> Option<u32> {
        self.role_id(Role::Bos)
    }

    /// Id of the token that ends a text.
    #[must_use]
    pub fn eos_token_id(&self) -> Option<u32> {
        self.role_id(Role::Eos)
    }

    /// Id of the padding token.
    #[must_use]
    pub fn pad_token_id(&self) -> Option<u32> {
        self.role_id(Role::Pad)
    }

    /// Id of the unknown token.
    #[must_use]
    pub fn unk_token_id(&self) -> Option<u32> {
        self.role_id(Role::Unk)
    }

    /// Id of the mask token.
    #[must_use]
    pub fn mask_token_id(&self) -> Option<u32> {
        self.role_id(Role::Mask)
    }

    /// Id of the classification token (BERT's `[CLS]`).
    #[must_use]
    pub fn cls_token_id(&self) -> Option<u32> {
        self.role_id(Role::Cls)
    }

    /// Id of the separator token (BERT's `[SEP]`).
    #[must_use]
    pub fn sep_token_id(&self) -> Option<u32> {
        self.role_id(Role::Sep)
    }

    /// The special tokens with their ids, in the order of the ids.
    #[must_use]
    pub fn special_tokens(&self) -> Vec<(String, u32)> {
        let added = self.inner.pipeline.get_added_tokens_decoder();
        let mut special: Vec<_> = added
            .into_iter()
            .filter(|(_, token)| token.special)
            .map(|(id, token)| (token.content, id))
            .collect();
        special.sort_unstable_by_key(|(_, id)| *id);
        special
    }

    /// The kind, if it is one that this crate trains.
    #[must_use]
    pub fn kind(&self) -> Option<TokenizerKind> {
        self.inner.kind
    }

    /// How the training went; `None` for a tokenizer that was loaded.
    #[must_use]
    pub fn training_report(&self) -> Option<&TrainingReport> {
        self.inner.training.as_ref()
    }

    /// `tokenizer_config.json` as it was read with the tokenizer; empty when there was none.
    ///
    /// Chat templates live here.
    #[must_use]
    pub fn config(&self) -> &Map<String, Value> {
        &self.inner.config
    }

    /// SHA-256 (hexadecimal) of everything that decides ids: two tokenizers with the same fingerprint give the same
    /// ids for every text. It survives saving and loading.
    ///
    /// Shards record it, so that training cannot read them with another tokenizer.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.inner.fingerprint.get_or_init(|| fingerprint::of(&self.description())).clone()
    }

    /// A summary for people and for `--json`.
    #[must_use]
    pub fn info(&self) -> TokenizerInfo {
        let model = match self.inner.pipeline.get_model() {
            ModelWrapper::BPE(_) => "BPE",
            ModelWrapper::WordPiece(_) => "WordPiece",
            ModelWrapper::WordLevel(_) => "WordLevel",
            ModelWrapper::Unigram(_) => "Unigram",
        };
        TokenizerInfo {
            kind: self.kind(),
            model: model.to_owned(),
            vocab_size: self.vocab_size(),
            token_count: self.token_count(),
            special_tokens: self.special_tokens(),
            bos_token_id: self.bos_token_id(),
            eos_token_id: self.eos_token_id(),
            pad_token_id: self.pad_token_id(),
            unk_token_id: self.unk_token_id(),
            mask_token_id: self.mask_token_id(),
            cls_token_id: self.cls_token_id(),
            sep_token_id: self.sep_token_id(),
            fingerprint: self.fingerprint(),
        }
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

    fn encode_with(
        &self,
        pipeline: &Pipeline,
        text: &str,
        add_special_tokens: bool,
    ) -> Result<Encoding, TokenizerError> {
        let prepared = self.prepare(text);
        let encoded = pipeline.encode(prepared.text(), add_special_tokens);
        let mut encoding =
            encoded.map(Encoding::from).map_err(|source| self.encode_error(text, source))?;
        for offsets in &mut encoding.offsets {
            *offsets = prepared.original(*offsets);
        }
        Ok(encoding)
    }

    fn ids_with(&self, pipeline: &Pipeline, text: &str) -> Result<Vec<u32>, TokenizerError> {
        let encoded = pipeline.encode_fast(self.prepare(text).text(), false);
        encoded
            .map(|encoding| encoding.get_ids().to_vec())
            .map_err(|source| self.encode_error(text, source))
    }

    fn role_id(&self, role: Role) -> Option<u32> {
        self.inner.special_tokens.get(role).and_then(|token| self.token_to_id(token))
    }

    fn ordinary(&self) -> Result<&Pipeline, TokenizerError> {
        if let Some(pipeline) = self.inner.ordinary.get() {
            return Ok(pipeline);
        }
        let pipeline = ordinary::without_special_tokens(&self.inner.pipeline)?;
        Ok(self.inner.ordinary.get_or_init(|| pipeline))
    }

    /// The crate's error, unless it is a character without a token: then which and where.
    fn encode_error(&self, text: &str, source: PipelineError) -> TokenizerError {
        let unknown = self.inner.characters.as_ref().and_then(|table| table.first_unknown(text));
        unknown.unwrap_or(TokenizerError::Encode { source })
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
    fn original(&self, offsets: (usize, usize)) -> (usize, usize) {
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
