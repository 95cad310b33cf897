//! Every set of `data/tokenizers`: files of the field's own tokenizers, with the ids that are known for them.

use std::io::Read;
use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use wuji_tokenizer::{TieBreak, Tokenizer, TokenizerKind, TokenizerTrainerConfig};

use crate::common::{ids, json, shared};

fn text_of(path: &Path) -> String {
    let mut text = String::new();
    let file = std::fs::File::open(path).unwrap();
    flate2::read::MultiGzDecoder::new(file).read_to_string(&mut text).unwrap();
    text
}

/// The set's entry `relative`, loaded.
fn load(relative: &str) -> Option<Tokenizer> {
    Some(Tokenizer::load(&shared(&format!("data/tokenizers/{relative}"))?).unwrap())
}

#[test]
fn gpt2_vocabulary_is_complete() {
    let Some(tokenizer) = load("gpt2-bpe") else { return };
    assert_eq!(tokenizer.vocab_size(), 50_257);
    assert_eq!(tokenizer.kind(), Some(TokenizerKind::ByteLevelBpe));
    assert_eq!(tokenizer.special_tokens(), [("<|endoftext|>".to_owned(), 50_256)]);
    assert_eq!(tokenizer.eos_token_id(), Some(50_256));
    assert_eq!(tokenizer.encode_ids("Hello world").unwrap(), [15496, 995]);
}

#[test]
fn either_file_of_gpt2_leads_to_the_same_tokenizer() {
    let (Some(vocab), Some(merges)) =
        (load("gpt2-bpe/encoder.json.gz"), load("gpt2-bpe/vocab.bpe.gz"))
    else {
        return;
    };
    assert_eq!(vocab.fingerprint(), merges.fingerprint());
}

#[test]
fn bert_vocabularies_encode_as_bert_does() {
    let cases: [(&str, usize, &str, &[u32]); 5] = [
        ("bert-base-uncased-vocab.txt.gz", 30_522, "Hello world", &[101, 7592, 2088, 102]),
        ("bert-base-uncased-vocab.txt.gz", 30_522, "naïve", &[101, 15743, 102]),
        ("bert-base-cased-vocab.txt.gz", 28_996, "Hello world", &[101, 8667, 1362, 102]),
        ("bert-base-chinese-vocab.txt.gz", 21_128, "你好", &[101, 872, 1962, 102]),
        (
            "bert-base-chinese-vocab.txt.gz",
            21_128,
            "床前明月光",
            &[101, 2414, 1184, 3209, 3299, 1045, 102],
        ),
    ];
    for (file, size, text, expected) in cases {
        let Some(tokenizer) = load(&format!("bert-vocab/{file}")) else { return };
        assert_eq!(tokenizer.vocab_size(), size, "{file}");
        assert_eq!(tokenizer.kind(), Some(TokenizerKind::WordPiece), "{file}");
        assert_eq!(tokenizer.encode(text, true).unwrap().ids, expected, "{file}: {text:?}");
        assert_eq!(tokenizer.cls_token_id(), Some(101), "{file}");
        assert_eq!(tokenizer.mask_token_id(), Some(103), "{file}");
    }
}

#[test]
fn a_directory_of_three_vocabularies_asks_which() {
    let Some(path) = shared("data/tokenizers/bert-vocab") else { return };
    let message = Tokenizer::load(&path).unwrap_err().to_string();
    assert!(
        message.contains("bert-base-chinese-vocab.txt.gz") && message.contains("name the file"),
        "{message}"
    );
}

#[test]
fn clip_merges_make_the_vocabulary_of_clip() {
    let Some(tokenizer) = load("clip-bpe/bpe_simple_vocab_16e6.txt.gz") else { return };
    assert_eq!(tokenizer.vocab_size(), 49_408);
    assert_eq!(tokenizer.token_count(), 49_408);
    assert_eq!(tokenizer.encode("a diagram", true).unwrap().ids, [49406, 320, 22697, 49407]);
    let photo = tokenizer.encode_ids("A Photo  of a cat").unwrap();
    assert_eq!(photo, [320, 1125, 539, 320, 2368]);
    assert_eq!(tokenizer.decode(&photo, true).unwrap(), "a photo of a cat");
    let accents = tokenizer.encode_ids("café 你好").unwrap();
    assert_eq!(tokenizer.decode(&accents, true).unwrap(), "café 你好");
}

