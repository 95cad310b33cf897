//! BPE in two files, a vocabulary and its merges: `vocab.json` with `merges.txt` (Hugging Face) or `encoder.json` with
//! `vocab.bpe` (OpenAI).
//!
//! The files do not say how text is cut into pieces; `tokenizer_class` in `tokenizer_config.json` does, and without it
//! GPT-2's way is assumed.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::{Beside, Imported, clip, directory, read, tokenizer_json};
use crate::error::TokenizerError;
use crate::pipeline::{added_token, byte_level_bpe, template};
use crate::special_tokens::{Role, SpecialTokens, token_content};
use crate::split_pattern::SplitPattern;

/// Endings of the vocabulary's name with those of the merges beside it.
const COMPANIONS: [(&str, &str); 2] = [("vocab.json", "merges.txt"), ("encoder.json", "vocab.bpe")];

/// Reads the vocabulary `vocab` of `path` and the merges beside it.
pub(super) fn import(
    vocab: Map<String, Value>,
    path: &Path,
    name: &str,
    beside: &Beside,
) -> Result<Imported, TokenizerError> {
    let companion = COMPANIONS
        .iter()
        .find_map(|(ours, theirs)| Some(format!("{}{theirs}", name.strip_suffix(ours)?)));
    let wanted = path.with_file_name(companion.unwrap_or_else(|| "merges.txt".to_owned()));
    let merges_path = directory::existing(&wanted).ok_or_else(|| {
        TokenizerError::MissingCompanion { path: path.to_owned(), missing: wanted }
    })?;
    let merges = read_merges(&merges_path, &vocab)?;
    Ok(describe(vocab, merges, beside))
}

/// Reads the vocabulary beside the merges `path`.
pub(super) fn import_from_merges(
    path: &Path,
    name: &str,
    beside: &Beside,
) -> Result<Imported, TokenizerError> {
    let companion = COMPANIONS
        .iter()
        .find_map(|(theirs, ours)| Some(format!("{}{theirs}", name.strip_suffix(ours)?)))
        .unwrap_or_else(|| "vocab.json".to_owned());
    let wanted = path.with_file_name(companion);
    let vocab: PathBuf = directory::existing(&wanted).ok_or_else(|| {
        TokenizerError::MissingCompanion { path: path.to_owned(), missing: wanted }
    })?;
    let merges = read_merges(path, &read::json_object(&vocab)?)?;
    Ok(describe(read::json_object(&vocab)?, merges, beside))
}

/// Reads merge rules, one per line, the most frequent first; a first line with `#version` is a header.
fn read_merges(path: &Path, vocab: &Map<String, Value>) -> Result<Vec<Value>, TokenizerError> {
    let text = read::text(path)?;
    let mut merges = Vec::new();
    for (line, rule) in (1..).zip(text.lines()) {
        if rule.starts_with("#version") || rule.is_empty() {
            continue;
        }
        let bad = |reason: String| TokenizerError::BadMerge {
            path: path.to_owned(),
            line,
            text: rule.to_owned(),
            reason,
        };
        let [left, right] = rule.split(' ').collect::<Vec<_>>()[..] else {
            return Err(bad("is not two tokens separated by a space".to_owned()));
        };
        tokenizer_json::merge_is_sound(left, right, "", |token| vocab.contains_key(token))
            .map_err(bad)?;
        merges.push(json!([left, right]));
    }
    Ok(merges)
}

fn describe(vocab: Map<String, Value>, merges: Vec<Value>, beside: &Beside) -> Imported {
    if beside.class().is_some_and(|class| class.starts_with("CLIPTokenizer")) {
        return clip::describe(Value::Object(vocab), merges);
    }
    let pattern = match beside.class() {
        Some(class) if class.starts_with("Qwen2Tokenizer") => SplitPattern::Qwen2,
        _ => SplitPattern::Gpt2,
    };
    let added = special_tokens(&vocab, beside);
    let roberta = beside.class().is_some_and(|class| class.starts_with("RobertaTokenizer"));
    let id = |token: &str| vocab.get(token).and_then(Value::as_u64).map(|id| id as u32);
    let around = match (roberta, id("<s>"), id("</s>")) {
        (true, Some(begin), Some(end)) => template(Some(("<s>", begin)), Some(("</s>", end))),
        _ => Value::Null,
    };
    let mut description =
        byte_level_bpe(Value::Object(vocab), merges, pattern.pre_tokenizer(), added);
    if !around.is_null() {
        description.post_processor = around;
    }
    Imported { description: description.into_json(), special_tokens: SpecialTokens::default() }
}

/// The special tokens in the vocabulary: those that the files beside it name, and those whose names say it.
fn special_tokens(vocab: &Map<String, Value>, beside: &Beside) -> Vec<Value> {
    let named: Vec<&str> = Role::ALL
        .iter()
        .flat_map(|role| [beside.config.get(role.key()), beside.special_tokens_map.get(role.key())])
        .filter_map(|value| token_content(value?))
        .collect();
    let special = |token: &str| {
        named.contains(&token)
            || (token.starts_with("<|") && token.ends_with("|>"))
            || ["<s>", "</s>", "<pad>", "<unk>", "<mask>"].contains(&token)
    };
    let mut found: Vec<(u64, &String)> = vocab
        .iter()
        .filter(|(token, _)| special(token))
        .filter_map(|(token, id)| Some((id.as_u64()?, token)))
        .collect();
    found.sort_unstable();
    found.into_iter().map(|(id, token)| added_token(id as u32, token, true)).collect()
}
