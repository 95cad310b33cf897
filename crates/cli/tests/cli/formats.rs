//! GGUF files and models by name, through the command.

use std::fs;
use std::path::Path;

use serde_json::Value;
use wuji::model::weights::TensorFiles;

use crate::support::{finish, run, shared, text, tiny_run, wuji};

/// The greedy story of a converted stories260K.
fn story(model: &Path, tokens: &str) -> String {
    let greedy = ["--temperature", "0", "--max-new-tokens", tokens];
    run(&[&["generate", "--model", text(model)], greedy.as_slice()].concat()).ok()
}

#[test]
fn golden_stories260k_tells_its_story_out_of_one_gguf_file() {
    let Some(source) = shared("data/models/stories260k") else { return };
    let reference = fs::read_to_string(source.join("reference.json")).unwrap();
    let reference: Value = serde_json::from_str(&reference).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let checkpoint = source.join("stories260K.bin");
    let (gguf, back) = (dir.path().join("stories.gguf"), dir.path().join("stories"));
    let converted = run(&["convert", text(&checkpoint), text(&gguf), "--json"]).json();
    assert_eq!(converted["target_format"], "gguf");
    assert!(converted.get("tokenizer_left_out").is_none(), "{converted}");
    let tokens = reference["greedy_ids"].as_array().unwrap().len().to_string();
    let expected = reference["greedy_text"].as_str().unwrap();
    assert_eq!(story(&gguf, &tokens).trim_end(), expected.trim_end());

    let info = run(&["info", text(&gguf), "--json"]).json();
    assert_eq!(info["parameters"]["total"], 260_032);
    let converted = run(&["convert", text(&gguf), text(&back), "--json"]).json();
    assert_eq!(converted["source_format"], "gguf");
    assert_eq!(story(&back, &tokens).trim_end(), expected.trim_end());
    run(&["convert", text(&back), text(&gguf)]).fails(2, &["it is there already"]);
    let coarse = dir.path().join("coarse.gguf");
    let converted =
        run(&["convert", text(&back), text(&coarse), "--dtype", "q8_0", "--json"]).json();
    assert_eq!(converted["dtype"], "q8_0");
    let size = |path: &Path| fs::metadata(path).unwrap().len();
    assert!(size(&coarse) < size(&gguf) / 2, "{} of {} bytes", size(&coarse), size(&gguf));
    assert!(story(&coarse, "20").starts_with("Once upon a time"));
}

#[test]
fn golden_gguf_forward_gives_the_reference_logits() {
    let Some(case) = shared("golden/compression/gguf-llama") else { return };
    let dir = tempfile::tempdir().unwrap();
    let outputs = dir.path().join("out.safetensors");
    let expected = TensorFiles::open(&case.join("expected.safetensors")).unwrap();
    for (file, name) in [("model-q8_0.gguf", "Q8_0"), ("model-f16.gguf", "F16")] {
        run(&[
            "forward",
            "--model",
            text(&case.join(file)),
            "--inputs",
            text(&case.join("expected.safetensors")),
            "--outputs",
            text(&outputs),
        ])
        .ok();
        let found = TensorFiles::open(&outputs).unwrap().read_f32("logits").unwrap();
        let expected = expected.read_f32(&format!("out.logits.{name}")).unwrap();
        let off = found.iter().zip(&expected).map(|(f, e)| (f - e).abs()).fold(0.0, f32::max);
        assert!(found.len() == expected.len() && off <= 1e-4, "{name}: off by {off}");
    }
}

#[test]
fn a_model_is_found_by_its_name_in_the_cache() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("hub/models--org--tiny");
    let snapshot = folder.join("snapshots/abc");
    fs::create_dir_all(&snapshot).unwrap();
    fs::create_dir_all(folder.join("refs")).unwrap();
    fs::write(folder.join("refs/main"), "abc").unwrap();
    for entry in fs::read_dir(tiny_run().join("model")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), snapshot.join(entry.file_name())).unwrap();
    }
    let greedy = ["--prompt", "Once", "--temperature", "0", "--max-new-tokens", "6"];
    let by_path = run(&[&["generate", "--model", text(tiny_run())], greedy.as_slice()].concat());
    let by_name = [&["generate", "--model", "org/tiny"], greedy.as_slice()].concat();
    let mut command = wuji(&by_name);
    command.env("HF_HOME", dir.path()).current_dir(dir.path());
    assert_eq!(finish(&mut command).ok(), by_path.ok());
}

#[test]
fn a_name_that_cannot_be_had_says_what_was_tried() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = wuji(&["generate", "--model", "org/absent"]);
    command.env("HF_HUB_CACHE", dir.path().join("cache")).current_dir(dir.path());
    let mentions = ["org/absent", "no models--org--absent", "huggingface.co", "offline"];
    finish(&mut command).fails(1, &mentions);
    // A port where nobody listens.
    command.env("HF_HUB_OFFLINE", "0").env("HF_ENDPOINT", "http://127.0.0.1:9");
    finish(&mut command).fails(1, &["org/absent", "http://127.0.0.1:9", "hf download org/absent"]);
}
