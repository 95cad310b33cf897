//! Files that are not what they should be: one clear message each, with the place, and no panic.

use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tempfile::TempDir;
use wuji_tokenizer::{BatchConfig, Tokenizer, TokenizerKind, TokenizerTrainerConfig};

use crate::common::{shared, story_corpus};

/// A directory with these files.
fn directory(files: &[(&str, &[u8])]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in files {
        std::fs::write(directory.path().join(name), content).unwrap();
    }
    directory
}

/// Loads `name` of a directory with these files; the message must hold all `parts`.
fn refused(files: &[(&str, &[u8])], name: &str, parts: &[&str]) {
    let directory = directory(files);
    refused_path(&directory.path().join(name), parts);
}

fn refused_path(path: &Path, parts: &[&str]) {
    let message = Tokenizer::load(path).unwrap_err().to_string();
    for part in parts {
        assert!(message.contains(part), "{part:?} is missing in {message:?}");
    }
}

fn small_tokenizer_json() -> Value {
    let config = TokenizerTrainerConfig::new(TokenizerKind::ByteLevelBpe, 280);
    let tokenizer = Tokenizer::train(&config, story_corpus().into_iter()).unwrap();
    let directory = tempfile::tempdir().unwrap();
    tokenizer.save(directory.path()).unwrap();
    serde_json::from_slice(&std::fs::read(directory.path().join("tokenizer.json")).unwrap())
        .unwrap()
}

#[test]
fn what_is_not_there_is_named() {
    refused_path(Path::new("no/such/place"), &["cannot read no/such/place"]);
    refused(&[], "", &["no tokenizer in directory", "tokenizer.json"]);
    refused(&[("readme.md", b"x")], "", &["no tokenizer in directory"]);
}

#[test]
fn empty_files_are_refused() {
    for name in ["tokenizer.json", "vocab.txt", "a.model", "tok.bin", "a.gguf"] {
        refused(&[(name, b"")], name, &[name, "is empty"]);
    }
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(b"").unwrap();
    refused(&[("vocab.txt.gz", &gzip.finish().unwrap())], "vocab.txt.gz", &["is empty"]);
}

#[test]
fn truncated_json_says_where() {
    let text = serde_json::to_string_pretty(&small_tokenizer_json()).unwrap();
    let cut = &text.as_bytes()[..text.len() / 2];
    refused(&[("tokenizer.json", cut)], "", &["tokenizer.json:", "invalid JSON", "EOF"]);
    refused(
        &[("vocab.json", b"{\"a\": 0,\n\"b\" 1}")],
        "vocab.json",
        &["vocab.json:2:5", "invalid JSON"],
    );
}

#[test]
fn json_that_is_no_tokenizer_is_refused() {
    refused(
        &[("config.json", b"{\"hidden_size\": 4.5}")],
        "config.json",
        &["not a tokenizer", "neither a \"model\""],
    );
    refused(&[("list.json", b"[1, 2]")], "list.json", &["not a tokenizer", "not an object"]);
    refused(&[("tokenizer.json", b"{\"model\": {}}")], "", &["model.vocab: is missing"]);
    refused(
        &[("tokenizer.json", b"{\"model\": {\"vocab\": 3}}")],
        "",
        &["model.vocab: expected an object", "a number"],
    );
}

