//! Wrong data and wrong config: exit code 2, one message that says where, nothing lost.

use std::fs;
use std::path::Path;

use crate::support::{Ran, run, text, tiny_run};

/// Trains preset `tiny` on a file of these bytes.
fn train_on(content: &[u8], name: &str, further: &[&str]) -> Ran {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join(name);
    fs::write(&data, content).unwrap();
    let out = dir.path().join("run");
    let first =
        ["train", "--preset", "tiny", "--quiet", "--data", text(&data), "--out", text(&out)];
    run(&[&first, further].concat())
}

fn train_with(further: &[&str]) -> Ran {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    run(&[&["train", "--preset", "tiny", "--quiet", "--out", text(&out)], further].concat())
}

#[test]
fn text_that_cannot_be_learnt_from_is_named() {
    train_with(&["--data", "no/such/file.txt"]).fails(2, &["file.txt", "no such file"]);
    train_on(b"", "a.txt", &[]).fails(2, &["a.txt", "empty"]);
    train_on(b"\x7fELF\0\0\0\x01", "a.txt", &[]).fails(2, &["a.txt", "not a text file"]);
    train_on(b"good \xff bad", "a.txt", &[]).fails(2, &["a.txt", "byte 5", "--lossy"]);
    train_on(
        b"x",
        "a.txt",
        &["--set", "data.split.kind=position", "--set", "data.split.validation_fraction=0.1"],
    )
    .fails(2, &[]);
    train_on(b"{\"text\": 3}\n", "a.jsonl", &[]).fails(2, &["a.jsonl:1", "text"]);
    train_on(b"a,b\n1,2\n", "a.csv", &[]).fails(2, &["a.csv", "\"text\""]);
    train_on(b"abc", "a.xyz", &[]).fails(2, &["a.xyz", "unknown format"]);
}

#[test]
fn a_text_shorter_than_the_context_is_told_so() {
    let split =
        ["--set", "data.split.kind=position", "--set", "data.split.validation_fraction=0.2"];
    let char = ["--set", "tokenizer.kind=char"];
    let short = "to be or not to be, that is the question. ";
    train_on(
        short.as_bytes(),
        "a.txt",
        &[split, [char[0], char[1], "--set", "data.context_length=64"]].concat(),
    )
    .fails(2, &["context of 64 tokens"]);
}

#[test]
fn lossy_reads_what_is_not_utf8() {
    let mut content = b"good \xff bad ".to_vec();
    content.extend("the cat sat on the mat. ".repeat(200).bytes());
    let further = [
        "--lossy",
        "--set",
        "data.split.kind=position",
        "--set",
        "data.split.validation_fraction=0.2",
        "--set",
        "training.max_steps=1",
        "--set",
        "tokenizer.vocab_size=260",
    ];
    train_on(&content, "a.txt", &further).ok();
}

#[test]
fn wrong_config_is_named_with_the_nearest_right_one() {
    for (set, parts) in [
        ("training.max_step=3", &["max_step", "did you mean `max_steps`?"][..]),
        ("training.learning_rate=nan", &["learning_rate", "a positive number"]),
        ("training.schedule=cosin", &["cosin", "`cosine`"]),
        ("model.n_head=5", &["n_head", "a divisor"]),
        ("data.context_length=1000", &["context_length", "64 positions"]),
        ("tokenizer.vocab_size=3", &["vocab_size 3 is too small"]),
        ("nonsense", &["section.key=value"]),
    ] {
        train_with(&["--set", set]).fails(2, parts);
    }
    run(&["train", "--preset", "quickstrat"]).fails(2, &["did you mean quickstart?"]);
    run(&["train", "--config", "no-such.toml"]).fails(2, &["no-such.toml"]);
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let below = file.join("run");
    let out = ["train", "--preset", "tiny", "--quiet", "--out", text(&below)];
    run(&out).fails(2, &[text(&below)]);
}

/// A copy of the trained model in which one file has other content.
fn damaged(name: &str, change: impl Fn(Vec<u8>) -> Vec<u8>) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(tiny_run().join("model")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), dir.path().join(entry.file_name())).unwrap();
    }
    let path = dir.path().join(name);
    fs::write(&path, change(fs::read(&path).unwrap())).unwrap();
    dir
}

fn generate(model: &Path) -> Ran {
    run(&["generate", "--model", text(model), "--prompt", "Once", "--max-new-tokens", "2"])
}

#[test]
fn a_damaged_model_is_named_by_its_file() {
    let half = |bytes: Vec<u8>| bytes[..bytes.len() / 2].to_vec();
    let weights = damaged("model.safetensors", half);
    generate(weights.path()).fails(2, &["model.safetensors", "truncated"]);
    let tokenizer = damaged("tokenizer.json", half);
    generate(tokenizer.path()).fails(2, &["tokenizer.json", "invalid JSON"]);
    let config = damaged("config.json", |_| b"{".to_vec());
    generate(config.path()).fails(2, &["config.json"]);
    let family = damaged("config.json", |_| b"{\"model_type\": \"rwkv\"}".to_vec());
    generate(family.path()).fails(2, &["rwkv", "gpt2, gpt_neox, llama"]);
    let other = damaged("config.json", |_| b"{\"model_type\": \"bert\"}".to_vec());
    generate(other.path()).fails(2, &["do not fit the architecture"]);
    let narrower = damaged("config.json", |bytes| {
        String::from_utf8(bytes).unwrap().replace("\"n_embd\": 64", "\"n_embd\": 16").into_bytes()
    });
    generate(narrower.path()).fails(2, &["do not fit the architecture", "expected shape"]);
    generate(Path::new("no/such/model")).fails(2, &["no/such/model"]);
}

#[test]
fn a_tokenizer_of_another_model_is_refused() {
    let dir = damaged("tokenizer.json", |bytes| bytes);
    let text_file = dir.path().join("text.txt");
    let words: String =
        (0..4000_u32).map(|n| format!("{:x} ", n.wrapping_mul(2_654_435_761) % 65_536)).collect();
    fs::write(&text_file, words).unwrap();
    let other = dir.path().join("other");
    run(&[
        "tokenizer",
        "train",
        text(&text_file),
        "-o",
        text(&other),
        "--vocab-size",
        "2000",
        "--quiet",
    ])
    .ok();
    fs::copy(other.join("tokenizer.json"), dir.path().join("tokenizer.json")).unwrap();
    generate(dir.path()).fails(2, &["the model's vocabulary has 512"]);
}

#[test]
fn generation_options_out_of_range_are_all_named() {
    let model = tiny_run();
    run(&["generate", "--model", text(model), "--top-p", "1.5", "--temperature=-1"])
        .fails(2, &["top_p", "temperature"]);
}
