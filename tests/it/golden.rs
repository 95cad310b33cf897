//! The real command against figures that others have published.

use std::fs;

use serde_json::Value;

use crate::command::Wuji;
use crate::shared_data;

/// The vocabulary and split sizes in nanoGPT's `data/shakespeare_char/readme.md`.
#[test]
fn golden_tinyshakespeare_has_nanogpts_vocabulary_and_split() {
    let Some(text) = shared_data::find("data/pretrain/tinyshakespeare/input.txt.gz") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let line = Wuji::new("train").args(&["--preset", "shakespeare-char-cpu", "--json", "--quiet"]);
    let summary = line
        .arg("--data")
        .arg(text)
        .arg("--out")
        .arg(dir.path().join("run"))
        .set("training.max_steps=1")
        .set("model.n_layer=1")
        .set("evaluation.ngram_max_order=0")
        .set("evaluation.samples.prompts=[]")
        .succeed()
        .json();
    let data = &summary["data"];
    assert_eq!(data["vocab_size"], 65);
    assert_eq!(data["train_tokens"], 1_003_854);
    assert_eq!(data["validation_tokens"], 111_540);
    // Every token of the validation text is predicted but the first.
    assert_eq!(summary["validation_labels"], 111_539);
}

/// A llama2.c checkpoint becomes a model directory that tells its documented story.
#[test]
fn golden_stories260k_is_converted_and_tells_its_story() {
    let Some(source) = shared_data::find("data/models/stories260k") else { return };
    let reference = fs::read_to_string(source.join("reference.json")).unwrap();
    let reference: Value = serde_json::from_str(&reference).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let model = dir.path().join("model");
    Wuji::new("convert").arg(source.join("stories260K.bin")).arg(&model).succeed();
    let tokens = reference["greedy_ids"].as_array().unwrap().len().to_string();
    let line = Wuji::new("generate").arg("--model").arg(&model);
    let line = line.args(&["--temperature", "0", "--max-new-tokens", &tokens, "--json"]);
    assert_eq!(line.succeed().json()["text"], reference["greedy_text"]);
}
