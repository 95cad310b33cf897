//! What `wuji tokenizer info` shows.

use serde::Serialize;

use crate::kind::TokenizerKind;

/// A summary of a tokenizer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TokenizerInfo {
    /// The kind, if it is one that Wuji trains; Llama 2's BPE over characters, for one, is not.
    pub kind: Option<TokenizerKind>,
    /// The algorithm: `BPE`, `WordPiece`, `Unigram` or `WordLevel`.
    pub model: String,
    /// Number of ids that a model needs: one more than the largest id.
    pub vocab_size: usize,
    /// Number of tokens; smaller than `vocab_size` where ids are left out.
    pub token_count: usize,
    /// Special tokens with their ids, in the order of the ids.
    pub special_tokens: Vec<(String, u32)>,
    /// Id of the token that begins a text.
    pub bos_token_id: Option<u32>,
    /// Id of the token that ends a text.
    pub eos_token_id: Option<u32>,
    /// Id of the padding token.
    pub pad_token_id: Option<u32>,
    /// Id of the unknown token.
    pub unk_token_id: Option<u32>,
    /// Id of the mask token.
    pub mask_token_id: Option<u32>,
    /// Id of the classification token (BERT's `[CLS]`).
    pub cls_token_id: Option<u32>,
    /// Id of the separator token (BERT's `[SEP]`).
    pub sep_token_id: Option<u32>,
    /// SHA-256 of the content, as shards and checkpoints record it.
    pub fingerprint: String,
}
