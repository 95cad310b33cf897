//! An n-gram model behind the seam of evaluation: strings in, strings and log-probabilities out.

use std::ops::ControlFlow;

use wuji_classical::{
    Boundaries, ByteCodec, CharacterCodec, KneserNey, KneserNeyConfig, NgramTextModel, TextCodec,
};
use wuji_protocol::{
    FinishReason, GenerateOptions, GenerateRequest, GenerateResponse, LoglikelihoodRequest,
    Message, TextModel, TextModelError,
};

fn bytes(text: &str) -> Vec<u32> {
    text.bytes().map(u32::from).collect()
}

fn byte_model(order: usize, text: &str) -> NgramTextModel<ByteCodec> {
    let config = KneserNeyConfig::new(order, 256);
    NgramTextModel::new(KneserNey::train(config, [&bytes(text)[..]]).unwrap(), ByteCodec)
}

/// Characters, an end of document behind them, and a start behind that.
fn sentence_model(sentences: &[&str]) -> NgramTextModel<CharacterCodec> {
    let codec = CharacterCodec::of(&sentences.concat());
    let characters = codec.characters().len() as u32;
    let boundaries = Boundaries::Sentences { bos: characters + 1, eos: Some(characters) };
    let config = KneserNeyConfig::new(4, characters as usize + 1).with_boundaries(boundaries);
    let documents: Vec<Vec<u32>> = sentences.iter().map(|s| codec.encode(s).unwrap()).collect();
    let model = KneserNey::train(config, documents.iter().map(Vec::as_slice)).unwrap();
    NgramTextModel::new(model, codec)
}

fn complete<C: TextCodec>(
    model: &NgramTextModel<C>,
    prompt: &str,
    options: GenerateOptions,
) -> GenerateResponse {
    model.complete(&GenerateRequest::new(prompt).with_options(options)).unwrap()
}

const TEXT: &str = "the cat sat on the mat. the dog sat on the log. the cat saw the dog. ";

#[test]
fn likelihoods_are_sums_of_the_models_log_probabilities() {
    let model = byte_model(4, TEXT);
    let requests = [
        LoglikelihoodRequest::new("the cat", " sat"),
        LoglikelihoodRequest::new("", "the"),
        LoglikelihoodRequest::new("the dog ", "sat"),
    ];
    let found = model.loglikelihood(&requests).unwrap();
    // White space at the end of a context is scored with the continuation.
    for (found, (context, scored)) in
        found.iter().zip([("the cat", " sat"), ("", "the"), ("the dog", " sat")])
    {
        let mut context = bytes(context);
        let mut expected = 0.0;
        for id in bytes(scored) {
            expected += model.model().log_prob(&context, id);
            context.push(id);
        }
        assert!((found.log_prob - expected).abs() < 1e-12);
        assert_eq!(found.tokens, scored.len());
    }
    assert_eq!(found.iter().map(|found| found.bytes).collect::<Vec<_>>(), [4, 3, 3]);
}

#[test]
fn a_whole_text_costs_what_the_model_scores_it() {
    let model = byte_model(5, TEXT);
    let texts = ["the dog sat on the mat. ", "無極"];
    let found = model.loglikelihood_rolling(&texts).unwrap();
    for (found, text) in found.iter().zip(texts) {
        let score = model.model().score(&bytes(text));
        assert!((found.log_prob + score.nats).abs() < 1e-9);
        assert_eq!((found.tokens, found.bytes), (text.len(), text.len()));
    }
}

#[test]
fn what_greedy_decoding_would_say_is_greedy() {
    let model = byte_model(6, TEXT);
    let options = GenerateOptions { max_new_tokens: 9, ..GenerateOptions::greedy() };
    let said = complete(&model, "the cat", options).text;
    let ask = |continuation: &str| {
        model.loglikelihood(&[LoglikelihoodRequest::new("the cat", continuation)]).unwrap()[0]
    };
    assert!(ask(&said).is_greedy);
    assert!(!ask(&format!("{said}#")).is_greedy);
    assert!(!ask("xyz").is_greedy);
}

#[test]
fn documents_start_and_end() {
    let model = sentence_model(&["ab", "ab", "ba"]);
    let greedy = complete(&model, "", GenerateOptions::greedy());
    assert_eq!((greedy.text.as_str(), greedy.finish_reason), ("ab", FinishReason::EndOfText));
    assert_eq!((greedy.usage.prompt_tokens, greedy.usage.completion_tokens), (0, 3));
    let options =
        GenerateOptions { min_new_tokens: 5, max_new_tokens: 5, ..GenerateOptions::greedy() };
    let longer = complete(&model, "", options);
    assert_eq!((longer.text.len(), longer.finish_reason), (5, FinishReason::Length));
    // The start of a document is known, its end not scored.
    let found = model.loglikelihood_rolling(&["ab"]).unwrap()[0];
    let expected: f64 = model.model().document_log_probs(&[0, 1])[..2].iter().sum();
    assert!((found.log_prob - expected).abs() < 1e-12);
    assert!(found.is_greedy);
}

