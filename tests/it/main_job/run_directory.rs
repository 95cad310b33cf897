//! What a run leaves behind, and what it prints.

use std::path::Path;

use serde_json::Value;

use super::train;
use crate::files::names;

/// What the run directory's documentation promises, and a Hugging Face model directory.
const FILES: [&str; 15] = [
    "config.toml",
    "environment.toml",
    "tokenizer/tokenizer.json",
    "data",
    "metrics.jsonl",
    "checkpoints/step-60/model/model.safetensors",
    "checkpoints/step-60/model/tokenizer.json",
    "model/config.json",
    "model/model.safetensors",
    "model/tokenizer.json",
    "model/generation_config.json",
    "samples.txt",
    "summary.json",
    "report.html",
    "MODEL_CARD.md",
];

#[test]
fn a_run_learns_and_leaves_everything_behind() {
    let dir = tempfile::tempdir().unwrap();
    let run_dir = dir.path().join("run");
    let finished = train(&run_dir).succeed();
    assert_eq!(finished.stderr, "", "--quiet");
    let summary = finished.json();
    check_summary(&summary, &run_dir);
    for file in FILES {
        assert!(run_dir.join(file).exists(), "no {file} in the run directory");
    }
    assert_eq!(summary, read_json(&run_dir.join("summary.json")));
    check_metrics(&run_dir.join("metrics.jsonl"), 60, &summary);
    check_documents(&run_dir);
    let leftovers: Vec<_> =
        names(&run_dir).into_iter().filter(|name| name.starts_with(".writing")).collect();
    assert!(leftovers.is_empty(), "{leftovers:?}");
}

fn number(value: &Value, key: &str) -> f64 {
    let found = value[key].as_f64().unwrap_or_else(|| panic!("{key} in {value}"));
    assert!(found.is_finite() && found > 0.0, "{key} = {found}");
    found
}

/// The fields that scripts rely on.
fn check_summary(summary: &Value, run_dir: &Path) {
    assert_eq!(summary["run_dir"].as_str().unwrap(), run_dir.to_str().unwrap());
    assert_eq!(number(summary, "steps"), 60.0);
    assert_eq!(number(summary, "tokens"), 60.0 * 8.0 * 64.0);
    for key in ["bits_per_byte", "train_seconds", "tokens_per_second", "peak_rss_mib"] {
        number(summary, key);
    }
    let vocab_size = number(&summary["data"], "vocab_size");
    assert_eq!(vocab_size, 512.0);
    let loss = number(summary, "validation_loss");
    assert!(loss < 0.9 * vocab_size.ln(), "{loss} nats per token has learnt nothing");
    let ngram = &summary["ngram"];
    assert!((1.0..=3.0).contains(&number(ngram, "order")));
    assert!(number(ngram, "validation_loss") < vocab_size.ln());
    number(ngram, "bits_per_byte");
    // Nats per token in bits per byte of the same text, of which the first token is not predicted.
    let per_byte = loss / std::f64::consts::LN_2 * number(&summary["data"], "validation_tokens")
        / number(&summary["data"], "validation_bytes");
    let error = (number(summary, "bits_per_byte") - per_byte).abs() / per_byte;
    assert!(error < 1e-2, "bits per byte: {summary}");
}

/// The steps that a `metrics.jsonl` tells of, in its order; the last line may be half a line.
pub fn steps_in(path: &Path) -> Vec<u64> {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let steps = lines.filter(|line| line["event"] == "step");
    steps.map(|line| line["step"].as_u64().unwrap()).collect()
}

/// Every step once and in order, then the summary's own figures and the end.
pub fn check_metrics(path: &Path, steps: u64, summary: &Value) {
    let text = std::fs::read_to_string(path).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |event: &str| -> Vec<&Value> {
        lines.iter().filter(|line| line["event"] == event).collect()
    };
    assert_eq!(steps_in(path), (1..=steps).collect::<Vec<_>>(), "steps in {}", path.display());
    let last = of("eval").into_iter().rfind(|line| line["complete"] == true).unwrap();
    assert_eq!(last["validation_loss"], summary["validation_loss"]);
    assert_eq!(of("end").len(), 1);
    assert_eq!(lines.last().unwrap()["event"], "end");
}

fn check_documents(run_dir: &Path) {
    let read = |name: &str| std::fs::read_to_string(run_dir.join(name)).unwrap();
    let report = read("report.html");
    assert!(report.contains("<svg"), "curves in the report");
    for outside in ["src=\"http", "href=\"http", "url(http", "@import"] {
        assert!(!report.contains(outside), "the report loads {outside}… from the network");
    }
    assert!(report.contains("Kneser"), "the baseline in the report");
    assert!(read("environment.toml").contains("device = \"flex\""));
    assert!(!read("samples.txt").trim().is_empty());
    assert!(!read("MODEL_CARD.md").contains("{{"), "the card is filled in");
}

fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}
