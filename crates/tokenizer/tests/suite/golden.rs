//! The cases of `golden/tokenizers`: outputs of Hugging Face `tokenizers`, SentencePiece and tiktoken, matched exactly.

use serde_json::Value;
use wuji_tokenizer::{BatchConfig, Side, SplitPattern, Tokenizer};

use crate::common::{ids, json, shared};

/// Character offsets, as the reference has them, of byte offsets.
fn in_characters(text: &str, offsets: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let position = |byte: usize| text[..byte].chars().count();
    offsets.iter().map(|&(start, end)| (position(start), position(end))).collect()
}

fn pairs(value: &Value) -> Vec<(usize, usize)> {
    serde_json::from_value(value.clone()).unwrap()
}

fn strings(value: &Value) -> Vec<String> {
    serde_json::from_value(value.clone()).unwrap()
}

fn check_encoding(case: &str, tokenizer: &Tokenizer, expected: &Value) {
    let text = expected["text"].as_str().unwrap();
    let encoding = tokenizer.encode(text, false).unwrap();
    assert_eq!(encoding.ids, ids(&expected["ids"]), "{case}: ids of {text:?}");
    assert_eq!(encoding.tokens, strings(&expected["tokens"]), "{case}: tokens of {text:?}");
    assert_eq!(
        in_characters(text, &encoding.offsets),
        pairs(&expected["offsets"]),
        "{case}: offsets of {text:?}"
    );
    assert_eq!(tokenizer.encode_ids(text).unwrap(), encoding.ids, "{case}: fast ids of {text:?}");
    assert_eq!(
        tokenizer.decode(&encoding.ids, false).unwrap(),
        expected["decoded"].as_str().unwrap(),
        "{case}: decoded {text:?}"
    );
    assert_eq!(
        tokenizer.decode(&encoding.ids, true).unwrap(),
        expected["decoded_skip_special"].as_str().unwrap(),
        "{case}: decoded {text:?} without special tokens"
    );
    if let Some(with_special) = expected.get("ids_with_special") {
        let encoding = tokenizer.encode(text, true).unwrap();
        assert_eq!(encoding.ids, ids(with_special), "{case}: ids of {text:?} in the template");
        assert_eq!(encoding.type_ids, ids(&expected["type_ids"]), "{case}: segments of {text:?}");
        assert_eq!(
            encoding.special_tokens_mask,
            ids(&expected["special_tokens_mask"]),
            "{case}: special tokens of {text:?}"
        );
    }
}

fn check_pair(case: &str, tokenizer: &Tokenizer, expected: &Value) {
    let [a, b] = ["a", "b"].map(|side| expected[side].as_str().unwrap());
    let encoding = tokenizer.encode_pair(a, b, true).unwrap();
    assert_eq!(encoding.ids, ids(&expected["ids"]), "{case}: ids of ({a:?}, {b:?})");
    assert_eq!(encoding.tokens, strings(&expected["tokens"]), "{case}: tokens of ({a:?}, {b:?})");
    assert_eq!(encoding.type_ids, ids(&expected["type_ids"]), "{case}: segments of ({a:?}, {b:?})");
    assert_eq!(
        encoding.special_tokens_mask,
        ids(&expected["special_tokens_mask"]),
        "{case}: special tokens of ({a:?}, {b:?})"
    );
    let offsets = encoding
        .offsets
        .iter()
        .zip(&encoding.sequence_ids)
        .map(|(offsets, side)| in_characters([a, b][side.unwrap_or(0)], &[*offsets])[0])
        .collect::<Vec<_>>();
    assert_eq!(offsets, pairs(&expected["offsets"]), "{case}: offsets of ({a:?}, {b:?})");
}

fn check_padded_batch(case: &str, tokenizer: &Tokenizer, expected: &Value) {
    let side = if expected["padding_side"] == "left" { Side::Left } else { Side::Right };
    let config = BatchConfig {
        max_length: expected["max_length"].as_u64().map(|length| length as usize),
        padding_side: side,
        pad_token_id: expected["pad_id"].as_u64().map(|id| id as u32),
        ..BatchConfig::default()
    };
    let batch =
        tokenizer.batch_encoder(&config).unwrap().encode(&strings(&expected["texts"])).unwrap();
    let rows = |key: &str| expected[key].as_array().unwrap().iter().map(ids).collect::<Vec<_>>();
    assert_eq!(batch.ids, rows("ids"), "{case}: padded ids");
    assert_eq!(batch.attention_mask, rows("attention_mask"), "{case}: attention mask");
}

fn check_steps(case: &str, tokenizer: &Tokenizer, expected: &Value) {
    let text = expected["text"].as_str().unwrap();
    let normalized = tokenizer.normalize(text).unwrap();
    assert_eq!(normalized, expected["normalized"].as_str().unwrap(), "{case}: {text:?} normalised");
    if let Some(pieces) = expected["pieces"].as_array() {
        let expected: Vec<(String, (usize, usize))> =
            pieces.iter().map(|piece| serde_json::from_value(piece.clone()).unwrap()).collect();
        let pieces: Vec<_> = tokenizer
            .pre_tokenize(&normalized)
            .unwrap()
            .into_iter()
            .map(|piece| (piece.text, in_characters(&normalized, &[piece.offsets])[0]))
            .collect();
        assert_eq!(pieces, expected, "{case}: pieces of {text:?}");
    }
}

