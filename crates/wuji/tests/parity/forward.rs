//! `forward_file` on every reference model: the reference file is the input file, too.

use std::collections::BTreeSet;
use std::path::Path;

use wuji::device::DeviceSpec;
use wuji::forward::forward_file;
use wuji::model::AnyModel;
use wuji::model::weights::TensorFiles;

use crate::support::{max_error, shared};
use crate::table::{Row, write};

const TOLERANCE: f32 = 1e-4;
const LOSS_RELATIVE: f64 = 1e-5;

/// Cases by their kind, with what must at least be compared of each.
const CASES: [(&[&str], &[&str]); 11] = [
    (
        &[
            "gpt2",
            "gpt2-options",
            "gpt-neox",
            "llama-gqa",
            "llama-tied-legacy",
            "llama-linear-rope",
            "llama3-rope",
            "llama-yarn-rope",
            "mistral",
            "qwen2",
            "qwen3",
            "glm",
            "glm4",
        ],
        &["logits", "hidden.0", "hidden.1", "hidden.2", "loss", "pad.logits"],
    ),
    // Its file holds no labels.
    (&["llama-bf16-sharded"], &["logits"]),
    (
        &["mixtral", "qwen2-moe", "qwen3-moe"],
        &[
            "logits",
            "hidden.2",
            "loss",
            "pad.logits",
            "router_logits.0",
            "router_logits.1",
            "aux_loss",
        ],
    ),
    (
        &["glm-original", "glm-original-gmask"],
        &["logits", "hidden.0", "hidden.1", "hidden.2", "hidden.final", "loss", "token_loss"],
    ),
    (
        &["bert-pretraining"],
        &[
            "prediction_logits",
            "seq_relationship_logits",
            "pooled",
            "hidden.2",
            "mlm_loss",
            "nsp_loss",
            "loss",
        ],
    ),
    (&["bert-qa"], &["start_logits", "end_logits", "loss"]),
    (&["bert-seqcls", "bert-regression", "bert-tokencls"], &["logits", "loss"]),
    (&["distilbert-mlm"], &["logits", "loss"]),
    (&["roberta-mlm"], &["logits", "last_hidden", "loss"]),
    (
        &["t5-v1.0", "t5-v1.1"],
        &[
            "encoder_hidden",
            "encoder_hidden.0",
            "encoder_hidden.1",
            "decoder_hidden",
            "logits",
            "loss",
        ],
    ),
    (&["../pipelines/text-classification"], &["logits", "mean_pooled", "cls"]),
];

/// Runs the case and compares what it gives with what the reference gave.
fn compare(name: &str, case: &Path) -> Row {
    let device = DeviceSpec::default().open().unwrap();
    let model = AnyModel::from_dir(case, &device).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let outputs = dir.path().join("out.safetensors");
    let reference = case.join("expected.safetensors");
    forward_file(&model, &reference, &outputs, &device).unwrap();
    let expected = TensorFiles::open(&reference).unwrap();
    let found = TensorFiles::open(&outputs).unwrap();
    let mut row = Row {
        case: name.trim_start_matches("../").to_string(),
        model_type: model.config().model_type().to_string(),
        outputs: Vec::new(),
        max_abs_error: 0.0,
        max_loss_error: None,
    };
    for output in found.names() {
        let key = format!("out.{output}");
        if expected.shape(&key).is_some() {
            row.add(output, &found, &expected);
        }
    }
    row
}

impl Row {
    fn add(&mut self, output: &str, found: &TensorFiles, expected: &TensorFiles) {
        let key = format!("out.{output}");
        let what = format!("{} {output}", self.case);
        assert_eq!(found.shape(output), expected.shape(&key), "{what}");
        let (a, b) = (found.read_f32(output).unwrap(), expected.read_f32(&key).unwrap());
        let error = max_error(&a, &b);
        if output.ends_with("loss") && b.len() == 1 {
            let relative = f64::from(error) / f64::from(b[0].abs());
            assert!(relative <= LOSS_RELATIVE, "{what}: relative error {relative}");
            self.max_loss_error =
                Some(self.max_loss_error.map_or(relative, |max| max.max(relative)));
        } else {
            assert!(error <= TOLERANCE, "{what}: max abs error {error}");
            self.max_abs_error = self.max_abs_error.max(error);
        }
        self.outputs.push(output.to_string());
    }
}

#[test]
fn golden_outputs_of_every_family_agree() {
    let Some(models) = shared("golden/models") else { return };
    let mut rows = Vec::new();
    for (cases, main) in CASES {
        for case in cases {
            let row = compare(case, &models.join(case));
            for output in main {
                let compared = row.outputs.iter().any(|found| found == output);
                assert!(compared, "{case}: {output} was not compared");
            }
            rows.push(row);
        }
    }
    write(&rows);
}

#[test]
fn golden_cases_are_all_compared_but_those_of_images_and_sound() {
    let Some(models) = shared("golden/models") else { return };
    let others = ["clip", "vit", "whisper", "whisper-logmel"];
    let compared: BTreeSet<&str> =
        CASES.iter().flat_map(|(cases, _)| cases.iter().copied()).collect();
    for entry in std::fs::read_dir(models).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let is_known = compared.contains(name.as_str()) || others.contains(&name.as_str());
        assert!(is_known, "{name} is neither compared nor left out by name");
    }
}
