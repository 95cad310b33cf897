//! `WUJI_SIMD` and number formats: another way to compute, the same results but for rounding.

use serde_json::Value;

use crate::support::{finish, run, text, tiny_run, wuji};

const SETS: [&str; 4] = ["portable", "avx2", "avx512", "avx512-bf16"];

/// What a few steps of training say, or `None` where the CPU has no such instructions.
fn trained(set: &str, further: &[&str]) -> Option<Value> {
    let out = tempfile::tempdir().unwrap();
    let dir = out.path().join("run");
    let train = ["train", "--preset", "tiny", "--quiet", "--json", "--out", text(&dir)];
    let steps = ["--set", "training.max_steps=12"];
    let mut command = wuji(&[&train[..], &steps, further].concat());
    let ran = finish(command.env("WUJI_SIMD", set));
    if ran.code == 2 && ran.stderr.contains("this CPU has") {
        eprintln!("skipped: {set}: {}", ran.stderr.trim());
        return None;
    }
    Some(ran.json())
}

fn loss(summary: &Value) -> f64 {
    summary["validation_loss"].as_f64().unwrap()
}

#[test]
fn every_instruction_set_trains_to_the_same_loss() {
    let of = |further: &[&str]| -> Vec<f64> {
        SETS.iter().filter_map(|set| trained(set, further)).map(|found| loss(&found)).collect()
    };
    let f32 = of(&[]);
    let bf16 = of(&["--set", "training.precision=\"bf16\""]);
    assert!(!f32.is_empty() && f32.len() == bf16.len());
    for found in &f32 {
        assert!((found - f32[0]).abs() < 1e-4, "{f32:?}");
    }
    for found in &bf16 {
        assert!(*found != f32[0] && (found - f32[0]).abs() < 0.01, "{bf16:?}, not {f32:?}");
    }
}

#[test]
fn an_instruction_set_that_is_none_is_refused() {
    finish(wuji(&["device", "list"]).env("WUJI_SIMD", "mmx"))
        .fails(2, &["WUJI_SIMD", "portable, avx2"]);
}

#[test]
fn eight_bits_continue_a_text() {
    let generate = |format: &str| {
        let model = ["generate", "--model", text(tiny_run()), "--prompt", "The "];
        run(&[&model[..], &["--temperature", "0", "--max-new-tokens", "8", "--weights", format]]
            .concat())
        .ok()
    };
    assert!(generate("int8").starts_with("The "));
    assert!(generate("int8").len() > 4 && generate("f32").len() > 4);
}

#[test]
fn what_a_training_waits_for_data_is_measured() {
    let summary = trained("portable", &[]).expect("every CPU has these");
    let [waited, seconds] =
        ["data_seconds", "train_seconds"].map(|key| summary[key].as_f64().unwrap());
    assert!((0.0..seconds).contains(&waited), "{waited} of {seconds} s");
}
