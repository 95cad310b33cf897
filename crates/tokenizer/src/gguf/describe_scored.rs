//! BPE with byte fallback (Llama 1 and 2, SentencePiece) as GGUF's `llama` vocabulary: pieces with scores.
//!
//! A `tokenizer.json` has merge rules where SentencePiece has scores. A rule's rank is its score, and it is checked that
//! merging by these scores is merging by the rules.

use std::collections::HashMap;

use serde_json::Value as Json;

use super::Value;
use super::describe::{Pairs, Tokens, merge_rules, pair, refused, steps};
use crate::error::TokenizerError;
use crate::load::scored::{Piece, PieceType, SPACE, merges};

pub(super) fn describe_scored(
    description: &Json,
    tokens: &Tokens,
) -> Result<Pairs, TokenizerError> {
    let spaces = Spaces::of(description)?;
    let pieces = pieces(description, tokens);
    let by_score: Vec<(String, String)> = merges(&pieces)
        .iter()
        .filter_map(|rule| Some((rule[0].as_str()?.to_owned(), rule[1].as_str()?.to_owned())))
        .collect();
    if canonical(by_score) != canonical(merge_rules(description)) {
        return refused("its merge rules are not those of pieces with scores".to_owned());
    }
    let tokens = Tokens {
        texts: pieces.iter().map(|piece| piece.text.clone()).collect(),
        types: pieces.iter().map(|piece| piece.kind).collect(),
    };
    let scores = pieces.iter().map(|piece| piece.score.into()).collect();
    let mut pairs = vec![
        pair("model", Value::String("llama".to_owned())),
        pair("pre", Value::String("default".to_owned())),
    ];
    let [texts, types] = tokens.pairs();
    pairs.extend([texts, pair("scores", Value::Floats(scores)), types]);
    pairs.push(pair("add_space_prefix", Value::Bool(spaces.prefix)));
    if spaces.squeezed {
        pairs.push(pair("remove_extra_whitespaces", Value::Bool(true)));
    }
    Ok(pairs)
}

/// Pieces with the ranks of their first rules as scores; pieces that no rule makes come last.
fn pieces(description: &Json, tokens: &Tokens) -> Vec<Piece> {
    let mut ranks: HashMap<String, usize> = HashMap::new();
    for (left, right) in merge_rules(description) {
        let next = ranks.len();
        ranks.entry(left + &right).or_insert(next);
    }
    let unknown = description["model"]["unk_token"].as_str();
    let made = ranks.len();
    let piece = |(id, (text, kind)): (usize, (&String, &PieceType))| {
        let kind = match kind {
            _ if Some(text.as_str()) == unknown => PieceType::Unknown,
            PieceType::Normal if is_byte(text) => PieceType::Byte,
            kind => *kind,
        };
        let score = match kind {
            PieceType::Normal => -(ranks.get(text).copied().unwrap_or(made + id) as f32),
            _ => 0.0,
        };
        Piece { text: text.clone(), score, kind }
    };
    tokens.texts.iter().zip(&tokens.types).enumerate().map(piece).collect()
}

/// Rules that make the same piece, which have the same score, in one order. (SentencePiece takes the leftmost, llama.cpp
/// too; `tokenizer.json` files differ in how they list them.)
fn canonical(mut rules: Vec<(String, String)>) -> Vec<(String, String)> {
    let makes_the_same = |one: &(String, String), other: &(String, String)| {
        one.0.len() + one.1.len() == other.0.len() + other.1.len()
            && one.0.chars().chain(one.1.chars()).eq(other.0.chars().chain(other.1.chars()))
    };
    rules.chunk_by_mut(makes_the_same).for_each(<[_]>::sort_unstable);
    rules
}

/// `<0x00>` to `<0xFF>`.
fn is_byte(text: &str) -> bool {
    let digits = text.strip_prefix("<0x").and_then(|rest| rest.strip_suffix('>'));
    digits.is_some_and(|digits| digits.len() == 2 && u8::from_str_radix(digits, 16).is_ok())
}

/// What happens to spaces before merging.
#[derive(Debug, Default)]
struct Spaces {
    prefix: bool,
    squeezed: bool,
}

impl Spaces {
    fn of(description: &Json) -> Result<Self, TokenizerError> {
        let space = SPACE.to_string();
        let mut spaces = Self::default();
        for step in steps(&description["normalizer"], "normalizers") {
            match step["type"].as_str() {
                Some("Prepend") if step["prepend"] == space => spaces.prefix = true,
                Some("Replace") if step["pattern"]["String"] == " " && step["content"] == space => {
                }
                Some("Replace") if step["pattern"]["Regex"] == " {2,}" => spaces.squeezed = true,
                Some("Replace") if step["pattern"]["Regex"] == r"\A +| +\z" => {}
                _ => return refused(format!("it normalises text by {step}")),
            }
        }
        for step in steps(&description["pre_tokenizer"], "pretokenizers") {
            match step["type"].as_str() {
                Some("Metaspace") => spaces.prefix |= step["prepend_scheme"] != "never",
                // Cuts that no piece reaches across.
                Some("Split") if step["behavior"] == "Isolated" => {}
                _ => return refused(format!("it cuts text by {step}")),
            }
        }
        Ok(spaces)
    }
}
