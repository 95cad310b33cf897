//! Real weights: llama2.c's story models, whose greedy text is documented.

use std::path::Path;

use serde_json::Value;
use wuji_inference::{Engine, LogitsModel};
use wuji_model::weights::{FileTensor, StoredDtype, read_llama2c, save_tensors};
use wuji_model::{CausalLm, ModelConfig};
use wuji_protocol::{FinishReason, GenerateOptions, GenerateRequest, TextModel};
use wuji_tokenizer::Tokenizer;

use crate::support::{flex, greedy, shared};

/// A Hugging Face directory made of a llama2.c checkpoint and its tokenizer.
fn convert(checkpoint: &Path, tokenizer: &Path, target: &Path) {
    let (config, tensors): (_, Vec<FileTensor>) = read_llama2c(checkpoint).unwrap();
    ModelConfig::Llama(config).save(target).unwrap();
    save_tensors(target, &tensors, StoredDtype::F32, usize::MAX).unwrap();
    Tokenizer::load(tokenizer).unwrap().save(target).unwrap();
}

fn check(name: &str, checkpoint: &str) {
    let Some(source) = shared(&format!("data/models/{name}")) else { return };
    let reference = std::fs::read_to_string(source.join("reference.json")).unwrap();
    let reference: Value = serde_json::from_str(&reference).unwrap();
    let target = tempfile::tempdir().unwrap();
    convert(&source.join(checkpoint), &source.join("tok512.bin"), target.path());
    let engine = Engine::load(target.path(), &flex()).unwrap();
    check_logits(engine.model(), &reference);
    check_text(&engine, &reference);
}

fn check_logits(model: &CausalLm, reference: &Value) {
    let ids: Vec<u32> = numbers(&reference["greedy_ids"]).map(|id| id as u32).collect();
    let bos = reference["bos_id"].as_u64().unwrap() as u32;
    assert_eq!(greedy(model, &[bos], ids.len(), &[]).unwrap(), ids);
    let inputs = [bos, ids[0], ids[1]];
    let found = LogitsModel::logits(model, &inputs).unwrap();
    let rows = reference["logits_first_3_positions"].as_array().unwrap();
    let expected: Vec<f64> = rows.iter().flat_map(numbers).collect();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((f64::from(*found) - expected).abs() <= 1e-4, "{found}, expected {expected}");
    }
}

fn check_text(engine: &Engine, reference: &Value) {
    let expected = reference["greedy_text"].as_str().unwrap();
    let max_new_tokens = reference["greedy_ids"].as_array().unwrap().len();
    let options = GenerateOptions { max_new_tokens, ..GenerateOptions::greedy() };
    let response =
        engine.complete(&GenerateRequest::new("").with_options(options.clone())).unwrap();
    assert_eq!(response.text, expected);
    assert_eq!(response.finish_reason, FinishReason::Length);
    assert_eq!(response.usage.prompt_tokens, 1);

    // The same text goes on from its own beginning, with the spaces where they were.
    let request = GenerateRequest::new("Once upon a time").with_options(options);
    let continued = engine.complete(&request).unwrap().text;
    match expected.strip_prefix("Once upon a time") {
        Some(rest) => assert!(continued.starts_with(rest), "{continued:?}"),
        None => assert!(!continued.is_empty()),
    }
}

fn numbers(value: &Value) -> impl Iterator<Item = f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap())
}

#[test]
fn stories260k_tells_its_documented_story() {
    check("stories260k", "stories260K.bin");
}

#[test]
fn aidreams260k_tells_its_documented_story() {
    check("aidreams260k", "aidreams260K.bin");
}
