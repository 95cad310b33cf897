//! Trains a word vocabulary: the most frequent words, equally frequent ones in the order of the dictionary.

use std::cmp::Reverse;

use serde_json::{Value, json};

use super::corpus::count_words;
use super::{TokenizerTrainerConfig, Trained};
use crate::error::TokenizerError;
use crate::load::tokenizer_json;
use crate::pipeline::{self, Description, leading_special_tokens};

pub(super) fn train(
    config: &TokenizerTrainerConfig,
    texts: impl Iterator<Item = String>,
) -> Result<Trained, TokenizerError> {
    let special = config.effective_special_tokens();
    if special.len() >= config.vocab_size {
        return Err(TokenizerError::VocabularyTooSmall {
            requested: config.vocab_size,
            special: special.len(),
            alphabet: 1,
            unit: "word",
        });
    }
    let empty_vocab = pipeline::vocab(special.iter().map(String::as_str));
    let skeleton = tokenizer_json::pipeline(&describe(config, empty_vocab, &special).into_json())
        .map_err(|message| TokenizerError::Train { source: message.into() })?;
    let mut corpus = count_words(&skeleton, texts)?;
    let distinct_words = corpus.items.len();

    corpus.items.retain(|(word, count)| *count >= config.min_frequency && !special.contains(word));
    corpus.items.sort_by_key(|(_, count)| Reverse(*count));
    let words = corpus.items.iter().map(|(word, _)| word);
    let tokens = special.iter().chain(words).take(config.vocab_size).map(String::as_str);
    Ok(Trained {
        description: describe(config, pipeline::vocab(tokens), &special),
        texts: corpus.texts,
        bytes: corpus.bytes,
        distinct_words,
    })
}

fn describe(config: &TokenizerTrainerConfig, vocab: Value, special: &[String]) -> Description {
    Description {
        normalizer: if config.lowercase { json!({"type": "Lowercase"}) } else { Value::Null },
        // Letters, digits and underscores together, other signs together, white space nowhere.
        pre_tokenizer: json!({"type": "Whitespace"}),
        post_processor: Value::Null,
        // Without a decoder, tokens are joined with spaces.
        decoder: Value::Null,
        model: json!({"type": "WordLevel", "vocab": vocab, "unk_token": config.unknown_token()}),
        added_tokens: leading_special_tokens(special),
    }
}
