//! Building pipelines: everything that this crate trains or imports is first written as a `tokenizer.json` and then
//! read by the `tokenizers` crate, so that there is one way in and what is saved is what runs.

use serde_json::{Map, Value, json};

use crate::special_tokens::{Role, SpecialTokens};

/// The parts of a `tokenizer.json`; what is `Null` is left out.
#[derive(Debug, Default)]
pub(crate) struct Description {
    pub(crate) normalizer: Value,
    pub(crate) pre_tokenizer: Value,
    pub(crate) post_processor: Value,
    pub(crate) decoder: Value,
    pub(crate) model: Value,
    pub(crate) added_tokens: Vec<Value>,
}

impl Description {
    /// The `tokenizer.json`.
    pub(crate) fn into_json(self) -> Value {
        json!({
            "version": "1.0",
            "truncation": null,
            "padding": null,
            "added_tokens": self.added_tokens,
            "normalizer": self.normalizer,
            "pre_tokenizer": self.pre_tokenizer,
            "post_processor": self.post_processor,
            "decoder": self.decoder,
            "model": self.model,
        })
    }
}

/// An entry of `added_tokens`, matched in the text before normalisation.
pub(crate) fn added_token(id: u32, content: &str, special: bool) -> Value {
    json!({
        "id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": false, "special": special,
    })
}

/// Special tokens with the ids from 0 on.
pub(crate) fn leading_special_tokens(tokens: &[String]) -> Vec<Value> {
    (0..).zip(tokens).map(|(id, token)| added_token(id, token, true)).collect()
}

/// A vocabulary object: token to id, in the order of `tokens`.
pub(crate) fn vocab<'tokens>(tokens: impl IntoIterator<Item = &'tokens str>) -> Value {
    let entries: Map<String, Value> =
        (0u32..).zip(tokens).map(|(id, token)| (token.to_owned(), Value::from(id))).collect();
    Value::Object(entries)
}

/// A `Sequence` of steps under the key that the kind of step uses; a single step stays as it is.
pub(crate) fn sequence(key: &str, mut steps: Vec<Value>) -> Value {
    match steps.len() {
        0 => Value::Null,
        1 => steps.remove(0),
        _ => {
            let mut sequence = Map::from_iter([("type".to_owned(), json!("Sequence"))]);
            sequence.insert(key.to_owned(), Value::Array(steps));
            Value::Object(sequence)
        }
    }
}

/// A template that puts `prefix` before and `suffix` after every text; each is a token with its id.
pub(crate) fn template(prefix: Option<(&str, u32)>, suffix: Option<(&str, u32)>) -> Value {
    let around = |sequences: &[&str]| -> Vec<Value> {
        let token = |(token, _): (&str, u32)| json!({"SpecialToken": {"id": token, "type_id": 0}});
        let text = |name: &&str| json!({"Sequence": {"id": name, "type_id": 0}});
        sequences
            .iter()
            .flat_map(|name| {
                prefix.map(token).into_iter().chain([text(name)]).chain(suffix.map(token))
            })
            .collect()
    };
    match (prefix, suffix) {
        (None, None) => Value::Null,
        _ => json!({
            "type": "TemplateProcessing", "single": around(&["A"]), "pair": around(&["A", "B"]),
            "special_tokens": template_tokens(prefix.into_iter().chain(suffix)),
        }),
    }
}

/// BERT's template: `[CLS] a [SEP]` and `[CLS] a [SEP] b [SEP]` with segments 0 and 1.
pub(crate) fn bert_template(cls: (&str, u32), sep: (&str, u32)) -> Value {
    let token =
        |token: &str, segment: u32| json!({"SpecialToken": {"id": token, "type_id": segment}});
    let text = |name: &str, segment: u32| json!({"Sequence": {"id": name, "type_id": segment}});
    let single = vec![token(cls.0, 0), text("A", 0), token(sep.0, 0)];
    let second = [text("B", 1), token(sep.0, 1)];
    let pair: Vec<Value> = single.iter().cloned().chain(second).collect();
    json!({
        "type": "TemplateProcessing", "single": single, "pair": pair,
        "special_tokens": template_tokens([cls, sep]),
    })
}

fn template_tokens<'tokens>(tokens: impl IntoIterator<Item = (&'tokens str, u32)>) -> Value {
    let entries = tokens.into_iter().map(|(token, id)| {
        (token.to_owned(), json!({"id": token, "ids": [id], "tokens": [token]}))
    });
    Value::Object(entries.collect())
}

/// BERT's normaliser.
pub(crate) fn bert_normalizer(lowercase: bool) -> Value {
    json!({
        "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null,
        "lowercase": lowercase,
    })
}

/// A WordPiece pipeline, as BERT's tokenizers have it.
pub(crate) fn word_piece(
    vocab: Value,
    unknown: &str,
    lowercase: bool,
    added_tokens: Vec<Value>,
) -> Description {
    let id = |token: &str| vocab.get(token).and_then(Value::as_u64).map(|id| id as u32);
    let post_processor = match (id("[CLS]"), id("[SEP]")) {
        (Some(cls), Some(sep)) => bert_template(("[CLS]", cls), ("[SEP]", sep)),
        _ => Value::Null,
    };
    Description {
        normalizer: bert_normalizer(lowercase),
        pre_tokenizer: json!({"type": "BertPreTokenizer"}),
        post_processor,
        decoder: json!({"type": "WordPiece", "prefix": "##", "cleanup": true}),
        model: json!({
            "type": "WordPiece", "unk_token": unknown, "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": vocab,
        }),
        added_tokens,
    }
}

/// A byte-level BPE pipeline; offsets keep the space that a token begins with.
pub(crate) fn byte_level_bpe(
    vocab: Value,
    merges: Vec<Value>,
    pre_tokenizer: Value,
    added_tokens: Vec<Value>,
) -> Description {
    Description {
        normalizer: Value::Null,
        pre_tokenizer,
        post_processor: byte_level_step(),
        decoder: json!({"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true}),
        model: bpe_model(vocab, merges, None),
        added_tokens,
    }
}

/// The byte-level post-processor that leaves offsets alone.
pub(crate) fn byte_level_step() -> Value {
    json!({"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": false, "use_regex": true})
}

/// A BPE model without byte fallback.
pub(crate) fn bpe_model(vocab: Value, merges: Vec<Value>, unknown: Option<&str>) -> Value {
    json!({
        "type": "BPE", "dropout": null, "unk_token": unknown, "continuing_subword_prefix": null,
        "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
        "vocab": vocab, "merges": merges,
    })
}

/// BERT's roles.
pub(crate) fn bert_roles() -> SpecialTokens {
    SpecialTokens::default()
        .with(Role::Pad, "[PAD]")
        .with(Role::Unk, "[UNK]")
        .with(Role::Cls, "[CLS]")
        .with(Role::Sep, "[SEP]")
        .with(Role::Mask, "[MASK]")
}
