//! A conversation by rules.

use std::ops::ControlFlow;

use wuji_classical::rules::RuleChat;
use wuji_protocol::{
    FinishReason, GenerateOptions, GenerateRequest, LoglikelihoodRequest, Message, TextModel,
    TextModelError,
};

#[track_caller]
fn answer(said: &[&str]) -> String {
    let mut messages = vec![Message::system("listen")];
    for text in said {
        messages.extend([Message::user(*text), Message::assistant("…")]);
    }
    RuleChat::listener().complete(&GenerateRequest::new(messages)).unwrap().text
}

#[test]
fn the_listener_asks_back() {
    for (said, expected) in [
        (&[][..], "Hello. What is on your mind today?"),
        (&["I'm afraid of my new boss."], "How long have you been afraid of your new boss?"),
        (&["It is raining"], "Please tell me more about that."),
        (&["It is raining", "Still raining"], "I see. And how does that make you feel?"),
        (&["I am sad", "I am very sad"], "Why do you think you are very sad?"),
        (&["I am sad", "It rains"], "Please tell me more about that."),
        // The higher priority wins over the place.
        (&["My mother said that I am lazy"], "How long have you been lazy?"),
    ] {
        assert_eq!(answer(said), expected, "{said:?}");
    }
}

#[test]
fn it_is_a_text_model() {
    let chat = RuleChat::listener();
    let mut pieces = Vec::new();
    let request = GenerateRequest::new("Hello!");
    let response = chat
        .generate(&request, &mut |piece| {
            pieces.push(piece.to_owned());
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(response.text, "Hello. How are you feeling today?");
    assert_eq!(pieces.concat(), response.text);
    assert_eq!((response.usage.prompt_tokens, response.usage.completion_tokens), (1, 6));
    let options = GenerateOptions { max_new_tokens: 2, ..GenerateOptions::default() };
    let cut = chat.complete(&request.clone().with_options(options)).unwrap();
    assert_eq!((cut.text.as_str(), cut.finish_reason), ("Hello. How ", FinishReason::Length));
    let options = GenerateOptions { stop: vec!["How".to_owned()], ..GenerateOptions::default() };
    let stopped = chat.complete(&request.with_options(options)).unwrap();
    assert_eq!(
        (stopped.text.as_str(), stopped.finish_reason),
        ("Hello. ", FinishReason::StopString)
    );
    let score = chat.loglikelihood(&[LoglikelihoodRequest::new("a", "b")]);
    assert!(matches!(score, Err(TextModelError::Unsupported { .. })));
}
