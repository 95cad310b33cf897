//! From text to text through an encoder–decoder.

use wuji_inference::{
    BatchLimits, ConditionalModel, Conditioned, InferenceError, LogitsModel, TargetTokens,
    Translator, TranslatorOptions,
};
use wuji_protocol::{
    FinishReason, GenerateOptions, GenerateRequest, LoglikelihoodRequest, TextModel, TextModelError,
};

use crate::support::flex;
use crate::tiny;

const TEXTS: [&str; 6] = ["the cat", "a", "where is it?", "no", "the dog sleeps", ""];

fn translator<M: ConditionalModel>(model: M) -> Translator<M> {
    let tokens = TargetTokens { start: 0, end: vec![1], suppressed: vec![0] };
    Translator::shared(model, tiny::tokenizer(), tokens)
}

fn options(num_beams: usize, max_sequences: usize) -> TranslatorOptions {
    TranslatorOptions {
        num_beams,
        max_new_tokens: 12,
        max_length_ratio: 1.5,
        batch_limits: BatchLimits { max_sequences, max_tokens: 1000 },
        ..TranslatorOptions::default()
    }
}

/// What must hold of a translator over any model.
fn check<M: ConditionalModel>(name: &str, model: M) {
    let translator = translator(model);
    let together = translator.translate(&TEXTS, &options(3, 4)).unwrap();
    let alone = translator.translate(&TEXTS, &options(3, 1)).unwrap();
    assert_eq!(together.len(), TEXTS.len());
    for ((text, one), other) in TEXTS.iter().zip(&alone).zip(&together) {
        assert_eq!(one.text, other.text, "{name}: {text:?} in a batch");
        assert!((one.score - other.score).abs() < 1e-4, "{name}");
        let source = text.len() + 1; // the end of the text
        assert!(one.ids.len() <= (source * 3).div_ceil(2).min(12), "{name}: {one:?}");
        assert!(!one.ids.contains(&0), "{name}: padding is suppressed");
    }
    one_beam_is_greedy_generation(name, &translator);
}

fn one_beam_is_greedy_generation<M: ConditionalModel>(name: &str, translator: &Translator<M>) {
    let one = TranslatorOptions { max_length_ratio: 100.0, ..options(1, 4) };
    for (text, found) in TEXTS.iter().zip(translator.translate(&TEXTS, &one).unwrap()) {
        let greedy = GenerateOptions { max_new_tokens: 12, ..GenerateOptions::greedy() };
        let request = GenerateRequest::new(*text).with_options(greedy);
        let response = translator.complete(&request).unwrap();
        assert_eq!(response.text, found.text, "{name}: {text:?}");
        assert_eq!(response.usage.prompt_tokens, text.len() + 1);
        let ended = found.ids.len() + 1 == response.usage.completion_tokens;
        assert_eq!(ended, response.finish_reason == FinishReason::EndOfText, "{name}");
    }
}

#[test]
fn transformers_translate_a_batch_as_each_text_alone_and_one_beam_is_greedy() {
    for (name, model) in tiny::seq2seq_models(&flex()) {
        check(name, model);
    }
}

#[test]
fn recurrent_models_translate_a_batch_as_each_text_alone_and_one_beam_is_greedy() {
    for (name, model) in tiny::recurrent_seq2seq_models(&flex()) {
        check(name, model);
    }
}

/// The attention map has the tokens of both sides, and each of the target reads all of the source.
fn each_token_read_the_source<M: ConditionalModel>(name: &str, model: M) {
    let translator = translator(model);
    let found = translator.translate(&["the cat", "no"], &options(2, 4)).unwrap();
    for (text, found) in ["the cat", "no"].iter().zip(found) {
        let map = translator.attention_map(text, &found.ids).unwrap();
        let mut source: Vec<String> = text.chars().map(String::from).collect();
        source.push("</s>".to_owned());
        assert_eq!(map.source, source, "{name}");
        let shown = map.target.iter().filter(|token| token.chars().count() == 1);
        assert_eq!(shown.cloned().collect::<String>(), found.text, "{name}");
        assert_eq!(map.weights.len(), found.ids.len(), "{name}");
        for row in &map.weights {
            assert_eq!(row.len(), source.len(), "{name}");
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-4, "{name}: {row:?}");
        }
    }
}

#[test]
fn a_model_says_what_each_token_read() {
    for (name, model) in tiny::recurrent_seq2seq_models(&flex()) {
        each_token_read_the_source(name, model);
    }
    for (name, model) in tiny::seq2seq_models(&flex()) {
        each_token_read_the_source(name, model);
    }
}

#[test]
fn a_continuation_is_scored_as_the_target_of_its_context() {
    let (_, model) = tiny::seq2seq_models(&flex()).into_iter().next().unwrap();
    let tokenizer = tiny::tokenizer();
    let [a, b, c, t] = ["a", "b", "c", "t"].map(|token| tokenizer.token_to_id(token).unwrap());
    let conditioned = Conditioned::new(&model, &[t, a, 1]).unwrap(); // "ta" and its end
    let logits = conditioned.logits(&[0, b]).unwrap();
    let log_prob = |row: &[f32], id: u32| {
        f64::from(row[id as usize]) - wuji_inference::sampling::log_sum_exp(row)
    };
    let expected = log_prob(&logits[..tiny::VOCAB], b) + log_prob(&logits[tiny::VOCAB..], c);
    let scored = translator(model).loglikelihood(&[LoglikelihoodRequest::new("ta", "bc")]).unwrap();
    assert!((scored[0].log_prob - expected).abs() < 1e-4, "{scored:?}, expected {expected}");
    assert_eq!((scored[0].tokens, scored[0].bytes), (2, 2));
}

#[test]
fn what_cannot_be_translated_is_said() {
    let (_, model) = tiny::seq2seq_models(&flex()).into_iter().nth(1).unwrap();
    let translator = translator(model);
    let long = "a".repeat(64);
    let error = translator.translate(&[&long], &options(2, 4)).unwrap_err();
    assert!(matches!(error, InferenceError::PromptTooLong { tokens: 65, .. }), "{error}");
    let error = translator.translate(&["Ω"], &options(2, 4)).unwrap_err();
    assert!(matches!(error, InferenceError::Tokenizer(_)), "{error}");
    let error = translator.loglikelihood_rolling(&["a"]).unwrap_err();
    assert!(matches!(error, TextModelError::Unsupported { .. }), "{error}");
    let bare = translator.with_source_end(None);
    let error = bare.translate(&[""], &options(2, 4)).unwrap_err();
    assert!(matches!(error, InferenceError::EmptySource), "{error}");
    assert!(bare.translate::<&str>(&[], &options(2, 4)).unwrap().is_empty());
}
