//! Vocabularies of scored pieces, as SentencePiece makes them, in the terms of the `tokenizers` crate.
//!
//! SentencePiece models, llama2.c's files and GGUF's `llama` vocabularies all hold the same: pieces with scores and
//! types. `▁` stands for a space. BPE merges, anywhere in the text, the two neighbours whose union has the highest
//! score; Unigram takes the segmentation with the highest sum.

use std::collections::HashMap;
use std::path::Path;

use serde_json::{Value, json};

use super::Imported;
use crate::charsmap::Charsmap;
use crate::error::TokenizerError;
use crate::pipeline::{self, Description, added_token, sequence, template};
use crate::special_tokens::{Role, SpecialTokens};

/// SentencePiece's sign for a space.
pub(crate) const SPACE: char = '▁';

/// What kind of token a piece is (SentencePiece's `Type`, with the same numbers).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PieceType {
    Normal,
    Unknown,
    Control,
    UserDefined,
    Unused,
    Byte,
}

impl PieceType {
    /// The type with this number; `None` if there is none.
    pub(super) fn from_number(number: u64) -> Option<Self> {
        Some(match number {
            1 => Self::Normal,
            2 => Self::Unknown,
            3 => Self::Control,
            4 => Self::UserDefined,
            5 => Self::Unused,
            6 => Self::Byte,
            _ => return None,
        })
    }

    /// The number of this type.
    pub(crate) fn number(self) -> i64 {
        match self {
            Self::Normal => 1,
            Self::Unknown => 2,
            Self::Control => 3,
            Self::UserDefined => 4,
            Self::Unused => 5,
            Self::Byte => 6,
        }
    }
}

/// A piece; its place in the vocabulary is its id.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    pub(crate) text: String,
    pub(crate) score: f32,
    pub(crate) kind: PieceType,
}

/// How pieces are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Bpe,
    Unigram,
}

/// A vocabulary of scored pieces with all that decides how text becomes ids.
#[derive(Debug)]
pub(super) struct ScoredVocabulary {
    pub(super) algorithm: Algorithm,
    pub(super) pieces: Vec<Piece>,
    /// Normalisation table.
    pub(super) charsmap: Option<Charsmap>,
    /// Puts a space before the text.
    pub(super) add_dummy_prefix: bool,
    /// Drops spaces at both ends and makes runs of spaces one.
    pub(super) remove_extra_whitespaces: bool,
    /// What an unknown piece decodes to.
    pub(super) unknown_surface: String,
    pub(super) bos: Option<u32>,
    pub(super) eos: Option<u32>,
    pub(super) pad: Option<u32>,
    /// Whether the template begins every text with `bos`, and ends it with `eos`.
    pub(super) add_bos: bool,
    pub(super) add_eos: bool,
}

impl ScoredVocabulary {
    /// The vocabulary, read from `path`, as a `tokenizer.json`.
    pub(super) fn import(self, path: &Path) -> Result<Imported, TokenizerError> {
        self.check(path)?;
        let mut special_tokens = SpecialTokens::default();
        for (role, id) in [(Role::Bos, self.bos), (Role::Eos, self.eos), (Role::Pad, self.pad)] {
            special_tokens.set(role, id.and_then(|id| self.text(id)).map(str::to_owned));
        }
        special_tokens.set(Role::Unk, self.unknown().map(|id| self.pieces[id].text.clone()));
        let token = |wanted: bool, id: Option<u32>| {
            id.filter(|_| wanted).and_then(|id| Some((self.text(id)?, id)))
        };
        let description = Description {
            normalizer: self.normalizer(),
            pre_tokenizer: self.pre_tokenizer(),
            post_processor: template(token(self.add_bos, self.bos), token(self.add_eos, self.eos)),
            decoder: self.decoder(),
            model: self.model(),
            added_tokens: self.added_tokens(),
        };
        Ok(Imported { description: description.into_json(), special_tokens })
    }

    fn check(&self, path: &Path) -> Result<(), TokenizerError> {
        let invalid = |field: String, message: String| {
            Err(TokenizerError::InvalidDescription { path: path.to_owned(), field, message })
        };
        let mut ids = HashMap::with_capacity(self.pieces.len());
        for (id, piece) in self.pieces.iter().enumerate() {
            if piece.text.is_empty() {
                return invalid(format!("piece {id}"), "expected text, got nothing".to_owned());
            }
            if !piece.score.is_finite() {
                return invalid(
                    format!("piece {id}"),
                    format!("expected a finite score, got {}", piece.score),
                );
            }
            if let Some(first) = ids.insert(piece.text.as_str(), id) {
                return invalid(
                    format!("piece {id}"),
                    format!("{:?} is also piece {first}", piece.text),
                );
            }
        }
        if self.unknown().is_none() && !self.has_bytes() {
            return invalid(
                "pieces".to_owned(),
                "there is no piece for unknown text, nor any for bytes".to_owned(),
            );
        }
        Ok(())
    }

    fn text(&self, id: u32) -> Option<&str> {
        Some(&self.pieces.get(id as usize)?.text)
    }

    fn unknown(&self) -> Option<usize> {
        self.pieces.iter().position(|piece| piece.kind == PieceType::Unknown)
    }

    fn has_bytes(&self) -> bool {
        self.pieces.iter().any(|piece| piece.kind == PieceType::Byte)
    }

    fn has_user_defined(&self) -> bool {
        self.pieces.iter().any(|piece| piece.kind == PieceType::UserDefined)
    }

