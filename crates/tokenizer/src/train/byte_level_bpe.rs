//! Trains byte-level BPE (Radford et al. 2019): the 256 bytes, then merges; every text can be encoded.

use serde_json::{Value, json};

use super::corpus::{count_byte_pieces, count_words};
use super::merges::{Rules, Word, learn};
use super::{TokenizerTrainerConfig, Trained};
use crate::byte_level::{alphabet, push_token_bytes};
use crate::byte_pieces::BytePieces;
use crate::error::TokenizerError;
use crate::load::tokenizer_json;
use crate::pipeline::{self, Description, byte_level_bpe, leading_special_tokens};

pub(super) fn train(
    config: &TokenizerTrainerConfig,
    texts: impl Iterator<Item = String>,
) -> Result<Trained, TokenizerError> {
    let special = config.effective_special_tokens();
    let mut tokens = special.clone();
    tokens.extend(alphabet());
    if tokens.len() > config.vocab_size {
        return Err(TokenizerError::VocabularyTooSmall {
            requested: config.vocab_size,
            special: special.len(),
            alphabet: 256,
            unit: "bytes",
        });
    }
    let skeleton =
        tokenizer_json::pipeline(&describe(config, json!({}), Vec::new(), &special).into_json())
            .map_err(|message| TokenizerError::Train { source: message.into() })?;
    let corpus = match BytePieces::of(&skeleton) {
        Some(pieces) => count_byte_pieces(&skeleton, &pieces, texts),
        None => count_words(&skeleton, texts),
    }?;
    let words = corpus
        .items
        .iter()
        .map(|(word, count)| Word { symbols: symbols(word, special.len() as u32), count: *count })
        .collect();
    let learnt = learn(
        tokens,
        words,
        &Rules {
            vocab_size: config.vocab_size,
            min_frequency: config.min_frequency,
            max_token_length: config.max_token_length,
            continuing_prefix: "",
            tie_break: config.tie_break,
            token_bytes,
        },
    );
    let token = |id: u32| &learnt.tokens[id as usize];
    let merges =
        learnt.merges.iter().map(|&(left, right)| json!([token(left), token(right)])).collect();
    let vocab = pipeline::vocab(learnt.tokens.iter().map(String::as_str));
    Ok(Trained {
        description: describe(config, vocab, merges, &special),
        texts: corpus.texts,
        bytes: corpus.bytes,
        distinct_words: corpus.items.len(),
    })
}

fn describe(
    config: &TokenizerTrainerConfig,
    vocab: Value,
    merges: Vec<Value>,
    special: &[String],
) -> Description {
    let pre_tokenizer = config.pattern.pre_tokenizer();
    let mut description =
        byte_level_bpe(vocab, merges, pre_tokenizer, leading_special_tokens(special));
    if config.lowercase {
        description.normalizer = json!({"type": "Lowercase"});
    }
    description
}

/// The symbols of a word that the pre-tokenizer has spelled in byte characters; `first` is the id of the first byte.
fn symbols(word: &str, first: u32) -> Vec<u32> {
    let alphabet = alphabet_positions();
    word.chars()
        .filter_map(|character| alphabet.get(&character))
        .map(|position| first + position)
        .collect()
}

fn alphabet_positions() -> &'static std::collections::HashMap<char, u32> {
    static POSITIONS: std::sync::LazyLock<std::collections::HashMap<char, u32>> =
        std::sync::LazyLock::new(|| {
            alphabet().iter().flat_map(|token| token.chars()).zip(0..).collect()
        });
    &POSITIONS
}

fn token_bytes(token: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    push_token_bytes(token, &mut bytes);
    bytes
}
