//! Decoding as ids arrive: only text that cannot change any more is given out.

use crate::byte_level::push_token_bytes;
use crate::error::TokenizerError;
use crate::tokenizer::Tokenizer;

/// Takes ids one at a time and gives text as soon as it is complete; made by [`Tokenizer::decode_stream`].
///
/// All pieces together, with what [`DecodeStream::finish`] gives, are what [`Tokenizer::decode`] makes of all ids.
/// (BERT's decoder is the exception: it removes a space before `'s` or `.` after the fact, which a stream cannot.)
#[derive(Debug)]
pub struct DecodeStream {
    tokenizer: Tokenizer,
    skip_special_tokens: bool,
    pending: Pending,
}

/// What has not been given out yet.
#[derive(Debug)]
enum Pending {
    /// Byte-level tokens: the bytes of an unfinished character, at most three of them.
    Bytes(Vec<u8>),
    /// Other decoders look at neighbouring tokens: the ids of the last piece and all since, and the text of the last
    /// piece as they decode it.
    Window { ids: Vec<u32>, given: String, last_piece: usize },
}

/// After this many ids without a complete character, what is there is given out: no character has that many bytes.
const LONGEST_WAIT: usize = 8;

impl DecodeStream {
    pub(crate) fn new(tokenizer: Tokenizer, skip_special_tokens: bool) -> Self {
        let pending = if tokenizer.decodes_bytes() {
            Pending::Bytes(Vec::new())
        } else {
            Pending::Window { ids: Vec::new(), given: String::new(), last_piece: 0 }
        };
        Self { tokenizer, skip_special_tokens, pending }
    }

    /// Takes the next id; gives the text that it completes, `None` if there is none yet.
    pub fn push(&mut self, id: u32) -> Result<Option<String>, TokenizerError> {
        let text = match &mut self.pending {
            Pending::Bytes(bytes) => {
                let special = self.tokenizer.pipeline().get_added_vocabulary();
                if let Some(token) = self.tokenizer.id_to_token(id)
                    && !(self.skip_special_tokens && special.is_special_token(&token))
                {
                    push_token_bytes(&token, bytes);
                }
                take_complete_utf8(bytes)
            }
            Pending::Window { ids, given, last_piece } => {
                ids.push(id);
                let text = self.tokenizer.decode(ids, self.skip_special_tokens)?;
                let waiting = ids.len() - *last_piece;
                if text.ends_with(char::REPLACEMENT_CHARACTER) && waiting < LONGEST_WAIT {
                    return Ok(None);
                }
                let new = beyond(given, &text).to_owned();
                if !new.is_empty() {
                    ids.drain(..*last_piece);
                    *last_piece = ids.len();
                    *given = self.tokenizer.decode(ids, self.skip_special_tokens)?;
                }
                new
            }
        };
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    /// Ends the stream; gives what is left, with U+FFFD for an unfinished character.
    pub fn finish(self) -> Result<Option<String>, TokenizerError> {
        let text = match self.pending {
            Pending::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Pending::Window { ids, given, .. } => {
                let text = self.tokenizer.decode(&ids, self.skip_special_tokens)?;
                beyond(&given, &text).to_owned()
            }
        };
        Ok(Some(text).filter(|text| !text.is_empty()))
    }
}

/// Takes everything from `bytes` but an unfinished character at the end; invalid sequences become U+FFFD.
fn take_complete_utf8(bytes: &mut Vec<u8>) -> String {
    let unfinished = match bytes.utf8_chunks().last() {
        Some(chunk)
            if std::str::from_utf8(chunk.invalid())
                .is_err_and(|error| error.error_len().is_none()) =>
        {
            chunk.invalid().len()
        }
        _ => 0,
    };
    let rest = bytes.split_off(bytes.len() - unfinished);
    let complete = std::mem::replace(bytes, rest);
    String::from_utf8_lossy(&complete).into_owned()
}

/// What `text` has after the longest start that it shares with `given`.
fn beyond<'text>(given: &str, text: &'text str) -> &'text str {
    let shared = given.chars().zip(text.chars()).take_while(|(left, right)| left == right);
    let length: usize = shared.map(|(character, _)| character.len_utf8()).sum();
    &text[length..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unfinished_characters_wait_and_invalid_bytes_do_not() {
        let mut bytes = "a\u{4F60}".as_bytes()[..3].to_vec();
        assert_eq!(take_complete_utf8(&mut bytes), "a");
        assert_eq!(bytes, [0xE4, 0xBD]);
        bytes.push(0xA0);
        assert_eq!(take_complete_utf8(&mut bytes), "你");
        bytes.extend([0xFF, b'b', 0xE4]);
        assert_eq!(take_complete_utf8(&mut bytes), "\u{FFFD}b");
        assert_eq!(bytes, [0xE4]);
    }
}
