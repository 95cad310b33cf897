//! From text to the token ids of a model and back.

use std::collections::BTreeSet;

/// Any error of a codec.
pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Makes tokens of texts, and says which bytes a token stands for.
///
/// A tokenizer is wrapped in a few lines; bytes and characters are here.
pub trait TextCodec: Send + Sync {
    /// The tokens of `text`.
    ///
    /// # Errors
    /// For a text that has no tokens, with the place.
    fn encode(&self, text: &str) -> Result<Vec<u32>, Box<dyn std::error::Error + Send + Sync>>;

    /// Appends the bytes that `token` stands for: nothing for a special token. They may be a
    /// part of a character.
    fn push_bytes(&self, token: u32, bytes: &mut Vec<u8>);
}

/// A token for each of the 256 bytes: every text has tokens, and no vocabulary is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ByteCodec;

impl TextCodec for ByteCodec {
    fn encode(&self, text: &str) -> Result<Vec<u32>, BoxError> {
        Ok(text.bytes().map(u32::from).collect())
    }

    fn push_bytes(&self, token: u32, bytes: &mut Vec<u8>) {
        bytes.extend(u8::try_from(token)); // an end of document is no byte
    }
}

/// A token for each of a set of characters, numbered in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CharacterCodec {
    characters: Vec<char>,
}

impl CharacterCodec {
    /// The characters that occur in `text`.
    pub fn of(text: &str) -> Self {
        let characters: BTreeSet<char> = text.chars().collect();
        Self { characters: characters.into_iter().collect() }
    }

    /// The characters in the order of their tokens.
    pub fn characters(&self) -> &[char] {
        &self.characters
    }
}

/// A character that a model has no token for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("character {character:?} at byte {offset} is none of the {known} that the model knows")]
pub struct UnknownCharacter {
    /// The character.
    pub character: char,
    /// Where it is.
    pub offset: usize,
    /// How many characters are known.
    pub known: usize,
}

impl TextCodec for CharacterCodec {
    fn encode(&self, text: &str) -> Result<Vec<u32>, BoxError> {
        let token = |(offset, character)| {
            let found = self.characters.binary_search(&character);
            found.map(|index| index as u32).map_err(|_| {
                let known = self.characters.len();
                UnknownCharacter { character, offset, known }.into()
            })
        };
        text.char_indices().map(token).collect()
    }

    fn push_bytes(&self, token: u32, bytes: &mut Vec<u8>) {
        if let Some(character) = self.characters.get(token as usize) {
            bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(codec: &impl TextCodec, tokens: &[u32]) -> Vec<u8> {
        let mut bytes = Vec::new();
        tokens.iter().for_each(|&token| codec.push_bytes(token, &mut bytes));
        bytes
    }

    #[test]
    fn texts_come_back() {
        let text = "無極 to the end";
        let characters = CharacterCodec::of(text);
        assert_eq!(decode(&ByteCodec, &ByteCodec.encode(text).unwrap()), text.as_bytes());
        assert_eq!(decode(&characters, &characters.encode(text).unwrap()), text.as_bytes());
        assert!(decode(&ByteCodec, &[256]).is_empty());
        assert!(decode(&characters, &[99]).is_empty());
    }

    #[test]
    fn an_unknown_character_is_named_by_its_place() {
        let error = CharacterCodec::of("ab").encode("abc").unwrap_err().to_string();
        assert_eq!(error, "character 'c' at byte 2 is none of the 2 that the model knows");
    }
}
