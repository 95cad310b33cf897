//! SentencePiece's `.model` files: a protocol-buffer `ModelProto`, as in `sentencepiece_model.proto`.

use std::path::Path;

use super::protobuf::{Fields, Value};
use super::scored::{Algorithm, Piece, PieceType, ScoredVocabulary};
use super::{Beside, Imported};
use crate::charsmap::Charsmap;
use crate::error::TokenizerError;

/// Whether `content` could be a model: its first field is a piece.
pub(super) fn looks_like(content: &[u8]) -> bool {
    matches!(Fields::new(content).next(), Some(Ok((1, Value::Bytes(piece)))) if piece.first() == Some(&0x0A))
        || (content.first() == Some(&0x0A) && content.get(2) == Some(&0x0A))
}

/// Reads `content` of `path`.
pub(super) fn import(
    content: &[u8],
    path: &Path,
    beside: &Beside,
) -> Result<Imported, TokenizerError> {
    let damaged = |offset: usize, message: String| TokenizerError::Damaged {
        path: path.to_owned(),
        format: "SentencePiece",
        offset: offset as u64,
        message,
    };
    let mut model = Model::default();
    for field in Fields::new(content) {
        let (number, value) = field.map_err(|(offset, message)| damaged(offset, message))?;
        if let Value::Bytes(bytes) = value {
            let start = bytes.as_ptr() as usize - content.as_ptr() as usize;
            model
                .read(number, bytes)
                .map_err(|(offset, message)| damaged(start + offset, message))?;
        }
    }
    let problem = |message: String| damaged(content.len(), message);
    let algorithm = match model.model_type {
        1 => Algorithm::Unigram,
        2 => Algorithm::Bpe,
        other => {
            return Err(problem(format!("model type {other} is neither Unigram (1) nor BPE (2)")));
        }
    };
    if model.suffix_spaces {
        return Err(problem(
            "spaces as suffixes (treat_whitespace_as_suffix) are not supported".to_owned(),
        ));
    }
    if model.pieces.is_empty() {
        return Err(problem("it has no pieces".to_owned()));
    }
    let charsmap = match model.charsmap.is_empty() {
        true => None,
        false => Some(
            Charsmap::new(model.charsmap)
                .map_err(|message| problem(format!("precompiled_charsmap: {message}")))?,
        ),
    };
    // Llama begins texts with <s>, T5 ends them with </s>; the file itself does not say.
    let bpe = algorithm == Algorithm::Bpe;
    let vocabulary = ScoredVocabulary {
        algorithm,
        charsmap,
        add_dummy_prefix: model.add_dummy_prefix,
        remove_extra_whitespaces: model.remove_extra_whitespaces,
        unknown_surface: model.unknown_surface,
        bos: control(&model.pieces, model.bos),
        eos: control(&model.pieces, model.eos),
        pad: control(&model.pieces, model.pad),
        add_bos: beside.flag("add_bos_token").unwrap_or(bpe),
        add_eos: beside.flag("add_eos_token").unwrap_or(!bpe),
        pieces: model.pieces,
    };
    vocabulary.import(path)
}

/// `id` if it is a control piece; trainers leave the default ids in place when they switch a token off.
fn control(pieces: &[Piece], id: i64) -> Option<u32> {
    let index = usize::try_from(id).ok()?;
    (pieces.get(index)?.kind == PieceType::Control).then_some(index as u32)
}

/// A `ModelProto`, with the defaults of the schema.
struct Model {
    pieces: Vec<Piece>,
    model_type: u64,
    suffix_spaces: bool,
    unknown_surface: String,
    bos: i64,
    eos: i64,
    pad: i64,
    charsmap: Vec<u8>,
    add_dummy_prefix: bool,
    remove_extra_whitespaces: bool,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            pieces: Vec::new(),
            model_type: 1,
            suffix_spaces: false,
            unknown_surface: " \u{2047} ".to_owned(),
            bos: 1,
            eos: 2,
            pad: -1,
            charsmap: Vec::new(),
            add_dummy_prefix: true,
            remove_extra_whitespaces: true,
        }
    }
}

impl Model {
    fn read(&mut self, number: u64, message: &[u8]) -> Result<(), (usize, String)> {
        match number {
            1 => self.pieces.push(piece(message, self.pieces.len())?),
            2 => self.read_trainer_spec(message)?,
            3 => self.read_normalizer_spec(message)?,
            _ => {}
        }
        Ok(())
    }

    fn read_trainer_spec(&mut self, message: &[u8]) -> Result<(), (usize, String)> {
        for field in Fields::new(message) {
            match field? {
                (3, Value::Varint(model_type)) => self.model_type = model_type,
                (24, Value::Varint(suffix)) => self.suffix_spaces = suffix != 0,
                // Ids are int32; negative ones, meaning "none", are written as 64-bit two's complement.
                (41, Value::Varint(id)) => self.bos = id as i64,
                (42, Value::Varint(id)) => self.eos = id as i64,
                (43, Value::Varint(id)) => self.pad = id as i64,
                (44, Value::Bytes(text)) => {
                    self.unknown_surface = String::from_utf8_lossy(text).into_owned()
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn read_normalizer_spec(&mut self, message: &[u8]) -> Result<(), (usize, String)> {
        for field in Fields::new(message) {
            match field? {
                (2, Value::Bytes(charsmap)) => self.charsmap = charsmap.to_vec(),
                (3, Value::Varint(prefix)) => self.add_dummy_prefix = prefix != 0,
                (4, Value::Varint(remove)) => self.remove_extra_whitespaces = remove != 0,
                _ => {}
            }
        }
        Ok(())
    }
}

fn piece(message: &[u8], id: usize) -> Result<Piece, (usize, String)> {
    let mut piece = Piece { text: String::new(), score: 0.0, kind: PieceType::Normal };
    for field in Fields::new(message) {
        match field? {
            (1, Value::Bytes(text)) => {
                let text = std::str::from_utf8(text)
                    .map_err(|error| (0, format!("piece {id} is not UTF-8: {error}")))?;
                piece.text = text.to_owned();
            }
            (2, Value::Fixed32(score)) => piece.score = f32::from_le_bytes(score),
            (3, Value::Varint(number)) => {
                piece.kind = PieceType::from_number(number)
                    .ok_or_else(|| (0, format!("piece {id} has the unknown type {number}")))?;
            }
            _ => {}
        }
    }
    Ok(piece)
}
