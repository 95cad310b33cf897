//! `embed` through the command.

use std::fs;

use serde_json::Value;

use crate::support::{run, shared, text};

#[test]
fn golden_texts_and_lines_of_a_file_get_the_same_vectors() {
    let Some(model) = shared("golden/pipelines/text-classification") else { return };
    let by_text = ["embed", "--model", text(&model), "--text", "The king", "--text", "is dead"];
    let by_text = run(&by_text).ok();
    let lines: Vec<Value> =
        by_text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1]["text"], "is dead");
    assert_eq!(lines[1]["embedding"].as_array().unwrap().len(), 32);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("texts.txt");
    fs::write(&file, "The king\nis dead\n").unwrap();
    let by_file = ["embed", "--model", text(&model), "--file", text(&file)];
    assert_eq!(run(&by_file).ok(), by_text);
    let json = run(&[&by_file[..], &["--json"]].concat()).json();
    assert_eq!(json.as_array().unwrap(), &lines);
}

#[test]
fn golden_what_cannot_be_embedded_says_why() {
    let Some(golden) = shared("golden") else { return };
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("texts.txt");
    fs::write(&file, b"ab\xff").unwrap();
    let (encoder, decoder) =
        (golden.join("pipelines/text-classification"), golden.join("models/gpt2"));
    run(&["embed", "--model", text(&encoder), "--file", text(&file)])
        .fails(2, &["texts.txt", "not UTF-8 at byte 2"]);
    fs::write(&file, "").unwrap();
    run(&["embed", "--model", text(&encoder), "--file", text(&file)]).fails(2, &["it is empty"]);
    run(&["embed", "--model", text(&decoder), "--text", "a"]).fails(2, &["gpt2 is no encoder"]);
    run(&["embed", "--model", text(&encoder)]).fails(2, &["--text"]);
}
