//! `data list|fetch|verify|prepare`.

use std::fs;

use crate::support::{finish, run, shared, text, tiny_run, wuji};

#[test]
fn the_catalogue_is_listed_and_searched() {
    let dir = tempfile::tempdir().unwrap();
    let all = run(&["data", "list", "--json", "--data-root", text(dir.path())]).json();
    let all = all.as_array().unwrap();
    let found = all.iter().find(|entry| entry["id"] == "tinyshakespeare").unwrap();
    assert_eq!(found["area"], "pretrain");
    assert_eq!(found["present"], false);
    let area = run(&["data", "list", "--area", "pretrain", "--json"]).json();
    assert!(area.as_array().unwrap().len() < all.len());
    assert!(run(&["data", "list"]).ok().contains("tinyshakespeare"));
    assert!(run(&["data", "list", "tinyshakespeare"]).ok().contains("# Tiny Shakespeare"));
    run(&["data", "list", "tinyshakespear"]).fails(2, &["did you mean \"tinyshakespeare\"?"]);
    run(&["data", "list", "--area", "cooking"]).fails(2, &["cooking", "pretrain"]);
}

#[test]
fn a_source_that_cannot_be_reached_is_a_failure_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let fetch = ["data", "fetch", "tinyshakespeare", "--attempts", "1", "--data-root"];
    // Port 9 discards what it is sent, where there is anything at all: nobody is a proxy there.
    let mut command = wuji(&[&fetch[..], &[text(dir.path())]].concat());
    command.env("HTTPS_PROXY", "http://127.0.0.1:9");
    finish(&mut command).fails(1, &["cannot reach the source of data set \"tinyshakespeare\""]);
    let files = fs::read_dir(dir.path().join("pretrain/tinyshakespeare"));
    assert!(files.is_ok_and(|mut files| files.next().is_none()), "something was left");
    run(&["data", "fetch", "tinyshakespear"]).fails(2, &["did you mean"]);
}

#[test]
fn files_are_verified_by_their_hash() {
    let dir = tempfile::tempdir().unwrap();
    let root = text(dir.path());
    run(&["data", "verify", "tinyshakespeare", "--data-root", root]).fails(1, &["1 of 1 files"]);
    let file = dir.path().join("pretrain/tinyshakespeare/input.txt.gz");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, "not it").unwrap();
    let wrong = run(&["data", "verify", "--data-root", root, "--json"]);
    assert_eq!(wrong.code, 1);
    assert!(wrong.stdout.contains("wrong size"), "{}", wrong.stdout);
    let Some(data) = shared("data") else { return };
    let good = run(&["data", "verify", "tinyshakespeare", "--data-root", text(&data)]).ok();
    assert!(good.contains("1 of 1 files are right"), "{good}");
}

#[test]
fn text_is_prepared_once() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("text.txt");
    fs::write(&data, "Once upon a time there was a fox. ".repeat(100)).unwrap();
    let out = dir.path().join("shards");
    let tokenizer = text(tiny_run());
    let prepare =
        ["data", "prepare", text(&data), "-t", tokenizer, "-o", text(&out), "--quiet", "--json"];
    let first = run(&prepare).json();
    assert_eq!(first["reused"], false);
    let count = |side: &str, key: &str| first[side][key].as_u64().unwrap();
    assert_eq!(count("train", "bytes") + count("validation", "bytes"), 3400);
    assert!(count("train", "tokens") > count("validation", "tokens"));
    let directory = std::path::Path::new(first["directory"].as_str().unwrap());
    assert!(directory.join("manifest.json").is_file());
    assert_eq!(run(&prepare).json()["reused"], true);
    let plain = run(&prepare[..prepare.len() - 1]).ok();
    assert!(plain.contains("validation") && plain.contains("as prepared before"), "{plain}");
}

#[test]
fn inputs_that_are_neither_files_nor_data_sets_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let prepare = |input: &str| {
        let root = text(dir.path());
        let out = dir.path().join("out");
        run(&[
            "data",
            "prepare",
            input,
            "-t",
            text(tiny_run()),
            "-o",
            text(&out),
            "--data-root",
            root,
        ])
    };
    prepare("tinyshakespear").fails(2, &["is no file", "did you mean \"tinyshakespeare\"?"]);
    prepare("tinyshakespeare").fails(2, &["wuji data fetch tinyshakespeare"]);
    prepare("no/such.txt").fails(2, &["no/such.txt"]);
}

#[test]
fn a_data_set_is_prepared_by_its_name() {
    let Some(data) = shared("data") else { return };
    let dir = tempfile::tempdir().unwrap();
    let prepared = run(&[
        "data",
        "prepare",
        "tinyshakespeare",
        "--data-root",
        text(&data),
        "-t",
        text(tiny_run()),
        "-o",
        text(dir.path()),
        "--json",
        "--quiet",
    ])
    .json();
    let bytes = |side: &str| prepared[side]["bytes"].as_u64().unwrap();
    assert_eq!(bytes("train") + bytes("validation"), 1_115_394);
}
