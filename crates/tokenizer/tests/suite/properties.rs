//! What holds for every text: round trips, offsets, streams, batches, saving.

use std::sync::LazyLock;

use proptest::prelude::*;
use wuji_tokenizer::{SplitPattern, Tokenizer, TokenizerKind, TokenizerTrainerConfig};

use crate::common::{shared, story_corpus};

fn train(config: &TokenizerTrainerConfig) -> Tokenizer {
    Tokenizer::train(config, story_corpus().into_iter()).unwrap()
}

/// One small byte-level tokenizer for each pattern.
static BYTE_LEVEL: LazyLock<Vec<Tokenizer>> = LazyLock::new(|| {
    SplitPattern::ALL
        .into_iter()
        .map(|pattern| {
            train(&TokenizerTrainerConfig {
                pattern,
                ..TokenizerTrainerConfig::new(TokenizerKind::ByteLevelBpe, 400)
            })
        })
        .collect()
});

/// One small tokenizer of each kind.
static EACH_KIND: LazyLock<Vec<Tokenizer>> = LazyLock::new(|| {
    let config = |kind| match kind {
        // Any text must be encodable here, so the character vocabulary gets an unknown token.
        TokenizerKind::Char => TokenizerTrainerConfig {
            special_tokens: vec!["<unk>".to_owned()],
            ..TokenizerTrainerConfig::new(kind, 300)
        },
        _ => TokenizerTrainerConfig::new(kind, 300),
    };
    TokenizerKind::ALL.into_iter().map(|kind| train(&config(kind))).collect()
});

/// Any text, with a liking for what tokenizers stumble over.
fn texts() -> impl Strategy<Value = String> {
    let awkward = prop::sample::select(vec![
        " ",
        "  ",
        "\n",
        "\r\n",
        "\t",
        "▁",
        "Ġ",
        "<|endoftext|>",
        "<unk>",
        "##",
        "e\u{301}\u{323}",
        "👨‍👩‍👧",
        "你好",
        "\u{0}",
        "\u{FEFF}",
        "\u{FFFD}",
        "a",
        "'s",
        "123456",
        "the ",
    ]);
    let part = prop_oneof![any::<String>(), awkward.prop_map(str::to_owned), "[a-z ]{0,12}"];
    prop::collection::vec(part, 0..6).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn byte_level_bpe_gives_every_text_back(text in texts()) {
        for tokenizer in BYTE_LEVEL.iter() {
            let ids = tokenizer.encode_ids(&text).unwrap();
            prop_assert_eq!(&tokenizer.decode(&ids, false).unwrap(), &text);
            let ordinary = tokenizer.encode_ordinary_ids(&text).unwrap();
            prop_assert_eq!(&tokenizer.decode(&ordinary, true).unwrap(), &text);
        }
    }

    #[test]
    fn byte_level_tokens_cover_the_text_without_gaps(text in texts()) {
        let encoding = BYTE_LEVEL[0].encode(&text, true).unwrap();
        let mut covered = 0;
        for &(start, end) in &encoding.offsets {
            prop_assert!(start <= covered && covered <= end, "{:?} after {}", (start, end), covered);
            covered = end;
        }
        prop_assert_eq!(covered, text.len());
    }

    #[test]
    fn offsets_are_byte_ranges_between_characters(text in texts()) {
        for tokenizer in EACH_KIND.iter() {
            let encoding = tokenizer.encode(&text, true).unwrap();
            for &(start, end) in &encoding.offsets {
                prop_assert!(text.get(start..end).is_some(), "{:?}: {:?}", tokenizer.kind(), (start, end));
            }
            let lengths = [
                encoding.tokens.len(), encoding.offsets.len(), encoding.special_tokens_mask.len(),
                encoding.type_ids.len(), encoding.word_ids.len(), encoding.sequence_ids.len(),
            ];
            prop_assert_eq!(lengths, [encoding.len(); 6]);
        }
    }

    #[test]
    fn the_fast_way_gives_the_ids_of_the_full_way(text in texts()) {
        for tokenizer in EACH_KIND.iter().chain(BYTE_LEVEL.iter()) {
            prop_assert_eq!(tokenizer.encode_ids(&text).unwrap(), tokenizer.encode(&text, false).unwrap().ids);
            let ordinary = tokenizer.encode_ordinary(&text).unwrap();
            prop_assert_eq!(tokenizer.encode_ordinary_ids(&text).unwrap(), ordinary.ids);
        }
    }

    #[test]
    fn ordinary_text_has_no_special_ids(text in texts()) {
        for tokenizer in EACH_KIND.iter() {
            let unknown = tokenizer.unk_token_id();
            let special: Vec<u32> =
                tokenizer.special_tokens().into_iter().map(|(_, id)| id).filter(|id| Some(*id) != unknown).collect();
            let ids = tokenizer.encode_ordinary_ids(&text).unwrap();
            prop_assert!(!ids.iter().any(|id| special.contains(id)), "{:?}: {:?}", tokenizer.kind(), ids);
        }
    }

    #[test]
    fn a_stream_of_any_byte_level_ids_is_what_decoding_them_gives(ids in prop::collection::vec(0u32..400, 0..40)) {
        for skip in [false, true] {
            prop_assert_eq!(streamed(&BYTE_LEVEL[0], &ids, skip), BYTE_LEVEL[0].decode(&ids, skip).unwrap());
        }
    }

    #[test]
    fn a_stream_of_encoded_text_is_what_decoding_it_gives(text in texts()) {
        for tokenizer in EACH_KIND.iter().filter(|tokenizer| tokenizer.kind() != Some(TokenizerKind::WordPiece)) {
            let ids = tokenizer.encode_ids(&text).unwrap();
            prop_assert_eq!(streamed(tokenizer, &ids, false), tokenizer.decode(&ids, false).unwrap());
        }
    }

    #[test]
    fn batches_are_their_texts_one_by_one(texts in prop::collection::vec(texts(), 0..5)) {
        for tokenizer in EACH_KIND.iter() {
            let one_by_one: Vec<_> = texts.iter().map(|text| tokenizer.encode(text, true).unwrap()).collect();
            prop_assert_eq!(tokenizer.encode_batch(&texts, true).unwrap(), one_by_one);
        }
    }

    #[test]
    fn split_pieces_put_together_are_the_text(text in texts()) {
        for pattern in SplitPattern::ALL {
            prop_assert_eq!(pattern.split(&text).concat(), text.clone());
        }
    }
}

