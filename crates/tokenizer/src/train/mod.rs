//! Training: a corpus in, a [`Tokenizer`] out. Same corpus, same configuration, same tokenizer — always.
//!
//! The `tokenizers` crate's own trainers are not reproducible as they stand: they walk hash maps in random order
//! (WordPiece then gives `##` pieces other ids from run to run) and add up floating-point numbers in the order in
//! which threads finish (Unigram). Here the words are counted once, in parallel, into an ordered list; byte-level BPE
//! and WordPiece learn their merges in [`merges`], and the crate's Unigram trainer gets the ordered list and one
//! thread.

mod byte_level_bpe;
mod char;
mod config;
mod corpus;
mod limit;
mod merges;
mod unigram;
mod word;
mod word_piece;

use serde::Serialize;

pub use config::{TieBreak, TokenizerTrainerConfig};

use crate::error::TokenizerError;
use crate::kind::TokenizerKind;
use crate::load::tokenizer_json;
use crate::pipeline::Description;
use crate::special_tokens::{Role, SpecialTokens};
use crate::tokenizer::{Extras, Tokenizer};

/// How a training went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrainingReport {
    /// The vocabulary size asked for.
    pub requested_vocab_size: usize,
    /// The vocabulary size reached; smaller if the corpus does not support more.
    pub vocab_size: usize,
    /// Number of texts.
    pub texts: u64,
    /// Number of bytes of text.
    pub bytes: u64,
    /// Number of distinct words (characters, for a character vocabulary).
    pub distinct_words: usize,
}

impl TrainingReport {
    /// Whether the corpus gave as many tokens as were asked for.
    #[must_use]
    pub fn reached_requested_size(&self) -> bool {
        self.vocab_size >= self.requested_vocab_size
    }
}

/// What a kind's trainer gives back.
struct Trained {
    description: Description,
    texts: u64,
    bytes: u64,
    distinct_words: usize,
}

impl Tokenizer {
    /// Trains a tokenizer on `texts`.
    ///
    /// The result depends on the configuration and the texts alone, not on threads or chance. If the corpus does not
    /// support `vocab_size` tokens, the vocabulary is smaller, [`Tokenizer::training_report`] says so, and a warning
    /// is emitted. Special tokens that are spelled out in the texts (`<|endoftext|>` between documents) are left out
    /// of the counts.
    ///
    /// Memory grows with the number of distinct words, not with the length of the corpus.
    pub fn train<I>(config: &TokenizerTrainerConfig, texts: I) -> Result<Self, TokenizerError>
    where
        I: Iterator<Item = String> + Send,
    {
        config.validate()?;
        let trained = match config.kind {
            TokenizerKind::ByteLevelBpe => byte_level_bpe::train(config, texts),
            TokenizerKind::WordPiece => word_piece::train(config, texts),
            TokenizerKind::Unigram => unigram::train(config, texts),
            TokenizerKind::Char => char::train(config, texts),
            TokenizerKind::Word => word::train(config, texts),
        }?;
        finish(config, trained)
    }
}

fn finish(config: &TokenizerTrainerConfig, trained: Trained) -> Result<Tokenizer, TokenizerError> {
    let pipeline = tokenizer_json::pipeline(&trained.description.into_json())
        .map_err(|message| TokenizerError::Train { source: message.into() })?;
    let report = TrainingReport {
        requested_vocab_size: config.vocab_size,
        vocab_size: pipeline.get_vocab_size(true),
        texts: trained.texts,
        bytes: trained.bytes,
        distinct_words: trained.distinct_words,
    };
    // A character vocabulary has what the text has; there the size is a limit and not a wish.
    if config.kind != TokenizerKind::Char && !report.reached_requested_size() {
        tracing::warn!(
            requested_vocab_size = report.requested_vocab_size,
            vocab_size = report.vocab_size,
            texts = report.texts,
            bytes = report.bytes,
            "the corpus does not support the requested vocabulary size"
        );
    }
    let special_tokens = roles(config);
    Tokenizer::new(pipeline, Extras { special_tokens, training: Some(report), ..Extras::default() })
}

/// The unknown token is the one that the trainer used; the other roles go by their conventional names.
fn roles(config: &TokenizerTrainerConfig) -> SpecialTokens {
    let mut roles = SpecialTokens::default();
    roles.set(Role::Unk, config.unknown_token());
    roles
}
