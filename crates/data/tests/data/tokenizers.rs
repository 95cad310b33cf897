//! With real tokenizers: the tokens in the shards are those of the whole text.

use wuji_data::source::PART_BYTES;
use wuji_data::{Corpus, MemorySource, PreparedCorpus, Split, SplitOptions, TextEncoder};
use wuji_tokenizer::{SplitPattern, Tokenizer, TokenizerKind, TokenizerTrainerConfig};

use crate::support::{directory, documents, join, options, shared, tokens};

/// Prepares one document and compares the training side with the same text tokenized at once.
fn check(tokenizer: &Tokenizer, text: &str) -> PreparedCorpus {
    assert!(text.len() > 4 * PART_BYTES, "a text of one part shows nothing");
    let directory = directory();
    let corpus = Corpus::single(MemorySource::new("text", [text]));
    let split = SplitOptions::default();
    let prepared =
        wuji_data::prepare(&corpus, tokenizer, &split, directory.path()).expect("prepares");
    let parts = corpus.texts(&split, Split::Train).expect("opens");
    let train = join(parts.map(|part| part.expect("text")).collect()).concat();
    let expected = tokenizer.encode_ids(&train).expect("encodes");
    assert!(tokens(&prepared.train) == expected, "the cuts between parts changed tokens");
    let both = [tokens(&prepared.train), tokens(&prepared.validation)].concat();
    assert!(tokenizer.decode(&both, true).expect("decodes") == text, "the text changed");
    prepared
}

/// Prose, verse and code, with the kinds of line end that pre-tokenizers treat differently.
fn mixed_text(seed: usize) -> String {
    let samples = [
        "It's a truth: 12,345 things (and more) happened in 1999.\n\n",
        "    indented = line + 1  # comment\n\tand a tab\n",
        "西陸蟬聲唱，南冠客思侵。\n那堪玄鬢影，來對白頭吟。\n",
        "one line  with   many    spaces     and no end ",
        "...\n...!?\r\n\r\n\n\n   \n- item\n/- item\n",
    ];
    let mut text = String::new();
    for number in seed..seed + 12_000 {
        text.push_str(samples[(number * number / 7 + number) % samples.len()]);
        text.push_str(&number.to_string());
    }
    text
}

#[test]
fn byte_level_bpe_does_not_notice_parts() {
    for (seed, pattern) in (0..).zip(SplitPattern::ALL) {
        let config = TokenizerTrainerConfig {
            pattern,
            ..TokenizerTrainerConfig::new(TokenizerKind::ByteLevelBpe, 600)
        };
        let sample: String = mixed_text(0).chars().take(30_000).collect();
        let tokenizer = Tokenizer::train(&config, std::iter::once(sample)).expect("trains");
        // Another text each time, so that the cuts fall in other places.
        let prepared = check(&tokenizer, &mixed_text(seed * 1000));
        assert_eq!(tokens(&prepared.validation).last().copied(), tokenizer.separator_id());
        assert_eq!(prepared.manifest.separator_id, tokenizer.token_to_id("<|endoftext|>"));
    }
}

#[test]
fn characters_are_one_token_each_and_have_no_separator() {
    let text = mixed_text(0);
    let config = TokenizerTrainerConfig::new(TokenizerKind::Char, 10_000);
    let tokenizer = Tokenizer::train(&config, std::iter::once(text.clone())).expect("trains");
    let prepared = check(&tokenizer, &text);
    let count = prepared.train.token_count() + prepared.validation.token_count();
    assert_eq!(count, text.chars().count() as u64);
    assert_eq!(prepared.manifest.separator_id, None);
}

#[test]
fn gpt2_does_not_notice_parts_of_public_texts() {
    let Some(path) = shared("data/tokenizers/gpt2-bpe") else { return };
    let tokenizer = Tokenizer::load(&path).expect("loads");
    for file in [
        "data/pretrain/tinyshakespeare/input.txt.gz",
        "data/pretrain/chinese-poetry/poems.jsonl.gz",
        "data/pretrain/wikitext2/test.txt.gz",
    ] {
        let Some(path) = shared(file) else { return };
        let text = documents(&options(&path)).expect(file).join("\n");
        let beginning = &text[..text.floor_char_boundary(5 * PART_BYTES)];
        check(&tokenizer, beginning);
    }
}
