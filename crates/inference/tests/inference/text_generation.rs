//! A model directory from text to text against the pipeline of `transformers`.

use serde_json::Value;
use wuji_inference::Engine;
use wuji_protocol::{GenerateOptions, GenerateRequest, LoglikelihoodRequest, TextModel};

use crate::support::{flex, shared};

fn load() -> Option<(Engine, Value)> {
    let case = shared("golden/pipelines/text-generation")?;
    let expected = std::fs::read_to_string(case.join("expected.json")).unwrap();
    Some((Engine::load(&case, &flex()).unwrap(), serde_json::from_str(&expected).unwrap()))
}

#[test]
fn golden_completions_are_those_of_transformers() {
    let Some((engine, expected)) = load() else { return };
    let options = GenerateOptions { max_new_tokens: 20, ..GenerateOptions::greedy() };
    let prompts = expected["prompts"].as_array().unwrap();
    for (prompt, completion) in prompts.iter().zip(expected["completions"].as_array().unwrap()) {
        let request = GenerateRequest::new(prompt.as_str().unwrap()).with_options(options.clone());
        assert_eq!(engine.complete(&request).unwrap().text, completion.as_str().unwrap());
    }
}

#[test]
fn golden_choices_have_the_log_probabilities_of_transformers() {
    let Some((engine, expected)) = load() else { return };
    let choices = &expected["choices"];
    let options = choices["options"].as_array().unwrap();
    let continuation = |option: &Value| option["continuation"].as_str().unwrap().to_owned();
    let requests: Vec<_> = options
        .iter()
        .map(|option| {
            LoglikelihoodRequest::new(choices["context"].as_str().unwrap(), continuation(option))
        })
        .collect();
    let scores = engine.loglikelihood(&requests).unwrap();
    for (option, score) in options.iter().zip(&scores) {
        let expected = option["logprob"].as_f64().unwrap();
        assert!((score.log_prob - expected).abs() <= 1e-3, "{score:?}, expected {expected}");
        assert_eq!(score.tokens as u64, option["tokens"].as_u64().unwrap());
        assert_eq!(score.is_greedy, option["greedy_match"].as_bool().unwrap());
        assert_eq!(score.bytes, continuation(option).len());
    }
    let best = |key: &dyn Fn(usize) -> f64| {
        (0..scores.len()).max_by(|&a, &b| key(a).total_cmp(&key(b))).unwrap() as u64
    };
    assert_eq!(best(&|at| scores[at].log_prob), choices["best_by_logprob"].as_u64().unwrap());
    let per_byte = |at: usize| scores[at].log_prob / scores[at].bytes as f64;
    assert_eq!(best(&per_byte), choices["best_by_logprob_per_byte"].as_u64().unwrap());
}
