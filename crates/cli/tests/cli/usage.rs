//! The command line itself.

use std::path::Path;
use std::process::Stdio;

use crate::support::{run, wuji};

#[test]
fn help_lists_every_verb() {
    let help = run(&["--help"]).ok();
    for verb in [
        "train",
        "generate",
        "embed",
        "forward",
        "tokenizer",
        "data",
        "convert",
        "info",
        "bench",
        "report",
        "device",
    ] {
        assert!(help.lines().any(|line| line.starts_with(&format!("  {verb} "))), "{verb}: {help}");
    }
}

#[test]
fn every_verb_has_help_of_its_own() {
    for verb in [
        &["train"][..],
        &["generate"],
        &["embed"],
        &["forward"],
        &["tokenizer", "train"],
        &["tokenizer", "encode"],
        &["tokenizer", "decode"],
        &["tokenizer", "info"],
        &["data", "list"],
        &["data", "fetch"],
        &["data", "verify"],
        &["data", "prepare"],
        &["convert"],
        &["info"],
        &["bench", "train"],
        &["bench", "generate"],
        &["bench", "tokenizer"],
        &["report"],
        &["device", "list"],
    ] {
        let help = run(&[verb, &["--help"]].concat()).ok();
        assert!(help.contains("Usage: wuji"), "{verb:?}: {help}");
        assert!(!help.contains("config-reference"), "a hidden flag shows: {help}");
    }
}

#[test]
fn wrong_usage_is_2_with_what_was_meant() {
    assert_eq!(run(&[]).code, 2);
    run(&["trian"]).fails(2, &["trian", "'train'"]);
    run(&["train", "--presett", "tiny"]).fails(2, &["--preset"]);
    run(&["device", "list", "--device", "tpu"]).fails(2, &["tpu", "flex, ndarray, wgpu[:n]"]);
    run(&["device", "list", "--threads", "0"]).fails(2, &["--threads"]);
    run(&["generate"]).fails(2, &["--model"]);
    run(&["bench", "generate"]).fails(2, &["--model"]);
    run(&["tokenizer", "train", "x.txt", "-o", "y", "--kind", "unigramm"]).fails(2, &["'unigram'"]);
}

#[test]
fn a_device_that_is_not_built_in_names_its_feature() {
    let found = run(&["device", "list", "--json"]).json();
    for backend in found["backends"].as_array().unwrap() {
        let name = backend["name"].as_str().unwrap();
        if backend["compiled"] == false {
            let missing = run(&["bench", "train", "--device", name]);
            missing.fails(2, &[&format!("--features {name}")]);
        } else if name == "flex" {
            assert_eq!(backend["available"]["Ok"], serde_json::Value::Null);
        }
    }
    assert!(run(&["device", "list"]).ok().contains("flex     ready"));
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let mut child = wuji(&["data", "list"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn presets_are_listed_with_what_they_are_for() {
    let names = run(&["train", "--list-presets", "--json"]).json();
    for name in
        ["quickstart", "shakespeare-char-cpu", "shakespeare-char-best", "chinese-poetry", "tiny"]
    {
        assert!(names[name].as_str().is_some_and(|summary| !summary.is_empty()), "{names}");
    }
}

#[test]
fn the_committed_configuration_reference_is_the_generated_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let committed = std::fs::read_to_string(path).unwrap();
    let generated = run(&["train", "--config-reference"]).ok();
    assert!(committed == generated, "docs/configuration.md is out of date: run `cargo xtask docs`");
}
