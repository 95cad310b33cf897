//! `tokenizer.json`: checked here, read by the `tokenizers` crate.
//!
//! The checks are for what the crate takes on trust and would panic on, or would read differently every time: merges
//! of tokens that are not there, two tokens with one id, ids in the billions, a damaged normalisation table.

use std::collections::HashMap;
use std::path::Path;

use serde_json::{Map, Value};

use super::{Imported, read};
use crate::charsmap::Charsmap;
use crate::error::TokenizerError;
use crate::special_tokens::SpecialTokens;
use crate::tokenizer::Pipeline;

/// The largest id that is taken for an id and not for a mistake.
const LARGEST_ID: u64 = (1 << 24) - 1;

/// A field and what is wrong with it.
type Problem = (String, String);

/// A `tokenizer.json` as it is.
pub(super) fn import(description: Value) -> Imported {
    Imported { description, special_tokens: SpecialTokens::default() }
}

/// The pipeline that `description`, read from `path`, describes, and the table to apply before it.
pub(super) fn checked_pipeline(
    mut description: Value,
    path: &Path,
) -> Result<(Pipeline, Option<Charsmap>), TokenizerError> {
    let invalid = |(field, message)| TokenizerError::InvalidDescription {
        path: path.to_owned(),
        field,
        message,
    };
    check(&description).map_err(invalid)?;
    let charsmap = match description.get_mut("normalizer") {
        Some(normalizer) => Charsmap::take_from(normalizer)
            .map_err(|message| invalid(("normalizer".to_owned(), message)))?,
        None => None,
    };
    let pipeline =
        pipeline(&description).map_err(|message| invalid(("tokenizer".to_owned(), message)))?;
    Ok((pipeline, charsmap))
}

/// The pipeline that `description` describes, which must be sound; the crate's message if it is not.
pub(crate) fn pipeline(description: &Value) -> Result<Pipeline, String> {
    // Through text, because parts of the crate's deserialisation borrow from it.
    serde_json::from_str(&description.to_string()).map_err(|error| error.to_string())
}

fn check(description: &Value) -> Result<(), Problem> {
    let problem = |field: &str, message: String| (field.to_owned(), message);
    let model = description["model"].as_object().ok_or_else(|| {
        problem(
            "model",
            format!("expected an object, got {}", read::type_name(&description["model"])),
        )
    })?;
    match model.get("vocab") {
        Some(Value::Object(vocab)) => {
            check_ids(vocab)?;
            let prefix =
                model.get("continuing_subword_prefix").and_then(Value::as_str).unwrap_or_default();
            check_merges(model.get("merges"), vocab, prefix)?;
        }
        Some(Value::Array(pieces)) => check_pieces(pieces, model.get("unk_id"))?,
        Some(other) => {
            let got = read::type_name(other);
            return Err(problem(
                "model.vocab",
                format!("expected an object or an array, got {got}"),
            ));
        }
        None => return Err(problem("model.vocab", "is missing".to_owned())),
    }
    Ok(())
}

fn check_ids(vocab: &Map<String, Value>) -> Result<(), Problem> {
    let mut tokens: HashMap<u64, &str> = HashMap::with_capacity(vocab.len());
    for (token, id) in vocab {
        let field = || format!("model.vocab[{token:?}]");
        let Some(id) = id.as_u64().filter(|id| *id <= LARGEST_ID) else {
            return Err((field(), format!("expected an id from 0 to {LARGEST_ID}, got {id}")));
        };
        if let Some(other) = tokens.insert(id, token) {
            return Err((field(), format!("id {id} is also that of {other:?}")));
        }
    }
    Ok(())
}

fn check_merges(
    merges: Option<&Value>,
    vocab: &Map<String, Value>,
    prefix: &str,
) -> Result<(), Problem> {
    let Some(Value::Array(merges)) = merges else { return Ok(()) };
    for (index, merge) in merges.iter().enumerate() {
        check_merge(merge, vocab, prefix)
            .map_err(|message| (format!("model.merges[{index}]"), message))?;
    }
    Ok(())
}

fn check_merge(merge: &Value, vocab: &Map<String, Value>, prefix: &str) -> Result<(), String> {
    let (left, right) = match merge {
        // Older files have "a b"; like the crate, take lines that begin with #version for a comment.
        Value::String(text) if text.starts_with("#version") => return Ok(()),
        Value::String(text) => match text.split(' ').collect::<Vec<_>>()[..] {
            [left, right] => (left, right),
            _ => return Err(format!("expected two tokens and a space, got {text:?}")),
        },
        Value::Array(pair) => match &pair[..] {
            [Value::String(left), Value::String(right)] => (left.as_str(), right.as_str()),
            _ => return Err(format!("expected two tokens, got {merge}")),
        },
        _ => return Err(format!("expected two tokens, got {merge}")),
    };
    merge_is_sound(left, right, prefix, |token| vocab.contains_key(token))
}

/// Whether both sides of a merge and what it gives are tokens.
pub(super) fn merge_is_sound(
    left: &str,
    right: &str,
    prefix: &str,
    exists: impl Fn(&str) -> bool,
) -> Result<(), String> {
    for side in [left, right] {
        if !exists(side) {
            return Err(format!("token {side:?} is not in the vocabulary"));
        }
    }
    // The crate cuts as many bytes as the prefix has, whatever they are.
    let Some(tail) = right.get(prefix.len()..) else {
        return Err(format!("token {right:?} is shorter than the continuing prefix {prefix:?}"));
    };
    let merged = format!("{left}{tail}");
    if exists(&merged) {
        Ok(())
    } else {
        Err(format!("their merge {merged:?} is not in the vocabulary"))
    }
}

fn check_pieces(pieces: &[Value], unknown: Option<&Value>) -> Result<(), Problem> {
    for (index, piece) in pieces.iter().enumerate() {
        let sound = piece.as_array().is_some_and(|piece| {
            matches!(&piece[..], [Value::String(_), Value::Number(score)] if score.as_f64().is_some())
        });
        if !sound {
            return Err((
                format!("model.vocab[{index}]"),
                format!("expected a piece and its score, got {piece}"),
            ));
        }
    }
    match unknown.and_then(Value::as_u64) {
        Some(id) if id >= pieces.len() as u64 => Err((
            "model.unk_id".to_owned(),
            format!("is {id}, but there are {} pieces", pieces.len()),
        )),
        _ => Ok(()),
    }
}
