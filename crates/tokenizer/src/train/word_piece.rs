//! Trains WordPiece as the `tokenizers` crate does: BPE's merges over words whose inner characters carry `##`, of
//! which only the tokens are kept. (Google's own trainer, which maximises likelihood, was never published.)

use std::collections::{BTreeSet, HashMap};

use super::corpus::count_words;
use super::limit::{kept_characters, runs_of};
use super::merges::{Rules, Word, learn};
use super::{TokenizerTrainerConfig, Trained};
use crate::error::TokenizerError;
use crate::load::tokenizer_json;
use crate::pipeline::{self, leading_special_tokens, word_piece};

/// What a piece begins with that continues a word.
const CONTINUING: &str = "##";

pub(super) fn train(
    config: &TokenizerTrainerConfig,
    texts: impl Iterator<Item = String>,
) -> Result<Trained, TokenizerError> {
    let special = config.effective_special_tokens();
    let unknown = config.unknown_token().unwrap_or_default();
    let describe =
        |vocab| word_piece(vocab, &unknown, config.lowercase, leading_special_tokens(&special));
    let empty_vocab = pipeline::vocab(special.iter().map(String::as_str));
    let skeleton = tokenizer_json::pipeline(&describe(empty_vocab).into_json())
        .map_err(|message| TokenizerError::Train { source: message.into() })?;
    let corpus = count_words(&skeleton, texts)?;

    let kept = kept_characters(&corpus.items, config.limit_alphabet);
    let words: Vec<(&str, u64)> = corpus
        .items
        .iter()
        .flat_map(|(word, count)| runs_of(word, &kept).map(|run| (run, *count)))
        .collect();
    let alphabet = alphabet(&words);
    if special.len() + alphabet.len() > config.vocab_size {
        return Err(TokenizerError::VocabularyTooSmall {
            requested: config.vocab_size,
            special: special.len(),
            alphabet: alphabet.len(),
            unit: "characters (those inside words count apart; limit_alphabet keeps fewer)",
        });
    }
    let tokens: Vec<String> = special.iter().cloned().chain(alphabet).collect();
    let ids: HashMap<&str, u32> = tokens.iter().map(String::as_str).zip(0..).collect();
    let words = words
        .into_iter()
        .map(|(word, count)| Word {
            symbols: pieces(word).map(|piece| ids[piece.as_str()]).collect(),
            count,
        })
        .collect();
    let learnt = learn(
        tokens.clone(),
        words,
        &Rules {
            vocab_size: config.vocab_size,
            min_frequency: config.min_frequency,
            max_token_length: config.max_token_length,
            continuing_prefix: CONTINUING,
            tie_break: config.tie_break,
            token_bytes: |token| token.as_bytes().to_vec(),
        },
    );
    let vocab = pipeline::vocab(learnt.tokens.iter().map(String::as_str));
    Ok(Trained {
        description: describe(vocab),
        texts: corpus.texts,
        bytes: corpus.bytes,
        distinct_words: corpus.items.len(),
    })
}

/// The single-character pieces of a word: the first plain, the others continuing.
fn pieces(word: &str) -> impl Iterator<Item = String> {
    word.chars().enumerate().map(|(index, character)| {
        if index == 0 { character.to_string() } else { format!("{CONTINUING}{character}") }
    })
}

/// All single-character pieces: the plain ones, then the continuing ones, each in the order of code points.
fn alphabet(words: &[(&str, u64)]) -> Vec<String> {
    let first: BTreeSet<char> = words.iter().flat_map(|(word, _)| word.chars()).collect();
    let continuing: BTreeSet<char> =
        words.iter().flat_map(|(word, _)| word.chars().skip(1)).collect();
    let plain = first.into_iter().map(String::from);
    plain
        .chain(continuing.into_iter().map(|character| format!("{CONTINUING}{character}")))
        .collect()
}
