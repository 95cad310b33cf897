//! The words of token ids, for files that hold words.

use std::collections::HashMap;

use super::config::Boundaries;
use crate::ClassicalError;

/// A word for each token id: token 0 is the first, and so on. A `bos` outside a model's vocabulary is
/// the last word.
///
/// ```
/// use wuji_classical::Vocabulary;
///
/// # fn main() -> Result<(), wuji_classical::ClassicalError> {
/// let words = Vocabulary::new(["the", "cat", "<s>", "</s>"])?;
/// assert_eq!(words.id("cat"), Some(1));
/// assert_eq!(words.word(0), Some("the"));
/// let letters = Vocabulary::characters(&['a', ' '])?;
/// assert_eq!(letters.word(1), Some("<U+0020>"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vocabulary {
    words: Vec<String>,
    ids: HashMap<String, u32>,
}

impl Vocabulary {
    /// The start of a sentence in ARPA files.
    pub const BOS: &'static str = "<s>";
    /// The end of a sentence in ARPA files.
    pub const EOS: &'static str = "</s>";

    /// The words of tokens 0, 1, 2, …
    ///
    /// # Errors
    /// [`ClassicalError::Word`] for a word that is empty, holds white space or comes twice.
    pub fn new(words: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, ClassicalError> {
        let mut vocabulary = Self { words: Vec::new(), ids: HashMap::new() };
        for word in words {
            vocabulary.push(word.into())?;
        }
        Ok(vocabulary)
    }

    /// One word for each character; white space and control characters are written `<U+0020>`.
    ///
    /// # Errors
    /// [`ClassicalError::Word`] for a character that comes twice.
    pub fn characters(characters: &[char]) -> Result<Self, ClassicalError> {
        Self::new(characters.iter().map(|&character| {
            if character.is_whitespace() || character.is_control() {
                format!("<U+{:04X}>", u32::from(character))
            } else {
                character.to_string()
            }
        }))
    }

    /// The 256 bytes as SentencePiece writes them: `<0x00>` to `<0xFF>`.
    pub fn bytes() -> Self {
        Self::new((0..256).map(|byte| format!("<0x{byte:02X}>"))).expect("all are different")
    }

    /// The same words and one more.
    ///
    /// # Errors
    /// [`ClassicalError::Word`] as for [`new`](Self::new).
    pub fn with(mut self, word: impl Into<String>) -> Result<Self, ClassicalError> {
        self.push(word.into())?;
        Ok(self)
    }

    pub(super) fn push(&mut self, word: String) -> Result<(), ClassicalError> {
        let token = self.words.len();
        // ARPA files separate words by ASCII white space alone.
        let expected = if word.is_empty() || word.contains(|c: char| c.is_ascii_whitespace()) {
            "a word without white space"
        } else if self.ids.insert(word.clone(), token as u32).is_some() {
            "every word once"
        } else {
            self.words.push(word);
            return Ok(());
        };
        Err(ClassicalError::Word { token, word, expected })
    }

    /// How many words there are.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The word of `id`.
    pub fn word(&self, id: u32) -> Option<&str> {
        self.words.get(id as usize).map(String::as_str)
    }

    /// The id of `word`.
    pub fn id(&self, word: &str) -> Option<u32> {
        self.ids.get(word).copied()
    }

    /// The boundaries that the words speak of: sentences where there is `<s>`, with an end where there
    /// is `</s>`, and a running stream otherwise.
    pub fn boundaries(&self) -> Boundaries {
        match self.id(Self::BOS) {
            Some(bos) => Boundaries::Sentences { bos, eos: self.id(Self::EOS) },
            None => Boundaries::Stream,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_cannot_be_told_apart_in_a_file_are_refused() {
        let check = |words: &[&str], message: &str| {
            let error = Vocabulary::new(words.iter().copied()).unwrap_err();
            assert_eq!(error.to_string(), message);
        };
        check(&["a", ""], "word \"\" of token 1: expected a word without white space");
        check(&["a b"], "word \"a b\" of token 0: expected a word without white space");
        check(&["a", "b", "a"], "word \"a\" of token 2: expected every word once");
    }

    #[test]
    fn boundaries_follow_from_the_words() {
        let of = |words: &[&str]| Vocabulary::new(words.iter().copied()).unwrap().boundaries();
        assert_eq!(of(&["a"]), Boundaries::Stream);
        assert_eq!(of(&["a", "<s>"]), Boundaries::Sentences { bos: 1, eos: None });
        assert_eq!(of(&["</s>", "<s>"]), Boundaries::Sentences { bos: 1, eos: Some(0) });
        assert_eq!(Vocabulary::bytes().word(255), Some("<0xFF>"));
    }
}