#[test]
fn binary_files_are_refused() {
    let noise: Vec<u8> =
        (0..4096u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for name in ["tokenizer.json", "vocab.txt", "a.model", "tok.bin", "model.safetensors"] {
        let directory = directory(&[(name, &noise)]);
        let message = Tokenizer::load(&directory.path().join(name)).unwrap_err().to_string();
        assert!(message.contains(name), "{message}");
    }
    refused(&[("vocab.txt", b"[UNK]\nabc\n\xFF\xFE\n")], "vocab.txt", &["not UTF-8", "offset 10"]);
    refused(&[("notes.md", b"just some text\n")], "notes.md", &["not a tokenizer", "it is text"]);
    refused(
        &[("cl100k_base.tiktoken", b"IQ== 0\nIg== 1\n")],
        "cl100k_base.tiktoken",
        &["tiktoken ranks"],
    );
}

#[test]
fn damaged_gzip_is_refused() {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all("[UNK]\nabc\n".repeat(100).as_bytes()).unwrap();
    let compressed = gzip.finish().unwrap();
    refused(
        &[("vocab.txt.gz", &compressed[..compressed.len() / 2])],
        "vocab.txt.gz",
        &["cannot read", "vocab.txt.gz"],
    );
}

#[test]
fn vocabulary_lists_say_which_line_is_wrong() {
    refused(&[("vocab.txt", b"[UNK]\nthe\na\nthe\n")], "", &["vocab.txt:4", "\"the\"", "line 2"]);
    refused(&[("vocab.txt", b"[UNK]\n\na\n")], "", &["line 2", "empty line"]);
    refused(&[("vocab.txt", b"the\na\n")], "", &["without the token [UNK]"]);
}

#[test]
fn merges_say_which_line_is_wrong() {
    let vocab: &[u8] = br#"{"a": 0, "b": 1, "ab": 2}"#;
    let merges = |text: &'static [u8], parts: &[&str]| {
        refused(&[("vocab.json", vocab), ("merges.txt", text)], "", parts);
    };
    merges(b"#version: 0.2\na b\nab\n", &["merges.txt:3", "\"ab\"", "two tokens"]);
    merges(b"#version: 0.2\na b c\n", &["merges.txt:2", "two tokens"]);
    merges(b"#version: 0.2\na b\na c\n", &["merges.txt:3", "\"c\" is not in the vocabulary"]);
    merges(b"a b\nb a\n", &["merges.txt:2", "merge \"ba\" is not in the vocabulary"]);
    refused(&[("vocab.json", vocab)], "", &["vocab.json needs", "merges.txt"]);
    refused(&[("merges.txt", b"a b\n")], "merges.txt", &["merges.txt needs", "vocab.json"]);
}

#[test]
fn contradictions_in_tokenizer_json_are_named() {
    let check = |change: &dyn Fn(&mut Value), parts: &[&str]| {
        let mut description = small_tokenizer_json();
        change(&mut description);
        refused(&[("tokenizer.json", description.to_string().as_bytes())], "", parts);
    };
    check(
        &|json| json["model"]["merges"][3] = json!(["Ġ", "nosuch"]),
        &["model.merges[3]", "nosuch"],
    );
    check(
        &|json| json["model"]["merges"][0] = json!("three parts here"),
        &["model.merges[0]", "two tokens"],
    );
    check(&|json| json["model"]["merges"][0] = json!(["Ċ", "Ċ"]), &["model.merges[0]", "\"ĊĊ\""]);
    check(&|json| json["model"]["vocab"]["!"] = json!(5), &["model.vocab", "id 5 is also that of"]);
    check(
        &|json| json["model"]["vocab"]["!"] = json!(4_294_967_295u32),
        &["model.vocab[\"!\"]", "4294967295"],
    );
    check(&|json| json["model"]["vocab"]["!"] = json!(-1), &["model.vocab[\"!\"]", "-1"]);
    check(&|json| json["version"] = json!("9"), &["Unknown tokenizer version"]);
    check(
        &|json| json["pre_tokenizer"] = json!({"type": "NoSuch"}),
        &["tokenizer.json: tokenizer"],
    );
    check(
        &|json| {
            json["normalizer"] = json!({"type": "Precompiled", "precompiled_charsmap": "CAAAAAE="})
        },
        &["normalizer: precompiled_charsmap", "8 bytes"],
    );
    check(
        &|json| json["model"] = json!({"type": "Unigram", "unk_id": 7, "vocab": [["a", 0.0]]}),
        &["model.unk_id", "is 7", "1 pieces"],
    );
    check(
        &|json| json["model"] = json!({"type": "Unigram", "vocab": [["a", 0.0], ["b"]]}),
        &["model.vocab[1]", "a piece and its score"],
    );
}

