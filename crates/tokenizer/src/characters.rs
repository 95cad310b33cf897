//! The short cut for character vocabularies: a table from character to id.
//!
//! The `tokenizers` crate makes an owned string with an offset table of every character, which costs about a hundred
//! times the look-up itself. The table gives the same ids, and can say *which* character is unknown and where.

use std::collections::HashMap;

use crate::encoding::Encoding;
use crate::error::TokenizerError;
use crate::tokenizer::Pipeline;

/// Ids of the single-character tokens.
#[derive(Debug)]
pub(crate) struct CharacterTable {
    ascii: [Option<u32>; 128],
    other: HashMap<char, u32>,
    /// The unknown token and its id, if there is one.
    unknown: Option<(String, u32)>,
    /// Added tokens: a text that contains one of them takes the crate's way.
    added: Vec<String>,
    vocab_size: usize,
}

impl CharacterTable {
    /// The table of a pipeline that cuts text into single characters; `unknown` is its unknown token, if it has one.
    pub(crate) fn new(pipeline: &Pipeline, unknown: Option<(String, u32)>) -> Self {
        let mut table = Self {
            ascii: [None; 128],
            other: HashMap::new(),
            unknown,
            added: pipeline.get_added_vocabulary().get_vocab().keys().cloned().collect(),
            vocab_size: pipeline.get_vocab_size(true),
        };
        for (token, id) in pipeline.get_vocab(false) {
            let mut characters = token.chars();
            if let (Some(character), None) = (characters.next(), characters.next()) {
                match table.ascii.get_mut(character as usize) {
                    Some(slot) => *slot = Some(id),
                    None => drop(table.other.insert(character, id)),
                }
            }
        }
        table
    }

    /// The ids of `text`, or `None` if an added token occurs in it.
    pub(crate) fn encode(&self, text: &str) -> Result<Option<Vec<u32>>, TokenizerError> {
        if self.has_added_token(text) {
            return Ok(None);
        }
        let unknown = self.unknown.as_ref().map(|(_, id)| *id);
        text.char_indices()
            .map(|(offset, character)| {
                self.id(character).or(unknown).ok_or_else(|| self.unknown_error(character, offset))
            })
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// The encoding of `text`, or `None` if an added token occurs in it.
    pub(crate) fn encode_with_offsets(
        &self,
        text: &str,
    ) -> Result<Option<Encoding>, TokenizerError> {
        let Some(ids) = self.encode(text)? else { return Ok(None) };
        let token = |character: char| match (self.id(character), &self.unknown) {
            (None, Some((unknown, _))) => unknown.clone(),
            _ => character.to_string(),
        };
        let length = ids.len();
        Ok(Some(Encoding {
            ids,
            tokens: text.chars().map(token).collect(),
            offsets: text
                .char_indices()
                .map(|(start, character)| (start, start + character.len_utf8()))
                .collect(),
            special_tokens_mask: vec![0; length],
            type_ids: vec![0; length],
            word_ids: (0..length as u32).map(Some).collect(),
            sequence_ids: vec![Some(0); length],
        }))
    }

    fn has_added_token(&self, text: &str) -> bool {
        self.added.iter().any(|token| text.contains(token.as_str()))
    }

    /// The error for the first character of `text` that has no token, if there is one and no unknown token either.
    pub(crate) fn first_unknown(&self, text: &str) -> Option<TokenizerError> {
        let missing = |&(_, character): &(usize, char)| self.id(character).is_none();
        let (offset, character) = text.char_indices().find(missing)?;
        self.unknown.is_none().then(|| self.unknown_error(character, offset))
    }

    fn id(&self, character: char) -> Option<u32> {
        match self.ascii.get(character as usize) {
            Some(id) => *id,
            None => self.other.get(&character).copied(),
        }
    }

    fn unknown_error(&self, character: char, offset: usize) -> TokenizerError {
        TokenizerError::UnknownCharacter { character, offset, vocab_size: self.vocab_size }
    }
}