#[test]
fn tokenizer_json_files_of_the_hub_load() {
    let cases: [(&str, usize, &str, &[u32]); 2] = [
        ("allenai_gpt-neox-olmo-dolma-v1_5.json.gz", 50_280, "Hello world", &[12092, 1533]),
        ("allenai_dolma2.json.gz", 100_278, "hello world", &[15339, 1917]),
    ];
    for (file, size, text, expected) in cases {
        let Some(tokenizer) = load(&format!("hf-tokenizer-json/{file}")) else { return };
        assert_eq!(tokenizer.token_count(), size, "{file}");
        assert_eq!(tokenizer.vocab_size(), size, "{file}");
        assert_eq!(tokenizer.encode_ids(text).unwrap(), expected, "{file}");
        for text in ["  two  spaces\n\n", "你好，世界！😀", "|||PHONE_NUMBER||| <|endoftext|> x"]
        {
            let ids = tokenizer.encode_ids(text).unwrap();
            assert_eq!(tokenizer.decode(&ids, false).unwrap(), text, "{file}");
        }
    }
}

#[test]
fn the_chinese_sentencepiece_model_has_the_pieces_of_its_list() {
    let Some(tokenizer) = load("chinese-sentencepiece/cog-pretrain.model.gz") else { return };
    let Some(list) = shared("data/tokenizers/chinese-sentencepiece/cog-pretrain.vocab.gz") else {
        return;
    };
    assert_eq!(tokenizer.vocab_size(), 50_000);
    for (id, line) in (0..).zip(text_of(&list).lines()) {
        let piece = line.split('\t').next().unwrap();
        assert_eq!(tokenizer.id_to_token(id).as_deref(), Some(piece), "piece {id}");
    }
    let encoding = tokenizer.encode("可以没有自己<n>中国", false).unwrap();
    let pieces: Vec<&str> = encoding.tokens.iter().map(String::as_str).collect();
    assert_eq!(pieces, ["▁可以", "没有", "自己", "<n>", "中国"]);
    assert_eq!(encoding.offsets, [(0, 6), (6, 12), (12, 18), (18, 21), (21, 27)]);
    assert_eq!(tokenizer.decode(&encoding.ids, false).unwrap(), "可以没有自己<n>中国");
}

#[test]
fn gguf_vocabularies_encode_as_llama_cpp_does() {
    let names = ["bert-bge", "falcon", "gpt-2", "llama-spm", "phi-3", "starcoder"];
    for name in names {
        let Some(tokenizer) = load(&format!("ggml-vocab/ggml-vocab-{name}.gguf.gz")) else {
            return;
        };
        let path = |ending: &str| {
            shared(&format!("data/tokenizers/ggml-vocab/ggml-vocab-{name}.gguf.{ending}"))
        };
        let (Some(inputs), Some(outputs)) = (path("inp"), path("out")) else { return };
        let inputs = std::fs::read_to_string(inputs).unwrap();
        let outputs = std::fs::read_to_string(outputs).unwrap();
        let texts: Vec<&str> = inputs.split("\n__ggml_vocab_test__\n").collect();
        let expected: Vec<Vec<u32>> = outputs
            .lines()
            .map(|line| line.split_whitespace().map(|id| id.parse().unwrap()).collect())
            .collect();
        assert!(expected.len() >= 37, "{name}: {} outputs", expected.len());
        for (text, expected) in texts.iter().zip(&expected) {
            assert_eq!(tokenizer.encode_ids(text).unwrap(), *expected, "{name}: {text:?}");
        }
    }
}