fn streamed(tokenizer: &Tokenizer, ids: &[u32], skip_special_tokens: bool) -> String {
    let mut stream = tokenizer.decode_stream(skip_special_tokens);
    let mut text = String::new();
    for &id in ids {
        if let Some(piece) = stream.push(id).unwrap() {
            assert!(!piece.is_empty());
            text.push_str(&piece);
        }
    }
    text.push_str(&stream.finish().unwrap().unwrap_or_default());
    text
}

/// A text in which several pieces of the vocabulary meet, from its own tokens.
fn check_saving(tokenizer: &Tokenizer, text: &str) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("my.json");
    tokenizer.save(&directory.path().join("a/b")).unwrap();
    tokenizer.save(&file).unwrap();
    for path in [directory.path().join("a/b"), directory.path().join("a/b/tokenizer.json"), file] {
        let loaded = Tokenizer::load(&path).unwrap();
        assert_eq!(loaded.fingerprint(), tokenizer.fingerprint(), "{:?}", tokenizer.kind());
        assert_eq!(loaded.kind(), tokenizer.kind());
        assert_eq!(loaded.encode(text, true).unwrap(), tokenizer.encode(text, true).unwrap());
        assert_eq!(loaded.vocab(), tokenizer.vocab());
    }
    let info = Tokenizer::load(&directory.path().join("a/b")).unwrap().info();
    assert_eq!(info, tokenizer.info(), "a saved directory keeps the roles of special tokens");
}

#[test]
fn saving_and_loading_change_nothing() {
    for tokenizer in EACH_KIND.iter().chain(BYTE_LEVEL.iter()) {
        check_saving(tokenizer, "Once upon a time, 你好 <unk> 123!");
    }
}

#[test]
fn saving_an_imported_vocabulary_changes_nothing() {
    let sources = [
        "golden/tokenizers/sentencepiece-unigram",
        "golden/tokenizers/sentencepiece-bpe",
        "golden/tokenizers/wordpiece",
        "data/models/stories260k/tok512.bin",
        "data/tokenizers/bert-vocab/bert-base-chinese-vocab.txt.gz",
        "data/tokenizers/chinese-sentencepiece/cog-pretrain.model.gz",
        "data/tokenizers/ggml-vocab/ggml-vocab-llama-spm.gguf.gz",
    ];
    for source in sources {
        let Some(path) = shared(source) else { return };
        check_saving(
            &Tokenizer::load(&path).unwrap(),
            "Thou art e\u{301}\u{323} ﬁne, 床前明月光 <s> x\u{0}y",
        );
    }
}

#[test]
fn a_fingerprint_tells_tokenizers_apart() {
    let mut fingerprints: Vec<String> =
        EACH_KIND.iter().chain(BYTE_LEVEL.iter().skip(1)).map(Tokenizer::fingerprint).collect();
    let count = fingerprints.len();
    fingerprints.sort_unstable();
    fingerprints.dedup();
    assert_eq!(fingerprints.len(), count);
    assert!(fingerprints.iter().all(|fingerprint| fingerprint.len() == 64));
}
