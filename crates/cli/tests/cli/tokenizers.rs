//! `tokenizer train|encode|decode|info`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{run, run_with_input, text, tiny_run};

const TEXT: &str = "The little fox ran to the river.\nThe fox saw a fish; the fish saw the fox.\n";

fn train(dir: &Path, kind: &str, further: &[&str]) -> PathBuf {
    let data = dir.join("text.txt");
    fs::write(&data, TEXT.repeat(20)).unwrap();
    let out = dir.join(kind);
    let first = ["tokenizer", "train", text(&data), "-o", text(&out), "--kind", kind, "--quiet"];
    let trained = run(&[&first, further].concat()).ok();
    assert!(trained.contains("bytes per token"), "{trained}");
    out
}

#[test]
fn every_kind_is_trained_saved_and_used() {
    let dir = tempfile::tempdir().unwrap();
    for (kind, further) in [
        ("byte-level-bpe", &["--vocab-size", "300"][..]),
        ("word-piece", &["--vocab-size", "80"]),
        ("unigram", &["--vocab-size", "60"]),
        ("char", &[]),
        ("word", &["--vocab-size", "40"]),
    ] {
        let tokenizer = train(dir.path(), kind, further);
        let info = run(&["tokenizer", "info", text(&tokenizer), "--json"]).json();
        assert_eq!(info["kind"], kind);
        let ids = run(&["tokenizer", "encode", "-t", text(&tokenizer), "the fox"]).ok();
        let ids: Vec<&str> = ids.split_whitespace().collect();
        assert!(
            !ids.is_empty() && ids.iter().all(|id| id.parse::<u32>().is_ok()),
            "{kind}: {ids:?}"
        );
        let decode =
            [&["tokenizer", "decode", "--skip-special-tokens", "-t", text(&tokenizer)], &ids[..]];
        assert_eq!(run(&decode.concat()).ok().trim(), "the fox", "{kind}");
    }
}

#[test]
fn tokens_and_offsets_make_a_table() {
    let dir = tempfile::tempdir().unwrap();
    let tokenizer = train(dir.path(), "char", &[]);
    let encode = ["tokenizer", "encode", "-t", text(&tokenizer), "a\nfox"];
    let json = run(&[&encode[..], &["--json"]].concat()).json();
    let ids: Vec<u64> = json["ids"].as_array().unwrap().iter().filter_map(Value::as_u64).collect();
    assert_eq!(json["offsets"][1], serde_json::json!([1, 2]));
    let table = run(&[&encode[..], &["--tokens", "--offsets"]].concat()).ok();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 6, "{table}");
    assert_eq!(
        lines[0].split_whitespace().collect::<Vec<_>>(),
        ["id", "start", "end", "token", "text"]
    );
    let second: Vec<String> = lines[2].split_whitespace().map(str::to_string).collect();
    assert_eq!(second, [&ids[1].to_string(), "1", "2", "\\n", "\"\\n\""]);
}

#[test]
fn text_and_ids_may_come_through_pipes_and_files() {
    let tokenizer = text(tiny_run());
    let ids =
        run_with_input(&["tokenizer", "encode", "-t", tokenizer], "Once upon\n".as_bytes()).ok();
    let back = run_with_input(&["tokenizer", "decode", "-t", tokenizer], ids.as_bytes()).ok();
    assert_eq!(back, "Once upon\n\n");
    let list = format!("[{}]", ids.trim().replace(' ', ", "));
    let back = run_with_input(&["tokenizer", "decode", "-t", tokenizer], list.as_bytes()).ok();
    assert_eq!(back, "Once upon\n\n");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("x.txt");
    fs::write(&file, "Once upon\n").unwrap();
    let from_file = run(&["tokenizer", "encode", "-t", tokenizer, "--file", text(&file)]).ok();
    assert_eq!(from_file, ids);
}

#[test]
fn info_counts_bytes_per_token() {
    let dir = tempfile::tempdir().unwrap();
    let tokenizer = train(dir.path(), "char", &[]);
    let file = dir.path().join("text.txt");
    let info = run(&[
        "tokenizer",
        "info",
        "--tokenizer",
        text(&tokenizer),
        "--file",
        text(&file),
        "--json",
    ]);
    let info = info.json();
    assert_eq!(info["compression"]["bytes_per_token"], 1.0);
    assert_eq!(info["compression"]["bytes"], 20 * TEXT.len());
    let fingerprint = info["fingerprint"].as_str().unwrap();
    assert_eq!(fingerprint.len(), 64);
    assert!(run(&["tokenizer", "info", text(&tokenizer)]).ok().contains(fingerprint));
}

#[test]
fn special_tokens_in_a_strangers_text_can_be_taken_as_words() {
    let encode = ["tokenizer", "encode", "-t", text(tiny_run()), "<|endoftext|>"];
    assert_eq!(run(&encode).ok().split_whitespace().count(), 1);
    let ordinary = run(&[&encode[..], &["--ordinary"]].concat()).ok();
    assert!(ordinary.split_whitespace().count() > 1, "{ordinary}");
}

#[test]
fn what_goes_wrong_is_said_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let char = train(dir.path(), "char", &[]);
    let encode = ["tokenizer", "encode", "-t", text(&char)];
    run(&[&encode[..], &["a é"]].concat()).fails(2, &["'é'", "byte 2"]);
    run_with_input(&encode, b"ab\xff").fails(2, &["standard input", "invalid UTF-8 at byte 2"]);
    run(&["tokenizer", "decode", "-t", text(&char), "1", "x"]).fails(2, &["\"x\" is no token id"]);
    run(&["tokenizer", "decode", "-t", text(&char), "999"])
        .fails(2, &["id 999", "outside the vocabulary"]);
    run(&["tokenizer", "info", text(dir.path())]).fails(2, &["no tokenizer in directory"]);
    let data = dir.path().join("text.txt");
    let again = ["tokenizer", "train", text(&data), "-o", text(&char), "--kind", "char"];
    run(&again).fails(2, &["holds a tokenizer already"]);
    let small = ["tokenizer", "train", text(&data), "-o", "x", "--vocab-size", "100"];
    run(&small).fails(2, &["vocab_size 100 is too small"]);
}
