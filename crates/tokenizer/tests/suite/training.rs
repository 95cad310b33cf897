//! Training: the same result every time, the reference's merges, and honest reports.

use std::io::Read;
use std::time::Instant;

use proptest::prelude::*;
use tokenizers::Trainer;
use tokenizers::models::bpe::{BPE, BpeTrainer};
use wuji_tokenizer::{Tokenizer, TokenizerError, TokenizerKind, TokenizerTrainerConfig};

use crate::common::{json, shared, story_corpus};

fn config(kind: TokenizerKind, vocab_size: usize) -> TokenizerTrainerConfig {
    TokenizerTrainerConfig::new(kind, vocab_size)
}

fn train(config: &TokenizerTrainerConfig) -> Tokenizer {
    Tokenizer::train(config, story_corpus().into_iter()).unwrap()
}

#[test]
fn neither_threads_nor_the_order_of_texts_change_the_result() {
    for kind in TokenizerKind::ALL {
        let config = config(kind, 500);
        let fingerprints: Vec<String> = [1, 2, 4]
            .into_iter()
            .map(|threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let mut texts = story_corpus();
                texts.rotate_left(threads * 17);
                pool.install(|| Tokenizer::train(&config, texts.into_iter()).unwrap().fingerprint())
            })
            .collect();
        assert!(fingerprints.windows(2).all(|pair| pair[0] == pair[1]), "{kind}: {fingerprints:?}");
    }
}

#[test]
fn byte_level_bpe_learns_the_merges_of_the_tokenizers_crate() {
    let Some(directory) = shared("golden/tokenizers") else { return };
    let corpus = std::fs::read_to_string(directory.join("corpus/corpus.txt")).unwrap();
    let lines: Vec<String> = corpus.split_inclusive('\n').map(str::to_owned).collect();
    let config =
        TokenizerTrainerConfig { min_frequency: 0, ..config(TokenizerKind::ByteLevelBpe, 1000) };
    let tokenizer = Tokenizer::train(&config, lines.into_iter()).unwrap();

    let saved = tempfile::tempdir().unwrap();
    tokenizer.save(saved.path()).unwrap();
    let ours = json(&saved.path().join("tokenizer.json"));
    let reference = json(&directory.join("byte-bpe/tokenizer.json"));
    assert_eq!(ours["model"]["merges"], reference["model"]["merges"]);
    assert_eq!(ours["model"]["vocab"], reference["model"]["vocab"]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn merges_are_those_of_the_crate_for_any_words(words in prop::collection::vec("[ab]{1,6}|[a-d]{1,10}", 1..60)) {
        let mut trainer =
            BpeTrainer::builder().show_progress(false).vocab_size(256 + 24).initial_alphabet(
                (0..=255u8).map(byte_character).collect()
            ).build();
        trainer.feed(words.iter(), |word| Ok(vec![word.to_owned()])).unwrap();
        let mut reference = BPE::default();
        trainer.train(&mut reference).unwrap();

        let config = TokenizerTrainerConfig {
            min_frequency: 0, no_special_tokens: true, ..config(TokenizerKind::ByteLevelBpe, 256 + 24)
        };
        let tokenizer = Tokenizer::train(&config, words.clone().into_iter()).unwrap();
        for (token, id) in reference.get_vocab() {
            prop_assert_eq!(tokenizer.token_to_id(&token), Some(id), "{} of {:?}", token, words);
        }
    }
}

/// GPT-2's spelling of a byte.
fn byte_character(byte: u8) -> char {
    let shifted = (0..byte).filter(|other| !is_printable(*other)).count() as u32;
    if is_printable(byte) { char::from(byte) } else { char::from_u32(256 + shifted).unwrap() }
}

fn is_printable(byte: u8) -> bool {
    matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF)
}

