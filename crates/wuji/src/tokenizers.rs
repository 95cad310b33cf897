//! A tokenizer learnt from a corpus, and what a tokenizer makes of one.

use serde::Serialize;
use wuji_data::{Corpus, DataError, DocumentPart};
use wuji_tokenizer::{Tokenizer, TokenizerTrainerConfig};

use crate::WujiError;

/// Trains a tokenizer on all text of `corpus`.
///
/// # Errors
/// Text that cannot be read, or a config that cannot be met.
pub fn train_tokenizer(
    config: &TokenizerTrainerConfig,
    corpus: &Corpus,
) -> Result<Tokenizer, WujiError> {
    let parts = corpus.sources().iter().map(|source| source.source.parts());
    let parts = parts.collect::<Result<Vec<_>, _>>()?;
    train_on_parts(config, parts.into_iter().flatten())
}

/// Trains a tokenizer on a stream of text, until its end or the first part that cannot be read.
///
/// # Errors
/// As [`train_tokenizer`].
pub fn train_on_parts(
    config: &TokenizerTrainerConfig,
    parts: impl Iterator<Item = Result<DocumentPart, DataError>> + Send,
) -> Result<Tokenizer, WujiError> {
    let mut failure = None;
    let trained = Tokenizer::train(config, Readable { parts, failure: &mut failure });
    match failure {
        Some(error) => Err(error.into()),
        None => Ok(trained?),
    }
}

/// The texts until the first that cannot be read, which is kept for the caller.
struct Readable<'a, I> {
    parts: I,
    failure: &'a mut Option<DataError>,
}

impl<I: Iterator<Item = Result<DocumentPart, DataError>>> Iterator for Readable<'_, I> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        match self.parts.next()? {
            Ok(part) => Some(part.text),
            Err(error) => {
                *self.failure = Some(error);
                None
            }
        }
    }
}

/// How densely a tokenizer packs a corpus.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Compression {
    /// Bytes of text.
    pub bytes: u64,
    /// Characters of text.
    pub characters: u64,
    /// Tokens they became.
    pub tokens: u64,
    /// Bytes per token.
    pub bytes_per_token: f64,
    /// Tokens that stand for what the vocabulary does not have.
    pub unknown_tokens: u64,
}

/// Counts the tokens of all text of `corpus`.
///
/// # Errors
/// Text that cannot be read or encoded.
pub fn compression(tokenizer: &Tokenizer, corpus: &Corpus) -> Result<Compression, WujiError> {
    let (mut bytes, mut characters, mut tokens, mut unknown_tokens) = (0, 0, 0, 0);
    let unknown = tokenizer.unk_token_id();
    for source in corpus.sources() {
        for part in source.source.parts()? {
            let text = part?.text;
            let ids = tokenizer.encode_ids(&text)?;
            bytes += text.len() as u64;
            characters += text.chars().count() as u64;
            tokens += ids.len() as u64;
            unknown_tokens += ids.iter().filter(|id| Some(**id) == unknown).count() as u64;
        }
    }
    let bytes_per_token = bytes as f64 / tokens.max(1) as f64;
    Ok(Compression { bytes, characters, tokens, bytes_per_token, unknown_tokens })
}

#[cfg(test)]
mod tests {
    use super::*;
    use wuji_data::MemorySource;
    use wuji_tokenizer::TokenizerKind;

    #[test]
    fn a_character_vocabulary_has_one_token_per_character() {
        let corpus = Corpus::single(MemorySource::new("x", ["häha".to_owned()]));
        let config = TokenizerTrainerConfig::new(TokenizerKind::Char, 100);
        let tokenizer = train_tokenizer(&config, &corpus).unwrap();
        let found = compression(&tokenizer, &corpus).unwrap();
        assert_eq!(tokenizer.vocab_size(), 3);
        assert_eq!((found.bytes, found.characters, found.tokens), (5, 4, 4));
        assert_eq!(found.bytes_per_token, 1.25);
    }

    #[test]
    fn what_cannot_be_read_is_the_error_and_not_a_shorter_text() {
        let bad = DataError::EmptyFile { path: "x.txt".into() };
        let config = TokenizerTrainerConfig::new(TokenizerKind::Char, 100);
        let error = train_on_parts(&config, [Err(bad)].into_iter()).unwrap_err();
        assert_eq!(error.to_string(), "x.txt: the file is empty");
    }
}
