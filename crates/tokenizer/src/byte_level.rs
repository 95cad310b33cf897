//! GPT-2's reversible spelling of bytes as printable characters, which byte-level vocabularies are written in.
//!
//! The `tokenizers` crate applies it when it encodes and decodes; this module is for what the crate keeps private:
//! reading vocabularies, comparing tokens by their bytes while training, and streaming.

use std::collections::HashMap;
use std::sync::LazyLock;

/// `BYTE_CHARS[byte]` is the character that stands for `byte`.
///
/// Printable Latin-1 stands for itself; the other bytes take the code points from U+0100 on, in order.
static BYTE_CHARS: LazyLock<[char; 256]> = LazyLock::new(|| {
    let mut next = 0x100u32;
    std::array::from_fn(|byte| {
        let byte = byte as u8;
        if matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF) {
            char::from(byte)
        } else {
            next += 1;
            char::from_u32(next - 1).expect("U+0100..U+0144 are characters")
        }
    })
});

static CHAR_BYTES: LazyLock<HashMap<char, u8>> =
    LazyLock::new(|| (0..=255u8).map(|byte| (byte_char(byte), byte)).collect());

/// The character that stands for `byte`.
pub(crate) fn byte_char(byte: u8) -> char {
    BYTE_CHARS[usize::from(byte)]
}

/// The byte that `character` stands for, if it is one of the 256.
pub(crate) fn char_byte(character: char) -> Option<u8> {
    CHAR_BYTES.get(&character).copied()
}

/// The 256 characters as tokens in the order of GPT-2's vocabulary, which is the order of their code points.
pub(crate) fn alphabet() -> Vec<String> {
    let mut characters = BYTE_CHARS.to_vec();
    characters.sort_unstable();
    characters.into_iter().map(String::from).collect()
}

/// Appends the bytes that `token` decodes to.
///
/// A token with any character outside the 256 stands for its own UTF-8, as the crate's `ByteLevel` decoder has it:
/// that is how `<｜end▁of▁sentence｜>` and other added tokens survive.
pub(crate) fn push_token_bytes(token: &str, bytes: &mut Vec<u8>) {
    let start = bytes.len();
    for character in token.chars() {
        match char_byte(character) {
            Some(byte) => bytes.push(byte),
            None => {
                bytes.truncate(start);
                bytes.extend_from_slice(token.as_bytes());
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_its_own_character_and_comes_back() {
        let back: Vec<u8> = (0..=255).filter_map(|byte| char_byte(byte_char(byte))).collect();
        assert_eq!(back, (0..=255).collect::<Vec<u8>>());
        assert_eq!(byte_char(b' '), 'Ġ');
        assert_eq!(byte_char(b'\n'), 'Ċ');
    }

    #[test]
    fn a_token_outside_the_alphabet_stands_for_its_own_utf8() {
        let mut bytes = Vec::new();
        push_token_bytes("Ġa", &mut bytes);
        push_token_bytes("a▁b", &mut bytes);
        assert_eq!(bytes, " aa▁b".as_bytes());
    }
}
