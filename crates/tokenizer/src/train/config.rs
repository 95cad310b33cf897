//! What a tokenizer is trained to be.

use serde::{Deserialize, Serialize};

use crate::byte_level::char_byte;
use crate::error::TokenizerError;
use crate::kind::TokenizerKind;
use crate::split_pattern::SplitPattern;

/// Vocabularies beyond this are taken for a mistake: ids would not fit 24 bits.
const LARGEST_VOCAB_SIZE: usize = 1 << 24;

/// Which of two equally frequent pairs is merged first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TieBreak {
    /// The pair whose tokens have the smaller ids: the rule of Hugging Face `tokenizers`.
    #[default]
    SmallestIds,
    /// The pair whose bytes come last in the dictionary: the rule of Stanford's CS336 and other teaching code.
    GreatestBytes,
}

/// What to train; in TOML the section `[tokenizer]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenizerTrainerConfig {
    /// Kind of tokenizer; default `byte-level-bpe`.
    pub kind: TokenizerKind,
    /// Number of tokens, special ones included; default 8192. A limit for `char`, which has what the text has.
    pub vocab_size: usize,
    /// How often a merge or a word must occur to be learnt; default 2. `char` takes every character.
    pub min_frequency: u64,
    /// Special tokens, with the ids from 0 on. Empty (the default) means the kind's own: `<|endoftext|>` for
    /// `byte-level-bpe`, BERT's five for `word-piece`, `<unk> <s> </s>` for `unigram`, `<unk>` for `word`, none for
    /// `char`.
    pub special_tokens: Vec<String>,
    /// Trains without any special token, where the kind allows it; default false.
    pub no_special_tokens: bool,
    /// Folds text to lower case before anything else; default false. Decoding then cannot give back the case.
    pub lowercase: bool,
    /// How `byte-level-bpe` cuts text into pieces; default `gpt2`.
    pub pattern: SplitPattern,
    /// Keeps only the most frequent characters (`word-piece`, `unigram`); default all.
    pub limit_alphabet: Option<usize>,
    /// Longest token in characters (bytes for `byte-level-bpe`); default no limit, 16 for `unigram`.
    pub max_token_length: Option<usize>,
    /// Which of equally frequent pairs `byte-level-bpe` and `word-piece` merge first; default `smallest-ids`.
    pub tie_break: TieBreak,
}

impl Default for TokenizerTrainerConfig {
    fn default() -> Self {
        Self {
            kind: TokenizerKind::ByteLevelBpe,
            vocab_size: 8192,
            min_frequency: 2,
            special_tokens: Vec::new(),
            no_special_tokens: false,
            lowercase: false,
            pattern: SplitPattern::Gpt2,
            limit_alphabet: None,
            max_token_length: None,
            tie_break: TieBreak::SmallestIds,
        }
    }
}

impl TokenizerTrainerConfig {
    /// The default configuration of `kind` with this vocabulary size.
    #[must_use]
    pub fn new(kind: TokenizerKind, vocab_size: usize) -> Self {
        Self { kind, vocab_size, ..Self::default() }
    }

