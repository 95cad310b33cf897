//! Model directories that are damaged, incomplete, or put together from two.

use std::fs;
use std::path::Path;

use crate::command::{Finished, Wuji};
use crate::files::{assert_nothing_lost, contents, copy};
use crate::main_job::small;

fn generate(model: &Path) -> Finished {
    let line = Wuji::new("generate").arg("--model").arg(model);
    line.args(&["--prompt", "Once", "--max-new-tokens", "3", "--temperature", "0"]).run()
}

/// What `generate` says of a copy of a model in which one file was replaced, or removed.
fn check(model: &Path, file: &str, content: Option<&[u8]>, mentions: &[&str]) {
    let dir = tempfile::tempdir().unwrap();
    copy(model, dir.path());
    let path = dir.path().join(file);
    match content {
        Some(content) => fs::write(&path, content).unwrap(),
        None => fs::remove_file(&path).unwrap(),
    }
    let before = contents(dir.path());
    let finished = generate(dir.path());
    finished.assert_refused(2, &[&[dir.path().to_str().unwrap()], mentions].concat());
    assert!(!finished.stdout.contains("Once"), "a result before the error: {finished}");
    assert_nothing_lost(&before, dir.path());
}

#[test]
fn a_damaged_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path(), 2).succeed();
    let model = dir.path().join("model");
    assert!(generate(&model).status.success());
    for file in ["model.safetensors", "config.json", "tokenizer.json"] {
        let content = fs::read(model.join(file)).unwrap();
        let garbled: Vec<u8> = content.iter().map(|byte| !byte).collect();
        check(&model, file, Some(&content[..content.len() / 2]), &[file]);
        check(&model, file, Some(&garbled), &[file]);
        check(&model, file, Some(b""), &[file]);
    }
    check(&model, "model.safetensors", None, &["model.safetensors"]);
    check(&model, "config.json", None, &["config.json"]);
    check(&model, "tokenizer.json", None, &["tokenizer"]);
    check(&model, "config.json", Some(b"{\"model_type\": \"mamba\"}"), &["mamba", "gpt2"]);
}

#[test]
fn weights_of_another_architecture_are_listed() {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path(), 2).succeed();
    let model = dir.path().join("model");
    let config = fs::read_to_string(model.join("config.json")).unwrap();
    let wider = config.replace("\"n_embd\": 32", "\"n_embd\": 64");
    assert_ne!(config, wider);
    let mentions = ["do not fit", "transformer.wte.weight", "transformer.ln_f.weight"];
    check(&model, "config.json", Some(wider.as_bytes()), &mentions);
}

#[test]
fn a_tokenizer_of_another_model_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (run, other) = (dir.path().join("run"), dir.path().join("other"));
    small(&run, 2).succeed();
    small(&other, 2).set("tokenizer.vocab_size=400").succeed();
    let tokenizer = fs::read(other.join("model/tokenizer.json")).unwrap();
    check(&run.join("model"), "tokenizer.json", Some(&tokenizer), &["400", "300"]);
}

#[test]
fn a_model_that_is_not_there_is_named() {
    let dir = tempfile::tempdir().unwrap();
    for path in [dir.path().join("absent"), dir.path().to_path_buf()] {
        generate(&path).assert_refused(2, &[path.to_str().unwrap()]);
    }
}

#[test]
fn options_of_generation_are_checked_before_anything_is_printed() {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path(), 2).succeed();
    let model = dir.path().join("model");
    let refused = |option: &str, value: &str| {
        let line = Wuji::new("generate").arg("--model").arg(&model);
        let finished = line.args(&["--prompt", "Once", option, value]).run();
        finished.assert_refused(2, &[value]);
        assert_eq!(finished.stdout, "", "{option} {value}");
    };
    refused("--temperature", "-1");
    refused("--temperature", "NaN");
    refused("--top-p", "1.5");
    refused("--max-new-tokens", "0");
}
