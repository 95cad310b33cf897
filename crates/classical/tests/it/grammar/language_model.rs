//! Grammars behind the seam of all language models.

use std::ops::ControlFlow;

use wuji_classical::grammar::{GrammarError, GrammarModel};
use wuji_protocol::{
    FinishReason, GenerateOptions, GenerateRequest, LoglikelihoodRequest, Message, TextModel,
    TextModelError,
};

use super::{assert_close, grammar};

fn words() -> GrammarModel {
    let text =
        "S -> NP VP\nNP -> 'dogs' [0.6] | 'cats' [0.4]\nVP -> 'sleep' [0.7] | 'chase' NP [0.3]";
    GrammarModel::words(grammar(text)).unwrap()
}

#[test]
fn continuations_are_scored_after_their_context() {
    let model = words();
    let requests = [
        ("dogs ", "sleep"),
        ("dogs", " chase cats"),
        ("", "cats"),
        ("do", "gs"),
        ("dogs", " bark"),
    ];
    let requests =
        requests.map(|(context, continuation)| LoglikelihoodRequest::new(context, continuation));
    let scores = model.loglikelihood(&requests).unwrap();
    let found: Vec<f64> = scores.iter().map(|score| score.log_prob.exp()).collect();
    [0.7, 0.3 * 0.4, 0.4, 0.6, 0.0]
        .iter()
        .zip(found)
        .for_each(|(expected, found)| assert_close(found, *expected));
    let greedy: Vec<bool> = scores.iter().map(|score| score.is_greedy).collect();
    assert_eq!(greedy, [true, false, false, true, false]);
    assert_eq!((scores[1].tokens, scores[1].bytes), (2, " chase cats".len()));
}

#[test]
fn a_whole_text_is_scored_with_its_end() {
    let scores = words().loglikelihood_rolling(&["dogs chase cats", "dogs"]).unwrap();
    assert_close(scores[0].log_prob.exp(), 0.6 * 0.3 * 0.4);
    assert_eq!((scores[0].tokens, scores[0].bytes), (4, 15));
    assert_eq!(scores[1].log_prob, f64::NEG_INFINITY);
}

#[test]
fn texts_are_continued_to_their_end() {
    let model = words();
    let greedy = model
        .complete(&GenerateRequest::new("cats").with_options(GenerateOptions::greedy()))
        .unwrap();
    assert_eq!((greedy.text.as_str(), greedy.finish_reason), (" sleep", FinishReason::EndOfText));
    assert_eq!((greedy.usage.prompt_tokens, greedy.usage.completion_tokens), (1, 2));
    for seed in 0..20 {
        let options = GenerateOptions { seed, ..GenerateOptions::default() };
        let response = model.complete(&GenerateRequest::new("").with_options(options)).unwrap();
        assert!(
            model.loglikelihood_rolling(&[&response.text]).unwrap()[0].log_prob > f64::NEG_INFINITY
        );
    }
    let options =
        GenerateOptions { top_k: Some(1), max_new_tokens: 1, ..GenerateOptions::default() };
    let cut = model.complete(&GenerateRequest::new("").with_options(options)).unwrap();
    assert_eq!((cut.text.as_str(), cut.finish_reason), ("dogs", FinishReason::Length));
}

#[test]
fn samples_have_the_probabilities_of_the_grammar() {
    let model = words();
    let draw = |options: GenerateOptions| {
        let texts = (0..4_000).map(|seed| {
            let options = GenerateOptions { seed, ..options.clone() };
            model.complete(&GenerateRequest::new("").with_options(options)).unwrap().text
        });
        texts.filter(|text| text == "dogs sleep").count() as f64 / 4_000.0
    };
    let plain = draw(GenerateOptions::default());
    assert!((plain - 0.42).abs() < 0.03, "{plain}");
    let flat = draw(GenerateOptions { temperature: 1e6, ..GenerateOptions::default() });
    assert!((flat - 0.25).abs() < 0.03, "{flat}");
    for certain in [
        GenerateOptions { top_p: Some(0.5), ..GenerateOptions::default() },
        GenerateOptions { min_p: Some(0.9), ..GenerateOptions::default() },
    ] {
        assert_eq!(draw(certain), 1.0);
    }
}

#[test]
fn chinese_is_a_text_of_characters() {
    // 中国 is one word or two: the probability of the text is that of both.
    let text = "S -> W S [0.5] | W [0.5]\nW -> '中国' [0.5] | '中' [0.25] | '国' [0.25]";
    let model = GrammarModel::characters(grammar(text));
    let scores = model.loglikelihood_rolling(&["中国"]).unwrap();
    assert_close(scores[0].log_prob.exp(), 0.5 * 0.5 + 0.25 * 0.25 * 0.25);
    assert_eq!((scores[0].tokens, scores[0].bytes), (3, 6));
    let mut pieces = Vec::new();
    let options =
        GenerateOptions { max_new_tokens: 3, min_new_tokens: 3, ..GenerateOptions::greedy() };
    let request = GenerateRequest::new("中").with_options(options);
    let response = model
        .generate(&request, &mut |piece| {
            pieces.push(piece.to_owned());
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(response.text, "国中国");
    assert_eq!(pieces, ["国", "中", "国"]);
}

#[test]
fn stop_strings_and_the_sink_end_a_text() {
    let model = words();
    let options = GenerateOptions { stop: vec!["lee".to_owned()], ..GenerateOptions::greedy() };
    let stopped = model.complete(&GenerateRequest::new("").with_options(options)).unwrap();
    assert_eq!(
        (stopped.text.as_str(), stopped.finish_reason),
        ("dogs s", FinishReason::StopString)
    );
    let cancelled =
        model.generate(&GenerateRequest::new(""), &mut |_| ControlFlow::Break(())).unwrap();
    assert_eq!(cancelled.finish_reason, FinishReason::Cancelled);
    assert!(["dogs", "cats"].contains(&cancelled.text.as_str()));
}

#[test]
fn what_a_grammar_cannot_do_is_an_error() {
    let model = words();
    let error = model.complete(&GenerateRequest::new("birds")).unwrap_err().to_string();
    assert!(error.contains("no sentence of the grammar begins with \"birds\""), "{error}");
    let chat = GenerateRequest::new(vec![Message::user("dogs")]);
    assert!(matches!(model.complete(&chat), Err(TextModelError::Unsupported { .. })));
    let options = GenerateOptions {
        typical_p: Some(0.5),
        num_beams: 2,
        temperature: 0.0,
        ..GenerateOptions::default()
    };
    let error =
        model.complete(&GenerateRequest::new("").with_options(options)).unwrap_err().to_string();
    assert!(error.contains("typical_p") && error.contains("num_beams"), "{error}");
    let nothing = [LoglikelihoodRequest::new("dogs", " ")];
    assert!(model.loglikelihood(&nothing).unwrap_err().to_string().contains("has no words"));
    assert!(model.loglikelihood_rolling(&["x", ""]).unwrap_err().to_string().contains("request 1"));
    let spaced = GrammarModel::words(grammar("S -> 'New York'")).unwrap_err();
    assert_eq!(spaced, GrammarError::Space { terminal: "New York".to_owned() });
}
