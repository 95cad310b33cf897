//! Tokenizers in GGUF's metadata: what is written reads back as the same tokenizer.

use std::path::Path;

use wuji_tokenizer::gguf::write_header;
use wuji_tokenizer::{
    SplitPattern, Tokenizer, TokenizerError, TokenizerKind, TokenizerTrainerConfig,
};

use crate::common::{shared, story_corpus};

const TEXTS: [&str; 6] = [
    "Once upon a time, Mia had a ball.",
    "  two spaces,\n\nlines\tand tabs ",
    "It's 12345 numbers; don't!",
    "从前，小明有一个风筝。",
    "é ﬁ 🙂 <s> </s> <unk>",
    "",
];

/// The tokenizer after a way through a GGUF file with `vocab_size` tokens.
fn through_a_file(tokenizer: &Tokenizer, vocab_size: usize) -> Tokenizer {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vocab.gguf");
    let mut bytes = Vec::new();
    write_header(&mut bytes, &tokenizer.gguf_metadata(vocab_size).unwrap(), &[]).unwrap();
    std::fs::write(&path, bytes).unwrap();
    Tokenizer::load(&path).unwrap()
}

fn assert_same(name: &str, before: &Tokenizer, after: &Tokenizer, texts: &[&str]) {
    for text in texts {
        let ids = |tokenizer: &Tokenizer| tokenizer.encode(text, true).unwrap().ids;
        assert_eq!(ids(after), ids(before), "{name}: {text:?}");
        // What an unknown piece decodes to is not in the file.
        if before.unk_token_id().is_none_or(|unknown| !ids(before).contains(&unknown)) {
            let decoded = |tokenizer: &Tokenizer| tokenizer.decode(&ids(before), false).unwrap();
            assert_eq!(decoded(after), decoded(before), "{name}: {text:?}");
        }
    }
    let roles = |tokenizer: &Tokenizer| (tokenizer.bos_token_id(), tokenizer.eos_token_id());
    assert_eq!(roles(after), roles(before), "{name}");
}

fn trained(pattern: SplitPattern) -> Tokenizer {
    let mut config = TokenizerTrainerConfig::new(TokenizerKind::ByteLevelBpe, 400);
    config.pattern = pattern;
    Tokenizer::train(&config, story_corpus().into_iter()).unwrap()
}

#[test]
fn byte_level_bpe_goes_there_and_back() {
    for pattern in [SplitPattern::Gpt2, SplitPattern::Qwen2, SplitPattern::O200k] {
        let tokenizer = trained(pattern);
        let again = through_a_file(&tokenizer, tokenizer.vocab_size());
        assert_same(&format!("{pattern:?}"), &tokenizer, &again, &TEXTS);
        assert_eq!(again.vocab(), tokenizer.vocab());
    }
}

#[test]
fn a_model_may_have_more_ids_than_its_tokenizer_but_not_fewer() {
    let tokenizer = trained(SplitPattern::Gpt2);
    let again = through_a_file(&tokenizer, tokenizer.vocab_size() + 9);
    assert_eq!(again.vocab_size(), tokenizer.vocab_size() + 9);
    assert_same("padded", &tokenizer, &again, &TEXTS);
    let error = tokenizer.gguf_metadata(10).unwrap_err().to_string();
    assert!(error.contains("ids, the model 10"), "{error}");
}

#[test]
fn kinds_without_words_in_gguf_are_refused() {
    let mut refused = vec![trained(SplitPattern::Cl100k)];
    for kind in [TokenizerKind::WordPiece, TokenizerKind::Unigram, TokenizerKind::Char] {
        let config = TokenizerTrainerConfig::new(kind, 300);
        refused.push(Tokenizer::train(&config, story_corpus().into_iter()).unwrap());
    }
    for tokenizer in refused {
        let described = tokenizer.gguf_metadata(tokenizer.vocab_size());
        let kind = tokenizer.kind();
        assert!(matches!(described, Err(TokenizerError::NotInGguf { .. })), "{kind:?}");
    }
}

#[test]
fn golden_vocabularies_of_llama_cpp_go_there_and_back() {
    let sources = [
        "data/tokenizers/ggml-vocab/ggml-vocab-gpt-2.gguf.gz",
        "data/tokenizers/ggml-vocab/ggml-vocab-starcoder.gguf.gz",
        "data/tokenizers/ggml-vocab/ggml-vocab-falcon.gguf.gz",
        "data/tokenizers/ggml-vocab/ggml-vocab-llama-spm.gguf.gz",
        "data/models/stories260k/tok512.bin",
        "golden/tokenizers/sentencepiece-bpe",
        "golden/tokenizers/byte-bpe",
    ];
    for source in sources {
        let Some(path) = shared(source) else { return };
        let tokenizer = Tokenizer::load(&path).unwrap();
        let again = through_a_file(&tokenizer, tokenizer.vocab_size());
        let inputs = inputs_beside(&path);
        let texts = inputs.as_ref().map(|inputs| inputs.split("\n__ggml_vocab_test__\n").collect());
        let texts: Vec<&str> = texts.unwrap_or_default();
        assert_same(source, &tokenizer, &again, &[&TEXTS, texts.as_slice()].concat());
    }
}

#[test]
fn golden_rules_that_are_not_those_of_scores_are_refused() {
    // Learnt from counts: not every way to make a piece is a rule.
    let Some(path) = shared("golden/tokenizers/bpe-byte-fallback/tokenizer.json") else { return };
    let tokenizer = Tokenizer::load(&path).unwrap();
    let error = tokenizer.gguf_metadata(tokenizer.vocab_size()).unwrap_err().to_string();
    assert!(error.contains("merge rules are not those of pieces with scores"), "{error}");
}

/// llama.cpp's own test texts, where there are some.
fn inputs_beside(path: &Path) -> Option<String> {
    let name = path.to_str()?.strip_suffix(".gz")?;
    std::fs::read_to_string(format!("{name}.inp")).ok()
}