/// Every prefix and many single-byte changes of `path`: loads or errs, and never panics; what loads also encodes.
fn survives_damage(path: &PathBuf, ending: &str) {
    let content = std::fs::read(path).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let damaged = directory.path().join(format!("damaged.{ending}"));
    let step = (content.len() / 23).max(1);
    for cut in (0..content.len()).step_by(step) {
        std::fs::write(&damaged, &content[..cut]).unwrap();
        let message = Tokenizer::load(&damaged).err().map(|error| error.to_string());
        assert!(message.is_none_or(|message| message.contains("damaged.")), "cut at {cut}");
    }
    for place in (0..content.len()).step_by(step) {
        let mut changed = content.clone();
        changed[place] ^= 0x5A;
        std::fs::write(&damaged, &changed).unwrap();
        if let Ok(tokenizer) = Tokenizer::load(&damaged) {
            let ids = tokenizer.encode_ids("Hello ﬁne world，你好").unwrap_or_default();
            tokenizer.decode(&ids, false).unwrap();
        }
    }
}

#[test]
fn damaged_binary_formats_err_and_never_panic() {
    let sources = [
        ("golden/tokenizers/sentencepiece-bpe/tokenizer.model", "model"),
        ("golden/tokenizers/sentencepiece-unigram/tokenizer.model", "model"),
        ("data/models/stories260k/tok512.bin", "bin"),
    ];
    for (source, ending) in sources {
        let Some(path) = shared(source) else { return };
        survives_damage(&path, ending);
    }
}

#[test]
fn a_cut_gguf_says_where() {
    refused(&[("a.gguf", b"GGUF\x03\0\0\0\0\0")], "", &["damaged GGUF", "byte 8"]);
    refused(&[("a.gguf", b"GGUF\x09\0\0\0")], "", &["damaged GGUF", "version"]);
    let header = [b"GGUF\x03\0\0\0".as_slice(), &[0; 8], &[0; 8]].concat();
    refused(&[("a.gguf", &header)], "", &["tokenizer.ggml.model", "no tokenizer"]);
}

#[test]
fn a_place_that_cannot_be_written_is_named_and_the_old_file_stays() {
    let tokenizer = Tokenizer::train(
        &TokenizerTrainerConfig::new(TokenizerKind::ByteLevelBpe, 257),
        story_corpus().into_iter(),
    )
    .unwrap();
    let directory = directory(&[("file", b"not a directory")]);
    let message = tokenizer.save(&directory.path().join("file/inside")).unwrap_err().to_string();
    assert!(message.contains("cannot write") && message.contains("file/inside"), "{message}");
    let target = directory.path().join("tokenizer.json");
    tokenizer.save(&target).unwrap();
    let names: Vec<_> = std::fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names.len(), 2, "no temporary file is left: {names:?}");
}

#[test]
fn impossible_batches_are_refused() {
    let config = TokenizerTrainerConfig::new(TokenizerKind::WordPiece, 300);
    let tokenizer = Tokenizer::train(&config, story_corpus().into_iter()).unwrap();
    let message = |config: BatchConfig| tokenizer.batch_encoder(&config).unwrap_err().to_string();
    let short = BatchConfig { max_length: Some(3), ..BatchConfig::default() };
    assert!(message(short).contains("max_length is 3: expected at least 4"));
    let unknown = BatchConfig { pad_token_id: Some(9999), ..BatchConfig::default() };
    assert!(message(unknown).contains("pad_token_id 9999"));
    let endless = BatchConfig { pad_to_max_length: true, ..BatchConfig::default() };
    assert!(message(endless).contains("needs max_length"));
}
