//! `forward` against the reference outputs.

use std::path::Path;

use wuji::model::weights::TensorFiles;

use crate::support::{run, shared, text};

const CASES: [&str; 13] = [
    "gpt2",
    "gpt2-options",
    "llama-gqa",
    "llama-tied-legacy",
    "llama-linear-rope",
    "llama3-rope",
    "llama-yarn-rope",
    "llama-bf16-sharded",
    "qwen3",
    "mixtral",
    "glm-original",
    "bert-pretraining",
    "t5-v1.0",
];
const TOLERANCE: f32 = 1e-4;
const LOSS_RELATIVE: f32 = 1e-5;

/// Compares every output that the reference has: the reference file is the input file, too.
fn compare(case: &Path) -> usize {
    let dir = tempfile::tempdir().unwrap();
    let outputs = dir.path().join("out.safetensors");
    let reference = case.join("expected.safetensors");
    run(&[
        "forward",
        "--model",
        text(case),
        "--inputs",
        text(&reference),
        "--outputs",
        text(&outputs),
    ])
    .ok();
    let expected = TensorFiles::open(&reference).unwrap();
    let found = TensorFiles::open(&outputs).unwrap();
    let mut compared = 0;
    for name in found.names() {
        let key = format!("out.{name}");
        if expected.shape(&key).is_none() {
            continue;
        }
        let what = format!("{} {name}", case.display());
        assert_eq!(found.shape(name), expected.shape(&key), "{what}");
        let (a, b) = (found.read_f32(name).unwrap(), expected.read_f32(&key).unwrap());
        let worst = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        let allowed = if name == "loss" { LOSS_RELATIVE * b[0] } else { TOLERANCE };
        assert!(worst <= allowed, "{what}: {worst} > {allowed}");
        compared += 1;
    }
    compared
}

#[test]
fn golden_models_give_the_reference_outputs() {
    let Some(models) = shared("golden/models") else { return };
    let compared: usize = CASES.iter().map(|case| compare(&models.join(case))).sum();
    // Of most at least logits, three hidden states and loss, and one more; the sharded one has no
    // labels, hidden states or padding.
    assert!(compared > 12 * 6, "{compared} outputs compared");
}

#[test]
fn golden_inputs_that_do_not_fit_are_named() {
    let Some(models) = shared("golden/models") else { return };
    let dir = tempfile::tempdir().unwrap();
    let outputs = dir.path().join("out.safetensors");
    let forward = |model: &Path, inputs: &Path| {
        run(&[
            "forward",
            "--model",
            text(model),
            "--inputs",
            text(inputs),
            "--outputs",
            text(&outputs),
        ])
    };
    // Ids of a larger vocabulary.
    let ids = models.join("llama-gqa/expected.safetensors");
    forward(&models.join("gpt2-options"), &ids).fails(2, &["input_ids", "expected 0 to 130"]);
    let pixels = models.join("vit/expected.safetensors");
    forward(&models.join("gpt2"), &pixels).fails(2, &["is no input of this model"]);
    forward(&models.join("gpt2"), Path::new("no-such.safetensors"))
        .fails(2, &["no-such.safetensors"]);
    assert!(!outputs.exists());
}
