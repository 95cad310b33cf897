//! CLIP's `bpe_simple_vocab_16e6.txt`: merges only; the vocabulary follows from them.

use std::path::Path;

use serde_json::{Value, json};

use super::Imported;
use crate::byte_level::alphabet;
use crate::error::TokenizerError;
use crate::pipeline::{self, Description, added_token, bpe_model, sequence, template};
use crate::special_tokens::{Role, SpecialTokens};

/// What a token that ends a word ends with.
const END_OF_WORD: &str = "</w>";

/// CLIP uses the first merges of its file, so that vocabulary, with two special tokens, has 49 408.
const MERGES: usize = 49_152 - 256 - 2;

const BEGIN: &str = "<|startoftext|>";
const END: &str = "<|endoftext|>";

/// Whether `text` is CLIP's file: merges that end words with `</w>`, under a header.
pub(super) fn is_clip(text: &str) -> bool {
    let mut lines = text.lines();
    lines.next().is_some_and(|header| header.contains("#version"))
        && lines.any(|line| line.ends_with(END_OF_WORD))
}

/// Reads `text`, the content of `path`.
pub(super) fn import(text: &str, path: &Path) -> Result<Imported, TokenizerError> {
    let mut tokens = alphabet();
    tokens.extend(alphabet().into_iter().map(|letter| letter + END_OF_WORD));
    let mut merges = Vec::new();
    for (line, rule) in (1..).zip(text.lines()).skip(1).take(MERGES) {
        let Some((left, right)) = rule.split_once(' ').filter(|(_, right)| !right.contains(' '))
        else {
            return Err(TokenizerError::BadMerge {
                path: path.to_owned(),
                line,
                text: rule.to_owned(),
                reason: "is not two tokens separated by a space".to_owned(),
            });
        };
        tokens.push(format!("{left}{right}"));
        merges.push(json!([left, right]));
    }
    tokens.extend([BEGIN.to_owned(), END.to_owned()]);
    Ok(describe(pipeline::vocab(tokens.iter().map(String::as_str)), merges))
}

/// CLIP's pipeline, as `transformers` builds it.
pub(super) fn describe(vocab: Value, merges: Vec<Value>) -> Imported {
    let id = |token: &str| vocab.get(token).and_then(Value::as_u64).map(|id| id as u32);
    let (begin, end) = (id(BEGIN).map(|id| (BEGIN, id)), id(END).map(|id| (END, id)));
    let added = [begin, end]
        .into_iter()
        .flatten()
        .map(|(token, id)| added_token(id, token, true))
        .collect();
    let words = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";
    let mut model = bpe_model(vocab, merges, end.map(|(token, _)| token));
    model["end_of_word_suffix"] = json!(END_OF_WORD);
    let description = Description {
        normalizer: sequence(
            "normalizers",
            vec![
                json!({"type": "NFC"}),
                json!({"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "}),
                json!({"type": "Lowercase"}),
            ],
        ),
        pre_tokenizer: sequence(
            "pretokenizers",
            vec![
                json!({"type": "Split", "pattern": {"Regex": words}, "behavior": "Removed", "invert": true}),
                json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false}),
            ],
        ),
        post_processor: template(begin, end),
        decoder: sequence(
            "decoders",
            vec![
                // Ġ is the byte-level spelling of a space.
                json!({"type": "Replace", "pattern": {"String": END_OF_WORD}, "content": "Ġ"}),
                json!({"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true}),
                json!({"type": "Replace", "pattern": {"Regex": r" \z"}, "content": ""}),
            ],
        ),
        model,
        added_tokens: added,
    };
    let special_tokens = SpecialTokens::default()
        .with(Role::Bos, BEGIN)
        .with(Role::Eos, END)
        .with(Role::Pad, END)
        .with(Role::Unk, END);
    Imported { description: description.into_json(), special_tokens }
}