#[test]
fn tiny_shakespeare_has_the_characters_of_nanogpt_and_encodes_in_a_moment() {
    let Some(path) = shared("data/pretrain/tinyshakespeare/input.txt.gz") else { return };
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(std::fs::File::open(path).unwrap())
        .read_to_string(&mut text)
        .unwrap();
    let tokenizer =
        Tokenizer::train(&config(TokenizerKind::Char, 8192), std::iter::once(text.clone()))
            .unwrap();
    assert_eq!(tokenizer.vocab_size(), 65);
    assert!(tokenizer.special_tokens().is_empty());
    let characters: String = tokenizer.vocab().into_iter().map(|(token, _)| token).collect();
    assert_eq!(characters, "\n !$&',-.3:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
    assert_eq!(tokenizer.encode_ids("First").unwrap(), [18, 47, 56, 57, 58]);

    let start = Instant::now();
    let ids = tokenizer.encode_ids(&text).unwrap();
    assert!(start.elapsed().as_secs_f64() < 2.0, "{:?} for {} bytes", start.elapsed(), text.len());
    assert_eq!(ids.len(), 1_115_394);
    assert_eq!(tokenizer.decode(&ids, false).unwrap(), text);
}

#[test]
fn a_character_without_a_token_is_named_with_its_place() {
    let tokenizer =
        Tokenizer::train(&config(TokenizerKind::Char, 100), ["abc 你".to_owned()].into_iter())
            .unwrap();
    for result in
        [tokenizer.encode_ids("ab你好").map(drop), tokenizer.encode("ab你好", false).map(drop)]
    {
        let message = result.unwrap_err().to_string();
        assert!(message.contains("'好' (U+597D) at byte 5"), "{message}");
    }
    let with_unknown = TokenizerTrainerConfig {
        special_tokens: vec!["<unk>".to_owned()],
        ..config(TokenizerKind::Char, 100)
    };
    let tokenizer = Tokenizer::train(&with_unknown, ["abc".to_owned()].into_iter()).unwrap();
    assert_eq!(tokenizer.encode_ids("a好c<unk>").unwrap(), [1, 0, 3, 0]);
}

#[test]
fn a_corpus_too_small_for_the_vocabulary_is_reported() {
    for kind in [
        TokenizerKind::ByteLevelBpe,
        TokenizerKind::WordPiece,
        TokenizerKind::Unigram,
        TokenizerKind::Word,
    ] {
        let tokenizer = train(&config(kind, 100_000));
        let report = tokenizer.training_report().unwrap();
        assert!(!report.reached_requested_size(), "{kind}");
        assert_eq!(report.requested_vocab_size, 100_000, "{kind}");
        assert_eq!(report.vocab_size, tokenizer.vocab_size(), "{kind}");
        assert!(report.vocab_size < 10_000, "{kind}: {}", report.vocab_size);
        assert_eq!(report.texts, 360, "{kind}");
    }
}

#[test]
fn vocabularies_have_the_size_that_was_asked_for() {
    for kind in [
        TokenizerKind::ByteLevelBpe,
        TokenizerKind::WordPiece,
        TokenizerKind::Unigram,
        TokenizerKind::Word,
    ] {
        let size = match kind {
            TokenizerKind::Word => 30,
            TokenizerKind::WordPiece => 150,
            TokenizerKind::Unigram => 100,
            _ => 320,
        };
        let tokenizer = train(&config(kind, size));
        assert_eq!(tokenizer.vocab_size(), size, "{kind}");
        assert!(tokenizer.training_report().unwrap().reached_requested_size(), "{kind}");
    }
}

#[test]
fn an_empty_corpus_is_an_error() {
    for kind in TokenizerKind::ALL {
        for texts in [vec![], vec![String::new(), String::new()]] {
            let error = Tokenizer::train(&config(kind, 1000), texts.into_iter()).unwrap_err();
            assert!(matches!(error, TokenizerError::EmptyCorpus { .. }), "{kind}: {error}");
        }
    }
    let spaces = std::iter::once("  \n ".to_owned());
    let error = Tokenizer::train(&config(TokenizerKind::Word, 10), spaces).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the training corpus is empty: 1 texts with 4 bytes gave no words"
    );
}

#[test]
fn a_vocabulary_that_cannot_hold_the_alphabet_is_an_error() {
    for kind in TokenizerKind::ALL.into_iter().filter(|kind| *kind != TokenizerKind::Word) {
        let error = Tokenizer::train(&config(kind, 8), story_corpus().into_iter()).unwrap_err();
        assert!(
            matches!(error, TokenizerError::VocabularyTooSmall { requested: 8, .. }),
            "{kind}: {error}"
        );
    }
}

#[test]
fn one_text_of_one_character_trains_every_kind() {
    for kind in TokenizerKind::ALL {
        let config = TokenizerTrainerConfig { min_frequency: 1, ..config(kind, 300) };
        let tokenizer = Tokenizer::train(&config, ["a".to_owned()].into_iter()).unwrap();
        let ids = tokenizer.encode_ids("a").unwrap();
        assert_eq!(tokenizer.decode(&ids, true).unwrap(), "a", "{kind}");
    }
}

#[test]
fn special_tokens_in_the_corpus_are_not_learnt_as_text() {
    let texts = || (0..50).map(|_| "a b<|endoftext|>".to_owned());
    let tokenizer = Tokenizer::train(&config(TokenizerKind::ByteLevelBpe, 300), texts()).unwrap();
    assert!(tokenizer.token_to_id("endoftext").is_none());
    assert_eq!(tokenizer.encode_ids("<|endoftext|>").unwrap(), [0]);
    let without = TokenizerTrainerConfig {
        no_special_tokens: true,
        ..config(TokenizerKind::ByteLevelBpe, 300)
    };
    let tokenizer = Tokenizer::train(&without, texts()).unwrap();
    assert!(tokenizer.token_to_id("endoftext").is_some());
}

#[test]
fn lower_case_is_folded_where_asked() {
    for kind in TokenizerKind::ALL {
        let config = TokenizerTrainerConfig { lowercase: true, ..config(kind, 500) };
        let tokenizer = train(&config);
        assert_eq!(
            tokenizer.encode_ids("HAPPY").unwrap(),
            tokenizer.encode_ids("happy").unwrap(),
            "{kind}"
        );
    }
}

#[test]
fn a_limited_alphabet_keeps_the_frequent_characters() {
    for kind in [TokenizerKind::WordPiece, TokenizerKind::Unigram] {
        let config = TokenizerTrainerConfig { limit_alphabet: Some(20), ..config(kind, 200) };
        let tokenizer = train(&config);
        assert_eq!(
            tokenizer.encode_ids("果").unwrap().last().copied(),
            tokenizer.unk_token_id(),
            "{kind}"
        );
        let known = tokenizer.encode_ids("the").unwrap();
        assert!(!known.contains(&tokenizer.unk_token_id().unwrap()), "{kind}");
    }
}

#[test]
fn long_chinese_words_encode_with_byte_offsets() {
    let tokenizer = train(&config(TokenizerKind::ByteLevelBpe, 600));
    let text = "从前，小明有一个苹果。😀";
    let encoding = tokenizer.encode(text, false).unwrap();
    for (token, &(start, end)) in encoding.tokens.iter().zip(&encoding.offsets) {
        assert!(
            text.is_char_boundary(start) && text.is_char_boundary(end),
            "{token}: {start}..{end}"
        );
    }
    let emoji = text.len() - 4;
    assert_eq!(
        encoding.offsets.last(),
        Some(&(emoji, text.len())),
        "the bytes of 😀 share its range"
    );
}