#[test]
fn byte_level_bpe_learns_the_merges_of_cs336() {
    let Some(directory) = shared("data/tokenizers/cs336-bpe-reference") else { return };
    let config = TokenizerTrainerConfig {
        vocab_size: 500,
        min_frequency: 1,
        tie_break: TieBreak::GreatestBytes,
        ..TokenizerTrainerConfig::new(TokenizerKind::ByteLevelBpe, 500)
    };
    let corpus = text_of(&directory.join("corpus.en.gz"));
    let tokenizer = Tokenizer::train(&config, std::iter::once(corpus)).unwrap();

    let saved = tempfile::tempdir().unwrap();
    tokenizer.save(saved.path()).unwrap();
    let saved = json(&saved.path().join("tokenizer.json"));
    let merges: Vec<String> = saved["model"]["merges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|merge| format!("{} {}", merge[0].as_str().unwrap(), merge[1].as_str().unwrap()))
        .collect();
    let expected =
        std::fs::read_to_string(directory.join("train-bpe-reference-merges.txt")).unwrap();
    assert_eq!(merges, expected.lines().collect::<Vec<_>>());
    let vocab = json(&directory.join("train-bpe-reference-vocab.json"));
    for (token, id) in vocab.as_object().unwrap() {
        assert_eq!(tokenizer.token_to_id(token).map(u64::from), id.as_u64(), "{token:?}");
    }
    assert_eq!(tokenizer.vocab_size(), vocab.as_object().unwrap().len());

    let reference = Tokenizer::load(&directory).unwrap();
    for file in ["address.txt", "german.txt", "tinystories_sample.txt"] {
        let text = std::fs::read_to_string(directory.join(file)).unwrap();
        let ids = tokenizer.encode_ids(&text).unwrap();
        assert_eq!(ids, reference.encode_ids(&text).unwrap(), "{file}");
        assert_eq!(tokenizer.decode(&ids, false).unwrap(), text, "{file}");
    }
}

#[test]
fn the_tokenizer_of_stories260k_reads_and_writes_its_reference_text() {
    let Some(directory) = shared("data/models/stories260k") else { return };
    let tokenizer = Tokenizer::load(&directory.join("tok512.bin")).unwrap();
    let reference = json(&directory.join("reference.json"));
    let expected = ids(&reference["greedy_ids"]);
    let text = reference["greedy_text"].as_str().unwrap();
    assert_eq!(tokenizer.vocab_size(), 512);
    assert_eq!((tokenizer.bos_token_id(), tokenizer.eos_token_id()), (Some(1), Some(2)));
    assert_eq!(tokenizer.decode(&expected, true).unwrap(), text);
    assert_eq!(tokenizer.encode_ids(text).unwrap(), expected);
    assert_eq!(tokenizer.encode(text, true).unwrap().ids[0], 1);
}

/// The pieces of a llama2.c tokenizer file with their scores; spaces as spaces.
fn llama2c_pieces(content: &[u8]) -> Vec<(Vec<u8>, f32)> {
    let mut pieces = Vec::new();
    let mut rest = &content[4..];
    while !rest.is_empty() {
        let score = f32::from_le_bytes(rest[..4].try_into().unwrap());
        let length = u32::from_le_bytes(rest[4..8].try_into().unwrap()) as usize;
        pieces.push((rest[8..8 + length].to_vec(), score));
        rest = &rest[8 + length..];
    }
    pieces
}

/// `encode` of llama2.c's `run.c`, as literally as Rust allows, without the beginning and end tokens.
fn run_c(pieces: &[(Vec<u8>, f32)], text: &str) -> Vec<u32> {
    let look_up = |bytes: &[u8]| pieces.iter().position(|(piece, _)| piece == bytes);
    let mut ids: Vec<usize> = Vec::new();
    if !text.is_empty() {
        ids.push(look_up(b" ").unwrap());
    }
    for character in text.chars() {
        let bytes = character.to_string().into_bytes();
        match look_up(&bytes) {
            Some(id) => ids.push(id),
            None => ids.extend(bytes.iter().map(|byte| usize::from(*byte) + 3)),
        }
    }
    loop {
        let mut best: Option<(f32, usize, usize)> = None;
        for place in 0..ids.len().saturating_sub(1) {
            let joined = [&pieces[ids[place]].0[..], &pieces[ids[place + 1]].0[..]].concat();
            if let Some(id) = look_up(&joined)
                && best.is_none_or(|(score, ..)| pieces[id].1 > score)
            {
                best = Some((pieces[id].1, place, id));
            }
        }
        let Some((_, place, id)) = best else { break };
        ids[place] = id;
        ids.remove(place + 1);
    }
    ids.into_iter().map(|id| id as u32).collect()
}

#[test]
fn llama2c_files_encode_as_run_c_does() {
    let Some(path) = shared("data/models/stories260k/tok512.bin") else { return };
    let tokenizer = Tokenizer::load(&path).unwrap();
    let pieces = llama2c_pieces(&std::fs::read(&path).unwrap());
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) };
    let texts = "[ a-zA-Z.,'\"\n]{0,40}|[ aeht]{0,40}|\\PC{0,10}";
    TestRunner::new(config)
        .run(&texts, |text| {
            prop_assert_eq!(tokenizer.encode_ordinary_ids(&text).unwrap(), run_c(&pieces, &text));
            Ok(())
        })
        .unwrap();
}
