//! What a tokenizer can say about itself: its vocabulary, its special tokens, its steps, its fingerprint.

use serde::Serialize;
use serde_json::{Map, Value};
use tokenizers::{
    ModelWrapper, NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString,
    PreTokenizer,
};

use crate::error::TokenizerError;
use crate::fingerprint;
use crate::info::TokenizerInfo;
use crate::kind::TokenizerKind;
use crate::special_tokens::Role;
use crate::tokenizer::Tokenizer;
use crate::train::TrainingReport;

/// A piece of text that the model sees as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PreToken {
    /// The piece as the model sees it; byte-level tokenizers spell a space `Ġ`.
    pub text: String,
    /// Its place in the text that was cut, in bytes.
    pub offsets: (usize, usize),
}

impl Tokenizer {
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
    pub fn pre_tokenize(&self, text: &str) -> Result<Vec<PreToken>, TokenizerError> {
        let mut pieces = PreTokenizedString::from(text);
        if let Some(pre_tokenizer) = self.inner.pipeline.get_pre_tokenizer() {
            pre_tokenizer
                .pre_tokenize(&mut pieces)
                .map_err(|source| TokenizerError::Encode { source })?;
        }
        let splits = pieces.get_splits(OffsetReferential::Original, OffsetType::Byte);
        let pre_token =
            |(text, offsets, _): (&str, _, _)| PreToken { text: text.to_owned(), offsets };
        Ok(splits.into_iter().map(pre_token).collect())
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

    fn role_id(&self, role: Role) -> Option<u32> {
        self.inner.special_tokens.get(role).and_then(|token| self.token_to_id(token))
    }
}