    /// The special tokens that training will use: those given, or else the kind's own.
    #[must_use]
    pub fn effective_special_tokens(&self) -> Vec<String> {
        if self.no_special_tokens || !self.special_tokens.is_empty() {
            return self.special_tokens.clone();
        }
        let names: &[&str] = match self.kind {
            TokenizerKind::ByteLevelBpe => &["<|endoftext|>"],
            TokenizerKind::WordPiece => &["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"],
            TokenizerKind::Unigram => &["<unk>", "<s>", "</s>"],
            TokenizerKind::Char => &[],
            TokenizerKind::Word => &["<unk>"],
        };
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    /// The special token that stands for what is not in the vocabulary.
    pub(crate) fn unknown_token(&self) -> Option<String> {
        let names = ["[UNK]", "<unk>", "<|unk|>"];
        self.effective_special_tokens().into_iter().find(|token| names.contains(&token.as_str()))
    }

    /// Checks the configuration by itself.
    ///
    /// # Errors
    ///
    /// Lists every problem, not only the first.
    pub fn validate(&self) -> Result<(), TokenizerError> {
        let mut problems = Vec::new();
        if !(1..=LARGEST_VOCAB_SIZE).contains(&self.vocab_size) {
            problems.push(format!(
                "vocab_size is {}: expected 1 to {LARGEST_VOCAB_SIZE}",
                self.vocab_size
            ));
        }
        if self.limit_alphabet == Some(0) {
            problems.push("limit_alphabet is 0: expected at least 1".to_owned());
        }
        if self.max_token_length == Some(0) {
            problems.push("max_token_length is 0: expected at least 1".to_owned());
        }
        if self.no_special_tokens && !self.special_tokens.is_empty() {
            problems.push("special_tokens are given although no_special_tokens is true".to_owned());
        }
        self.check_special_tokens(&mut problems);
        if problems.is_empty() { Ok(()) } else { Err(TokenizerError::InvalidConfig { problems }) }
    }

    fn check_special_tokens(&self, problems: &mut Vec<String>) {
        let tokens = self.effective_special_tokens();
        for (index, token) in tokens.iter().enumerate() {
            if token.is_empty() {
                problems.push(format!("special_tokens[{index}] is empty"));
            }
            if tokens[..index].contains(token) {
                problems.push(format!("special_tokens[{index}] {token:?} is given twice"));
            }
            if self.kind == TokenizerKind::ByteLevelBpe && reads_as_other_bytes(token) {
                problems.push(format!(
                    "special_tokens[{index}] {token:?} would decode to other bytes: expected ASCII, or at least one \
                     character from U+0144 on"
                ));
            }
        }
        let needs_unknown = matches!(
            self.kind,
            TokenizerKind::WordPiece | TokenizerKind::Unigram | TokenizerKind::Word
        );
        if needs_unknown && self.unknown_token().is_none() {
            problems.push(format!(
                "special_tokens {tokens:?} have no unknown token, which {} needs: expected [UNK] or <unk> among them",
                self.kind
            ));
        }
    }
}

/// Whether the byte-level decoder would take the token's letters for the spelling of other bytes (`é` for byte 0xE9).
fn reads_as_other_bytes(token: &str) -> bool {
    !token.is_ascii() && token.chars().all(|character| char_byte(character).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_is_listed() {
        let config = TokenizerTrainerConfig {
            kind: TokenizerKind::WordPiece,
            vocab_size: 0,
            limit_alphabet: Some(0),
            special_tokens: vec!["a".to_owned(), "a".to_owned(), String::new()],
            ..TokenizerTrainerConfig::default()
        };
        let message = config.validate().unwrap_err().to_string();
        for part in
            ["vocab_size is 0", "limit_alphabet", "given twice", "[2] is empty", "no unknown token"]
        {
            assert!(message.contains(part), "{part:?} is missing in {message:?}");
        }
    }

    #[test]
    fn a_special_token_that_byte_level_decoding_would_garble_is_refused() {
        let config = TokenizerTrainerConfig {
            special_tokens: vec!["<é>".to_owned()],
            ..TokenizerTrainerConfig::default()
        };
        assert!(config.validate().unwrap_err().to_string().contains("other bytes"));
        let fine = TokenizerTrainerConfig {
            special_tokens: vec!["<é｜>".to_owned()],
            ..TokenizerTrainerConfig::default()
        };
        assert!(fine.validate().is_ok());
    }

    #[test]
    fn a_configuration_survives_json_and_unknown_keys_are_errors() {
        let config = TokenizerTrainerConfig::new(TokenizerKind::Unigram, 500);
        let text = serde_json::to_string(&config).unwrap();
        assert!(text.contains("\"kind\":\"unigram\""));
        assert_eq!(serde_json::from_str::<TokenizerTrainerConfig>(&text).unwrap(), config);
        assert!(serde_json::from_str::<TokenizerTrainerConfig>("{\"vocabsize\": 3}").is_err());
    }
}
