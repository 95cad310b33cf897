//! Recognising a file: by its first bytes, and where those say nothing by its name.

use std::io::BufRead;
use std::path::Path;

use serde_json::Value;

use super::directory::without_gz;
use super::{
    Beside, Imported, clip, gguf, llama2c, read, sentencepiece, tokenizer_json, vocab_merges,
    vocab_txt,
};
use crate::error::TokenizerError;

/// Reads `path` in whatever format it is.
pub(super) fn import(path: &Path, beside: &Beside) -> Result<Imported, TokenizerError> {
    let mut file = read::open(path)?;
    let start =
        file.fill_buf().map_err(|source| TokenizerError::Read { path: path.to_owned(), source })?;
    if start.starts_with(b"GGUF") {
        return gguf::import(file, path);
    }
    drop(file);

    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let name = without_gz(&name);
    let content = read::bytes(path)?;
    match content.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') => import_json(content, path, name, beside),
        _ if name.ends_with(".json") => {
            read::json(&content, path)?;
            Err(unrecognized(path, "the JSON in it is not an object"))
        }
        _ if name.ends_with("merges.txt") || name.ends_with("vocab.bpe") => {
            vocab_merges::import_from_merges(path, name, beside)
        }
        _ if name.ends_with(".txt") => import_text(read::utf8(content, path)?, path, beside),
        _ => import_binary(&content, path, beside),
    }
}

fn import_json(
    content: Vec<u8>,
    path: &Path,
    name: &str,
    beside: &Beside,
) -> Result<Imported, TokenizerError> {
    let Value::Object(object) = read::json(&content, path)? else {
        return Err(unrecognized(path, "the JSON in it is not an object"));
    };
    // GPT-2's vocabulary has a token "model".
    if object.get("model").is_some_and(Value::is_object) {
        return Ok(tokenizer_json::import(Value::Object(object)));
    }
    let is_vocab = !object.is_empty() && object.values().all(Value::is_u64);
    if !is_vocab {
        return Err(unrecognized(path, "the JSON in it has neither a \"model\" nor token ids"));
    }
    vocab_merges::import(object, path, name, beside)
}

fn import_text(text: String, path: &Path, beside: &Beside) -> Result<Imported, TokenizerError> {
    if clip::is_clip(&text) {
        return clip::import(&text, path);
    }
    vocab_txt::import(&text, path, beside)
}

/// Formats without a signature: what parses from the first to the last byte is it.
fn import_binary(content: &[u8], path: &Path, beside: &Beside) -> Result<Imported, TokenizerError> {
    if sentencepiece::looks_like(content) {
        return sentencepiece::import(content, path, beside);
    }
    if llama2c::looks_like(content) {
        return llama2c::import(content, path, beside);
    }
    if let Ok(text) = std::str::from_utf8(content) {
        let reason = match is_tiktoken(text) {
            true => "it looks like tiktoken ranks, which do not say how text is cut into pieces",
            false => "it is text, but neither JSON nor named like a vocabulary",
        };
        return Err(unrecognized(path, reason));
    }
    Err(unrecognized(path, "its bytes fit none of the formats"))
}

/// Lines of a base64 token and its rank.
fn is_tiktoken(text: &str) -> bool {
    text.lines()
        .next()
        .and_then(|line| line.split_once(' '))
        .is_some_and(|(_, rank)| rank.parse::<u32>().is_ok())
}

fn unrecognized(path: &Path, reason: &str) -> TokenizerError {
    TokenizerError::UnrecognizedFormat { path: path.to_owned(), reason: reason.to_owned() }
}