fn check_case(case: &str) {
    let Some(directory) = shared(&format!("golden/tokenizers/{case}")) else { return };
    let tokenizer = Tokenizer::load(&directory).unwrap();
    let expected = json(&directory.join("expected.json"));
    let each = |key: &str| expected.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    assert_eq!(each("encodings").len(), 65, "{case}: number of texts");
    each("encodings").iter().for_each(|expected| check_encoding(case, &tokenizer, expected));
    each("pairs").iter().for_each(|expected| check_pair(case, &tokenizer, expected));
    each("pre_tokenized").iter().for_each(|expected| check_steps(case, &tokenizer, expected));
    if let Some(expected) = expected.get("padded_batch") {
        check_padded_batch(case, &tokenizer, expected);
    }
}

#[test]
fn byte_level_bpe_matches_the_reference() {
    check_case("byte-bpe");
}

#[test]
fn bpe_with_byte_fallback_matches_the_reference() {
    check_case("bpe-byte-fallback");
}

#[test]
fn word_piece_matches_the_reference() {
    check_case("wordpiece");
}

#[test]
fn unigram_matches_the_reference() {
    check_case("unigram");
}

#[test]
fn word_level_matches_the_reference() {
    check_case("wordlevel");
}

#[test]
fn character_level_matches_the_reference() {
    check_case("char");
}

fn check_sentencepiece(case: &str) {
    let Some(directory) = shared(&format!("golden/tokenizers/{case}")) else { return };
    let tokenizer = Tokenizer::load(&directory).unwrap();
    let expected = json(&directory.join("expected.json"));
    for (id, piece) in (0..).zip(expected["vocab"].as_array().unwrap()) {
        assert_eq!(
            tokenizer.id_to_token(id).as_deref(),
            piece["piece"].as_str(),
            "{case}: piece {id}"
        );
    }
    for expected in expected["encodings"].as_array().unwrap() {
        let text = expected["text"].as_str().unwrap();
        // SentencePiece takes control pieces that are spelled out in the text for ordinary text.
        let encoding = tokenizer.encode_ordinary(text).unwrap();
        assert_eq!(encoding.ids, ids(&expected["ids"]), "{case}: ids of {text:?}");
        assert_eq!(encoding.tokens, strings(&expected["pieces"]), "{case}: pieces of {text:?}");
        let decoded = tokenizer.decode(&encoding.ids, false).unwrap();
        assert_eq!(decoded, expected["decoded"].as_str().unwrap(), "{case}: decoded {text:?}");
    }
}

#[test]
fn sentencepiece_bpe_matches_the_reference() {
    check_sentencepiece("sentencepiece-bpe");
}

#[test]
fn sentencepiece_unigram_matches_the_reference() {
    check_sentencepiece("sentencepiece-unigram");
}

#[test]
fn gpt2_matches_tiktoken() {
    let Some(case) = shared("golden/tokenizers/gpt2-tiktoken/expected.json") else { return };
    let Some(vocabulary) = shared("data/tokenizers/gpt2-bpe") else { return };
    let tokenizer = Tokenizer::load(&vocabulary).unwrap();
    assert_eq!(tokenizer.vocab_size(), 50_257);
    let expected = json(&case);
    for expected in expected["encodings"].as_array().unwrap() {
        let text = expected["text"].as_str().unwrap();
        assert_eq!(
            SplitPattern::Gpt2.split(text),
            strings(&expected["pieces"]),
            "pieces of {text:?}"
        );
        let ids_here = tokenizer.encode_ordinary_ids(text).unwrap();
        assert_eq!(ids_here, ids(&expected["ids"]), "ids of {text:?}");
        if let Some(allowed) = expected.get("ids_with_special_allowed") {
            assert_eq!(
                tokenizer.encode_ids(text).unwrap(),
                ids(allowed),
                "ids of {text:?} with special tokens"
            );
        }
        assert_eq!(tokenizer.decode(&ids_here, false).unwrap(), text);
    }
}

#[test]
fn split_patterns_match_the_reference() {
    let Some(case) = shared("golden/tokenizers/pretokenizer-patterns/expected.json") else {
        return;
    };
    let patterns = [
        ("cl100k", SplitPattern::Cl100k),
        ("llama3", SplitPattern::Llama3),
        ("qwen2", SplitPattern::Qwen2),
        ("o200k", SplitPattern::O200k),
    ];
    for expected in json(&case)["cases"].as_array().unwrap() {
        let text = expected["text"].as_str().unwrap();
        for (name, pattern) in patterns {
            assert_eq!(pattern.split(text), strings(&expected[name]), "{name}: pieces of {text:?}");
        }
    }
}
