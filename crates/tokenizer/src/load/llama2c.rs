//! llama2.c's `tokenizer.bin`: the pieces of a SentencePiece BPE model with their scores, and nothing else.
//!
//! Little-endian: the longest length (int32), then for each piece its score (float32), length (int32) and bytes. As
//! `run.c` reads it: id 0 is `<unk>`, 1 begins and 2 ends a text, 3 to 258 are the bytes, and spaces are spaces.

use std::path::Path;

use super::scored::{Algorithm, Piece, PieceType, SPACE, ScoredVocabulary};
use super::{Beside, Imported};
use crate::error::TokenizerError;

const FORMAT: &str = "llama2.c tokenizer";

/// Longest piece that is believed.
const LONGEST: u32 = 1 << 12;

/// The three pieces that every such file begins with; `run.c` ignores how they are spelled.
const SPECIAL: [(&str, PieceType); 3] =
    [("<unk>", PieceType::Unknown), ("<s>", PieceType::Control), ("</s>", PieceType::Control)];

/// Whether `content` could be such a file: it begins with a small number, a score of 0 and a piece no longer than
/// that number.
pub(super) fn looks_like(content: &[u8]) -> bool {
    let mut cursor = Cursor { content, position: 0 };
    let (Ok(longest), Ok(score), Ok(length)) = (cursor.u32(), cursor.u32(), cursor.u32()) else {
        return false;
    };
    (1..=LONGEST).contains(&longest)
        && f32::from_bits(score).is_finite()
        && (1..=LONGEST).contains(&length)
}

/// Reads `content` of `path`.
pub(super) fn import(
    content: &[u8],
    path: &Path,
    beside: &Beside,
) -> Result<Imported, TokenizerError> {
    let mut cursor = Cursor { content, position: 4 };
    let mut pieces = Vec::new();
    while cursor.position < content.len() {
        let start = cursor.position;
        pieces.push(piece(&mut cursor, pieces.len()).map_err(|message| {
            TokenizerError::Damaged {
                path: path.to_owned(),
                format: FORMAT,
                offset: start as u64,
                message: format!("piece {}: {message}", pieces.len()),
            }
        })?);
    }
    if pieces.len() <= SPECIAL.len() {
        return Err(TokenizerError::UnrecognizedFormat {
            path: path.to_owned(),
            reason: format!("as a {FORMAT} it would have {} pieces", pieces.len()),
        });
    }
    let vocabulary = ScoredVocabulary {
        algorithm: Algorithm::Bpe,
        pieces,
        charsmap: None,
        add_dummy_prefix: true,
        remove_extra_whitespaces: false,
        unknown_surface: "<unk>".to_owned(),
        bos: Some(1),
        eos: Some(2),
        pad: None,
        add_bos: beside.flag("add_bos_token").unwrap_or(true),
        add_eos: beside.flag("add_eos_token").unwrap_or(false),
    };
    vocabulary.import(path)
}

fn piece(cursor: &mut Cursor<'_>, id: usize) -> Result<Piece, String> {
    let score = f32::from_bits(cursor.u32()?);
    let length = cursor.u32()?;
    if length > LONGEST {
        return Err(format!("expected a length of at most {LONGEST}, got {length}"));
    }
    let bytes = cursor.take(length as usize)?;
    if let Some((text, kind)) = SPECIAL.get(id) {
        return Ok(Piece { text: (*text).to_owned(), score: 0.0, kind: *kind });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let kind = if is_byte(text) { PieceType::Byte } else { PieceType::Normal };
    Ok(Piece { text: text.replace(' ', SPACE.encode_utf8(&mut [0; 4])), score, kind })
}

/// Whether `text` is a byte piece, `<0x00>` to `<0xFF>`.
fn is_byte(text: &str) -> bool {
    text.strip_prefix("<0x")
        .and_then(|rest| rest.strip_suffix('>'))
        .is_some_and(|hex| hex.len() == 2 && u8::from_str_radix(hex, 16).is_ok())
}

struct Cursor<'bytes> {
    content: &'bytes [u8],
    position: usize,
}

impl<'bytes> Cursor<'bytes> {
    fn u32(&mut self) -> Result<u32, String> {
        let bytes = self.take(4)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    fn take(&mut self, length: usize) -> Result<&'bytes [u8], String> {
        let rest = &self.content[self.position..];
        let taken = rest
            .get(..length)
            .ok_or_else(|| format!("expected {length} bytes, got {}", rest.len()))?;
        self.position += length;
        Ok(taken)
    }
}
