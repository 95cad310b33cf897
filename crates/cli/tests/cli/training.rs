//! `train` and `report`.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{run, text, tiny_run, wuji};

/// `train --preset tiny` with these further arguments.
fn tiny(out: &Path, further: &[&str]) -> crate::support::Ran {
    let first = ["train", "--preset", "tiny", "--quiet", "--out", text(out)];
    run(&[&first, further].concat())
}

#[test]
fn a_run_directory_holds_everything_that_is_promised() {
    let dir = tiny_run();
    for name in [
        "config.toml",
        "environment.toml",
        "metrics.jsonl",
        "checkpoints/step-60/model/model.safetensors",
        "model/config.json",
        "model/model.safetensors",
        "model/tokenizer.json",
        "model/tokenizer_config.json",
        "model/generation_config.json",
        "samples.txt",
        "summary.json",
        "report.html",
        "MODEL_CARD.md",
    ] {
        assert!(dir.join(name).is_file(), "{name} is missing");
    }
    let html = fs::read_to_string(dir.join("report.html")).unwrap();
    assert!(
        !html.contains("http:") && !html.contains("https:"),
        "the report refers to the network"
    );
}

#[test]
fn the_json_of_a_run_has_what_scripts_rely_on() {
    let out = tempfile::tempdir().unwrap();
    let dir = out.path().join("run");
    let set = ["--set", "training.max_steps=2", "--seed", "7", "--json"];
    let summary = tiny(&dir, &set).json();
    assert_eq!(summary["run_dir"], text(&dir));
    assert_eq!(summary["steps"], 2);
    assert_eq!(summary["tokens"], 2 * 8 * 64);
    for key in ["validation_loss", "bits_per_byte", "train_seconds", "tokens_per_second"] {
        assert!(summary[key].as_f64().is_some_and(|value| value > 0.0), "{key}: {summary}");
    }
    assert!(summary["peak_rss_mib"].as_u64().is_some_and(|mib| mib > 0));
    let ngram = &summary["ngram"];
    assert!(ngram["order"].as_u64().is_some_and(|order| (1..=3).contains(&order)), "{ngram}");
    assert!(ngram["validation_loss"].is_f64() && ngram["bits_per_byte"].is_f64(), "{ngram}");
    let kept = fs::read_to_string(dir.join("summary.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&kept).unwrap(), summary);
    assert!(fs::read_to_string(dir.join("config.toml")).unwrap().contains("seed = 7"));
}

#[test]
fn a_directory_holds_one_run() {
    let config = fs::read(tiny_run().join("config.toml")).unwrap();
    tiny(tiny_run(), &[]).fails(2, &["already holds a run", "--resume"]);
    assert_eq!(fs::read(tiny_run().join("config.toml")).unwrap(), config);
    run(&["train", "--resume", text(&tiny_run().join("model"))]).fails(2, &["no run to resume"]);
}

#[test]
fn the_resolved_config_can_be_given_back() {
    let layers = ["--preset", "tiny", "--set", "training.optimizer=muon", "--print-config"];
    let config = run(&[&["train"], &layers[..]].concat()).ok();
    assert!(config.contains("optimizer = \"muon\""), "{config}");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("c.toml");
    fs::write(&path, &config).unwrap();
    assert_eq!(run(&["train", "--config", text(&path), "--print-config"]).ok(), config);
}

#[test]
fn a_report_can_be_rendered_again() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    for name in ["config.toml", "environment.toml", "metrics.jsonl", "summary.json"] {
        fs::copy(tiny_run().join(name), dir.join(name)).unwrap();
    }
    fs::create_dir(dir.join("model")).unwrap();
    let printed = run(&["report", text(dir)]).ok();
    assert!(printed.contains("report.html"), "{printed}");
    for name in ["report.html", "MODEL_CARD.md"] {
        let (again, first) = (fs::read(dir.join(name)), fs::read(tiny_run().join(name)));
        assert!(again.unwrap() == first.unwrap(), "{name} differs");
    }
    fs::remove_file(dir.join("summary.json")).unwrap();
    run(&["report", text(dir)]).fails(2, &["not finished", "--resume"]);
    run(&["report", text(&dir.join("model"))]).fails(2, &["holds no run"]);
}

/// Ctrl-C ends a run with a checkpoint, and `--resume` goes on to the very same weights.
#[cfg(unix)]
#[test]
fn an_interrupted_run_resumes_to_the_same_model() {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    let steps = ["--set", "training.max_steps=300", "--set", "training.eval_interval_steps=0"];
    let out = tempfile::tempdir().unwrap();
    let (straight, interrupted) = (out.path().join("straight"), out.path().join("interrupted"));
    tiny(&straight, &steps).ok();

    let first = ["train", "--preset", "tiny", "--quiet", "--out", text(&interrupted)];
    let mut command = wuji(&[&first, &steps[..]].concat());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let metrics = interrupted.join("metrics.jsonl");
    let start = Instant::now();
    while fs::metadata(&metrics).map_or(0, |found| found.len()) == 0 {
        assert!(start.elapsed() < Duration::from_secs(300), "no step was logged");
        std::thread::sleep(Duration::from_millis(5));
    }
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let ended = child.wait_with_output().unwrap();
    let message = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{message}");
    assert!(message.contains("continue with --resume"), "{message}");

    let resumed = run(&["train", "--resume", text(&interrupted), "--json", "--quiet"]).json();
    assert_eq!(resumed["steps"], 300);
    let weights = |dir: &Path| fs::read(dir.join("model/model.safetensors")).unwrap();
    assert!(weights(&straight) == weights(&interrupted), "the weights differ");
}
