//! Trains a character vocabulary: the distinct characters of the text in the order of their code points, as
//! nanoGPT's `shakespeare_char` numbers them, after the special tokens if any were asked for.

use std::cmp::Reverse;

use serde_json::{Value, json};

use super::corpus::count_characters;
use super::{TokenizerTrainerConfig, Trained};
use crate::error::TokenizerError;
use crate::kind::ANY_CHARACTER;
use crate::load::tokenizer_json;
use crate::pipeline::{self, Description, leading_special_tokens};

pub(super) fn train(
    config: &TokenizerTrainerConfig,
    texts: impl Iterator<Item = String>,
) -> Result<Trained, TokenizerError> {
    let special = config.effective_special_tokens();
    let empty_vocab = pipeline::vocab(special.iter().map(String::as_str));
    let skeleton =
        Description { pre_tokenizer: Value::Null, ..describe(config, empty_vocab, &special) };
    let skeleton = tokenizer_json::pipeline(&skeleton.into_json())
        .map_err(|message| TokenizerError::Train { source: message.into() })?;
    let corpus = count_characters(&skeleton, texts)?;
    let distinct = corpus.items.len();

    let room = config.vocab_size.saturating_sub(special.len());
    let characters: Vec<String> = if distinct <= room {
        corpus.items.iter().map(|(character, _)| character.to_string()).collect()
    } else if config.unknown_token().is_some() && room > 0 {
        most_frequent(corpus.items, room)
    } else {
        return Err(TokenizerError::VocabularyTooSmall {
            requested: config.vocab_size,
            special: special.len(),
            alphabet: distinct,
            unit: "characters (with an unknown token among the special_tokens, rare ones can be left out)",
        });
    };
    let single_character_special =
        special.iter().filter(|token| characters.contains(token)).count();
    if single_character_special > 0 {
        let problem = format!(
            "special_tokens {special:?}: a single character of the text cannot be a special token"
        );
        return Err(TokenizerError::InvalidConfig { problems: vec![problem] });
    }
    let vocab = pipeline::vocab(special.iter().chain(&characters).map(String::as_str));
    Ok(Trained {
        description: describe(config, vocab, &special),
        texts: corpus.texts,
        bytes: corpus.bytes,
        distinct_words: distinct,
    })
}

fn most_frequent(mut counted: Vec<(char, u64)>, room: usize) -> Vec<String> {
    counted.sort_by_key(|(_, count)| Reverse(*count));
    counted.truncate(room);
    counted.sort_unstable();
    counted.into_iter().map(|(character, _)| character.to_string()).collect()
}

fn describe(config: &TokenizerTrainerConfig, vocab: Value, special: &[String]) -> Description {
    Description {
        normalizer: if config.lowercase { json!({"type": "Lowercase"}) } else { Value::Null },
        pre_tokenizer: json!({
            "type": "Split", "pattern": {"Regex": ANY_CHARACTER}, "behavior": "Isolated", "invert": false
        }),
        post_processor: Value::Null,
        decoder: json!({"type": "Fuse"}),
        // WordLevel rather than BPE without merges: BPE drops characters that it does not know, without a word.
        model: json!({
            "type": "WordLevel", "vocab": vocab,
            "unk_token": config.unknown_token().unwrap_or_else(|| "<unk>".to_owned()),
        }),
        added_tokens: leading_special_tokens(special),
    }
}