    /// SentencePiece's normalisation, step by step.
    fn normalizer(&self) -> Value {
        let replace = |pattern: Value, content: &str| json!({"type": "Replace", "pattern": pattern, "content": content});
        let mut steps: Vec<Value> = self.charsmap.iter().map(Charsmap::step).collect();
        if self.remove_extra_whitespaces {
            if !self.is_one_text_between_symbols() {
                steps.push(replace(json!({"Regex": r"\A +| +\z"}), ""));
            }
            steps.push(replace(json!({"Regex": " {2,}"}), " "));
        }
        if self.add_dummy_prefix && !self.is_one_text_between_symbols() {
            steps.push(json!({"type": "Prepend", "prepend": SPACE.to_string()}));
        }
        steps.push(replace(json!({"String": " "}), &SPACE.to_string()));
        sequence("normalizers", steps)
    }

    /// Whether the parts of a text between user-defined symbols must be seen to be parts.
    ///
    /// The pipeline cuts at symbols before it normalises. SentencePiece does not: one space in front of the whole
    /// text, and spaces gone at its two ends only. So there the space in front is added later, to the first part, and
    /// spaces at the ends stay, because they cannot be told from spaces beside a symbol. (Llama and its relatives
    /// keep all spaces, and llama.cpp puts one in front of every part.)
    fn is_one_text_between_symbols(&self) -> bool {
        self.has_user_defined() && self.remove_extra_whitespaces
    }

    /// Cuts text where no piece reaches across: before a space after something else. That changes no result, but
    /// makes long texts faster and the model's cache useful.
    fn pre_tokenizer(&self) -> Value {
        let mut steps = Vec::new();
        if self.add_dummy_prefix && self.is_one_text_between_symbols() {
            steps.push(json!({
                "type": "Metaspace", "replacement": SPACE.to_string(), "prepend_scheme": "first", "split": false
            }));
        }
        if self.spaces_only_begin_pieces() {
            let part = format!("{SPACE}*[^{SPACE}]+|{SPACE}+");
            steps.push(json!({"type": "Split", "pattern": {"Regex": part}, "behavior": "Isolated", "invert": false}));
        }
        sequence("pretokenizers", steps)
    }

    fn spaces_only_begin_pieces(&self) -> bool {
        let space = SPACE.to_string();
        let inner = |piece: &Piece| piece.text.trim_start_matches(SPACE).contains(SPACE);
        let known = self.has_bytes() || self.pieces.iter().any(|piece| piece.text == space);
        known && !self.pieces.iter().any(|piece| piece.kind == PieceType::Normal && inner(piece))
    }

    fn decoder(&self) -> Value {
        let replace = |from: &str, to: &str| json!({"type": "Replace", "pattern": {"String": from}, "content": to});
        let mut steps = vec![replace(&SPACE.to_string(), " ")];
        if let Some(unknown) = self.unknown() {
            steps.push(replace(&self.pieces[unknown].text, &self.unknown_surface));
        }
        if self.has_bytes() {
            steps.push(json!({"type": "ByteFallback"}));
        }
        steps.push(json!({"type": "Fuse"}));
        if self.add_dummy_prefix {
            steps.push(json!({"type": "Strip", "content": " ", "start": 1, "stop": 0}));
        }
        sequence("decoders", steps)
    }

    fn model(&self) -> Value {
        let unknown = self.unknown();
        match self.algorithm {
            Algorithm::Unigram => {
                let pieces: Vec<Value> =
                    self.pieces.iter().map(|piece| json!([piece.text, piece.score])).collect();
                json!({"type": "Unigram", "unk_id": unknown, "vocab": pieces, "byte_fallback": self.has_bytes()})
            }
            Algorithm::Bpe => json!({
                "type": "BPE", "dropout": null, "unk_token": unknown.map(|id| self.pieces[id].text.clone()),
                "continuing_subword_prefix": null, "end_of_word_suffix": null, "fuse_unk": true,
                "byte_fallback": self.has_bytes(), "ignore_merges": false,
                "vocab": pipeline::vocab(self.pieces.iter().map(|piece| piece.text.as_str())),
                "merges": merges(&self.pieces),
            }),
        }
    }

    fn added_tokens(&self) -> Vec<Value> {
        (0..)
            .zip(&self.pieces)
            .filter_map(|(id, piece)| match piece.kind {
                PieceType::Control => Some(added_token(id, &piece.text, true)),
                PieceType::Unknown if Some(id as usize) == self.unknown() => {
                    Some(added_token(id, &piece.text, true))
                }
                PieceType::UserDefined => Some(added_token(id, &piece.text, false)),
                _ => None,
            })
            .collect()
    }
}

/// The merge rules that give what merging by score gives: every way to put a piece together from two others, the
/// highest score first.
///
/// SentencePiece breaks ties by position. Ways to make the same piece have the same score, so among those the order
/// matters only where they overlap, in runs such as `aaa`; there the leftmost merge is the one with the longer left
/// side.
pub(crate) fn merges(pieces: &[Piece]) -> Vec<Value> {
    let mergeable: HashMap<&str, usize> = pieces
        .iter()
        .enumerate()
        .filter(|(_, piece)| piece.kind == PieceType::Normal)
        .map(|(id, piece)| (piece.text.as_str(), id))
        .collect();
    let mut ranked: Vec<usize> = mergeable.values().copied().collect();
    ranked.sort_unstable_by(|&left, &right| {
        pieces[right].score.total_cmp(&pieces[left].score).then(left.cmp(&right))
    });
    let mut merges = Vec::new();
    for id in ranked {
        let text = &pieces[id].text;
        for (cut, _) in text.char_indices().skip(1).collect::<Vec<_>>().into_iter().rev() {
            let (left, right) = text.split_at(cut);
            if mergeable.contains_key(left) && mergeable.contains_key(right) {
                merges.push(json!([left, right]));
            }
        }
    }
    merges
}