#[test]
fn characters_are_streamed_whole() {
    let model = byte_model(8, &"天地玄黃，宇宙洪荒。".repeat(20));
    let mut pieces = Vec::new();
    let options = GenerateOptions { max_new_tokens: 40, ..GenerateOptions::greedy() };
    let request = GenerateRequest::new("天地").with_options(options);
    let response = model
        .generate(&request, &mut |piece| {
            pieces.push(piece.to_owned());
            ControlFlow::Continue(())
        })
        .unwrap();
    assert!(pieces.iter().take(13).all(|piece| piece.chars().count() == 1), "{pieces:?}");
    assert_eq!(pieces.concat(), response.text);
    assert!(response.text.starts_with("玄黃，宇宙洪荒。天地玄黃，"), "{}", response.text);
    // 40 bytes are 13 characters and the first byte of another.
    assert_eq!(response.text.chars().filter(|&c| c == '\u{FFFD}').count(), 1);
    assert_eq!(response.usage.completion_tokens, 40);
}

#[test]
fn stop_strings_seeds_and_readers_are_obeyed() {
    let model = byte_model(5, TEXT);
    let options = |seed| GenerateOptions { max_new_tokens: 60, seed, ..GenerateOptions::default() };
    assert_eq!(complete(&model, "the", options(1)), complete(&model, "the", options(1)));
    assert_ne!(complete(&model, "the", options(1)), complete(&model, "the", options(2)));
    let stopped = GenerateOptions { stop: vec!["sa".into(), "mat".into()], ..options(3) };
    let stopped = complete(&model, "the ", stopped);
    assert_eq!(stopped.finish_reason, FinishReason::StopString);
    assert!(!stopped.text.contains("sa") && !stopped.text.contains("mat"));
    let request = GenerateRequest::new("the").with_options(options(1));
    let cancelled = model.generate(&request, &mut |_| ControlFlow::Break(())).unwrap();
    assert_eq!(cancelled.finish_reason, FinishReason::Cancelled);
    assert_eq!(cancelled.usage.completion_tokens, 1);
}

#[test]
fn one_candidate_is_greedy() {
    // No two continuations are equally likely.
    let text = ["the cat sat. ", "the cat ran. ", "the dog sat. ", "the cat sat. "].concat();
    let model = byte_model(6, &text.repeat(3));
    let sample = |options: GenerateOptions| {
        complete(&model, "the ", GenerateOptions { max_new_tokens: 100, seed: 5, ..options }).text
    };
    let greedy = sample(GenerateOptions::greedy());
    let one = [
        GenerateOptions { top_k: Some(1), ..GenerateOptions::default() },
        GenerateOptions { top_p: Some(1e-6), ..GenerateOptions::default() },
        GenerateOptions { min_p: Some(1.0), ..GenerateOptions::default() },
        GenerateOptions { temperature: 0.01, ..GenerateOptions::default() },
    ];
    for options in one {
        assert_eq!(sample(options), greedy);
    }
    assert_ne!(sample(GenerateOptions::default()), greedy);
}

#[test]
fn what_cannot_be_served_is_a_clear_error() {
    let model = sentence_model(&["ab", "ba"]);
    let generate = |options| {
        model.complete(&GenerateRequest::new("a").with_options(options)).unwrap_err().to_string()
    };
    let options = GenerateOptions {
        typical_p: Some(0.5),
        repetition_penalty: 1.5,
        bad_words: vec!["b".into()],
        ..GenerateOptions::default()
    };
    assert_eq!(
        generate(options),
        "invalid generation options: \
         typical_p is 0.5, expected no value: n-gram models do not support it; \
         repetition_penalty is 1.5, expected no value: n-gram models do not support it; \
         bad_words is [\"b\"], expected no value: n-gram models do not support it"
    );
    let error = generate(GenerateOptions { temperature: -1.0, ..GenerateOptions::default() });
    assert!(error.contains("temperature is -1"), "{error}");
    let chat = model.complete(&GenerateRequest::new(vec![Message::user("a")])).unwrap_err();
    assert!(matches!(chat, TextModelError::Unsupported { .. }));
    let unknown = model.complete(&GenerateRequest::new("axb")).unwrap_err().to_string();
    assert_eq!(unknown, "request 0: character 'x' at byte 1 is none of the 2 that the model knows");
    let requests = [LoglikelihoodRequest::new("a", "b"), LoglikelihoodRequest::new("a", "")];
    let empty = model.loglikelihood(&requests).unwrap_err().to_string();
    assert_eq!(empty, "request 1: the continuation is empty");
    let nothing = model.loglikelihood_rolling(&["a", ""]).unwrap_err().to_string();
    assert_eq!(nothing, "request 1: the text has no tokens to score");
}
