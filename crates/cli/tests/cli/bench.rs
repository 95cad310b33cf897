//! `bench train|generate|tokenizer`.

use serde_json::Value;

use crate::support::{run, text, tiny_run};

fn positive(value: &Value, keys: &[&str]) {
    for key in keys {
        assert!(value[key].as_f64().is_some_and(|found| found > 0.0), "{key}: {value}");
    }
}

#[test]
fn a_training_step_is_timed_by_phase() {
    let shape = "2x16,2x2x32,64";
    let report =
        run(&["bench", "train", "--shape", shape, "--steps", "3", "--json", "--quiet"]).json();
    assert_eq!(report["shape"], shape);
    // Embedding and head, positions, two blocks of 12 · 32², five norms.
    assert_eq!(report["params"], 2 * 64 * 32 + 16 * 32 + 2 * 12 * 1024 + 5 * 32);
    positive(
        &report,
        &["ms_per_step", "tokens_per_second", "gflops", "peak_fraction", "peak_rss_mib", "threads"],
    );
    positive(&report["phases_ms"], &["data", "forward", "backward", "optimizer"]);
    let flops = (6.0 * report["params"].as_f64().unwrap() + 12.0 * 2.0 * 32.0 * 16.0) * 32.0;
    let expected = flops / report["ms_per_step"].as_f64().unwrap() / 1e6;
    let gflops = report["gflops"].as_f64().unwrap();
    assert!((gflops / expected - 1.0).abs() < 1e-9, "{gflops} ≠ {expected}");
    let threads = ["bench", "train", "--shape", shape, "--steps", "1", "--threads", "3"];
    assert_eq!(run(&[&threads[..], &["--json", "--quiet"]].concat()).json()["threads"], 3);
    let plain = run(&["bench", "train", "--shape", shape, "--steps", "1", "--quiet"]).ok();
    assert!(plain.contains("GFLOP/s") && plain.contains("backward"), "{plain}");
}

#[test]
fn what_cannot_be_timed_says_why() {
    run(&["bench", "train", "--precision", "f16"]).fails(2, &["bf16"]);
    run(&["bench", "train", "--shape", "8x256"]).fails(2, &["8x256,6x6x384,4096"]);
    run(&["bench", "train", "--shape", "8x16,1x3x32,64"]).fails(2, &["a divisor of n_embd"]);
    run(&["bench", "train", "--steps", "0"]).fails(2, &["--steps"]);
    run(&["bench", "generate", "--shape", "8x256,6x6x384,4096"]).fails(2, &["a batch of 1"]);
    let long = ["bench", "generate", "--shape", "1x16,1x2x16,32", "--prompt-tokens", "20"];
    run(&long).fails(2, &["new tokens"]);
}

#[test]
fn formats_of_fewer_bits_are_timed() {
    let train = ["bench", "train", "--shape", "2x16,2x2x32,64", "--steps", "2"];
    let format = ["--precision", "bf16", "--json", "--quiet"];
    assert_eq!(run(&[&train[..], &format].concat()).json()["precision"], "bf16");
    let shape = ["bench", "generate", "--shape", "1x32,2x2x32,64", "--rounds", "1"];
    let bytes = |format: &str| {
        let report = run(&[&shape[..], &["--weights", format, "--json", "--quiet"]].concat());
        report.json()["bytes_per_token"].as_f64().unwrap()
    };
    assert!(bytes("int8") < 0.5 * bytes("f32"));
}

#[test]
fn generation_is_timed_for_a_shape_and_for_a_model() {
    for source in [["--shape", "1x32,2x2x32,64"], ["--model", text(tiny_run())]] {
        let bench = ["bench", "generate", "--rounds", "2", "--json", "--quiet"];
        let report = run(&[&bench[..], &source].concat()).json();
        positive(
            &report,
            &["prefill_tokens_per_second", "decode_tokens_per_second", "ms_per_token"],
        );
        positive(&report, &["bandwidth_fraction", "prefill_peak_fraction", "bytes_per_token"]);
    }
}

#[test]
fn tokenizers_are_timed_trained_or_given() {
    let bench = ["bench", "tokenizer", "--bytes", "20000", "--json", "--quiet"];
    let trained = run(&[&bench[..], &["--vocab-size", "400"]].concat()).json();
    assert_eq!(trained["vocab_size"], 400);
    positive(
        &trained,
        &[
            "train_mb_per_second",
            "encode_mb_per_second",
            "encode_parallel_mb_per_second",
            "encode_offsets_mb_per_second",
            "decode_mb_per_second",
            "bytes_per_token",
        ],
    );
    let given = run(&[&bench[..], &["--tokenizer", text(tiny_run())]].concat()).json();
    assert_eq!(given["train_mb_per_second"], Value::Null);
    assert_eq!(given["vocab_size"], 512);
}
