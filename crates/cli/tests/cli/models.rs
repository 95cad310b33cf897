//! `generate`, `info` and `convert`.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{run, shared, text, tiny_run};

#[test]
fn greedy_text_is_the_prompt_and_the_same_continuation_every_time() {
    let model = text(tiny_run());
    let arguments = [
        "generate",
        "--model",
        model,
        "--prompt",
        "Once",
        "--temperature",
        "0",
        "--max-new-tokens",
        "12",
    ];
    let first = run(&arguments).ok();
    assert!(first.starts_with("Once") && first.len() > 5, "{first}");
    assert_eq!(run(&arguments).ok(), first);
    let json = run(&[&arguments[..], &["--json"]].concat()).json();
    assert_eq!(format!("Once{}\n", json["text"].as_str().unwrap()), first);
    assert!(json["usage"]["completion_tokens"].as_u64().is_some_and(|tokens| tokens <= 12));
}

#[test]
fn sampling_follows_the_seed() {
    let sample = |seed| {
        let arguments =
            ["generate", "--model", text(tiny_run()), "--max-new-tokens", "16", "--seed", seed];
        run(&arguments).ok()
    };
    assert_eq!(sample("1"), sample("1"));
    assert_ne!(sample("1"), sample("2"));
}

#[test]
fn a_prompt_may_come_from_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("prompt.txt");
    fs::write(&path, "Once upon").unwrap();
    let arguments = [
        "generate",
        "--model",
        text(tiny_run()),
        "--prompt-file",
        text(&path),
        "--max-new-tokens",
        "2",
    ];
    assert!(run(&arguments).ok().starts_with("Once upon"));
}

#[test]
fn info_knows_the_parameters_without_reading_the_weights() {
    let summary = fs::read_to_string(tiny_run().join("summary.json")).unwrap();
    let summary: Value = serde_json::from_str(&summary).unwrap();
    let info = run(&["info", text(tiny_run()), "--json"]).json();
    assert_eq!(info["parameters"]["total"], summary["parameters"]);
    assert_eq!(info["memory"]["weights_f32"], 4 * summary["parameters"].as_u64().unwrap());
    assert_eq!(info["vocab_size"], 512);
    let described = run(&["info", text(&tiny_run().join("model/config.json"))]).ok();
    assert!(described.contains("gpt2") && described.contains("token embedding"), "{described}");
    run(&["info", "no/such/model"]).fails(2, &["no/such/model"]);
}

#[test]
fn golden_info_says_what_each_kind_of_model_has() {
    let Some(models) = shared("golden/models") else { return };
    let check = |case: &str, expected: &[&str]| {
        let said = run(&["info", text(&models.join(case))]).ok();
        for part in expected {
            assert!(said.contains(part), "{case}: no {part:?} in: {said}");
        }
    };
    check("bert-pretraining", &["pooler, masked tokens, next sentence", "none", "learned"]);
    check("bert-tokencls", &["5 labels of each token"]);
    check("bert-qa", &["beginning and end of an answer"]);
    check("t5-v1.0", &["in the encoder", "a source and a target", "the token embedding"]);
    check("mixtral", &["2 of 4", "keys and values of one sequence"]);
    let bert = run(&["info", text(&models.join("bert-qa")), "--json"]).json();
    assert_eq!(bert["memory"]["kv_cache_f32"], Value::Null);
}

#[test]
fn golden_stories260k_is_converted_and_tells_its_documented_story() {
    let Some(source) = shared("data/models/stories260k") else { return };
    let reference = fs::read_to_string(source.join("reference.json")).unwrap();
    let reference: Value = serde_json::from_str(&reference).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("stories");
    let checkpoint = source.join("stories260K.bin");
    let converted = run(&["convert", text(&checkpoint), text(&target), "--json"]).json();
    assert_eq!(converted["source_format"], "llama2c");
    assert_eq!(converted["parameters"], 260_032);
    let tokens = reference["greedy_ids"].as_array().unwrap().len().to_string();
    let story = run(&[
        "generate",
        "--model",
        text(&target),
        "--temperature",
        "0",
        "--max-new-tokens",
        &tokens,
    ]);
    assert_eq!(story.ok(), format!("{}\n", reference["greedy_text"].as_str().unwrap()));

    run(&["convert", text(&checkpoint), text(&target)]).fails(2, &["it is there already"]);
    let Some(other) = shared("golden/tokenizers/byte-bpe") else { return };
    let again = dir.path().join("again");
    let wrong = ["convert", text(&checkpoint), text(&again), "--tokenizer", text(&other)];
    run(&wrong).fails(2, &["the model's vocabulary 512"]);
    assert!(!again.exists());
}

#[test]
fn a_model_converts_to_other_number_formats_and_back() {
    let dir = tempfile::tempdir().unwrap();
    let (half, back) = (dir.path().join("half"), dir.path().join("back"));
    run(&["convert", text(&tiny_run().join("model")), text(&half), "--dtype", "bf16"]).ok();
    let config: Value =
        serde_json::from_str(&fs::read_to_string(half.join("config.json")).unwrap()).unwrap();
    assert_eq!(config["dtype"], "bfloat16");
    let size = |dir: &Path| fs::metadata(dir.join("model.safetensors")).unwrap().len();
    let full = size(&tiny_run().join("model"));
    assert!(size(&half) < full * 6 / 10, "{} of {full} bytes", size(&half));
    // Without --dtype, weights stay in the format that they have.
    let kept = run(&["convert", text(&half), text(&back), "--json"]).json();
    assert_eq!(kept["dtype"], "bf16");
    let weights = |dir: &Path| fs::read(dir.join("model.safetensors")).unwrap();
    assert!(weights(&half) == weights(&back), "the weights differ");
    let greedy = |model: &Path| {
        run(&[
            "generate",
            "--model",
            text(model),
            "--prompt",
            "Once",
            "--temperature",
            "0",
            "--max-new-tokens",
            "4",
        ])
        .ok()
    };
    assert!(greedy(&back).starts_with("Once"));
}

#[test]
fn what_cannot_be_converted_says_what_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("out");
    let check = |content: &[u8], expected: &str| {
        let source = dir.path().join("model.bin");
        fs::write(&source, content).unwrap();
        run(&["convert", text(&source), text(&target)]).fails(2, &[expected]);
        assert!(!target.exists());
    };
    check(b"GGUF\x03\0\0\0rest", "not a valid GGUF file");
    check(b"PK\x03\x04rest of a zip archive", "a PyTorch checkpoint has no config");
    check(b"some words that are no model", "not a checkpoint");
    let model = tiny_run().join("model");
    let gguf = ["convert", text(&model), text(&target), "--to", "gguf"];
    run(&gguf).fails(2, &["model_type is \"gpt2\"", "llama, qwen2 or qwen3"]);
    let coarse = ["convert", text(&model), text(&target), "--dtype", "q8_0"];
    run(&coarse).fails(2, &["cannot hold q8_0", "--to gguf"]);
    assert!(!target.exists());
    run(&["convert", "no/such", text(&target)]).fails(2, &["no/such"]);
}
