//! The engine as a [`TextModel`], over a table and a tokenizer made on the spot.

use std::ops::ControlFlow;

use wuji_inference::testing::TableModel;
use wuji_inference::{BatchLimits, Engine};
use wuji_protocol::{
    FinishReason, GenerateOptions, GenerateRequest, GenerateResponse, LoglikelihoodRequest,
    Message, TextModel, TextModelError,
};
use wuji_tokenizer::{Tokenizer, TokenizerKind, TokenizerTrainerConfig};

const EOS: &str = "<|endoftext|>";

/// One token for each character of `alphabet`, and an end-of-text token if asked for.
fn characters(alphabet: &str, eos: bool) -> Tokenizer {
    let special_tokens = if eos { vec![EOS.to_owned()] } else { Vec::new() };
    let config = TokenizerTrainerConfig {
        special_tokens,
        ..TokenizerTrainerConfig::new(TokenizerKind::Char, 300)
    };
    Tokenizer::train(&config, [alphabet.to_owned()].into_iter()).unwrap()
}

/// One token for each byte, and an end-of-text token.
fn bytes() -> Tokenizer {
    let config = TokenizerTrainerConfig::new(TokenizerKind::ByteLevelBpe, 257);
    Tokenizer::train(&config, ["無極".to_owned()].into_iter()).unwrap()
}

/// An engine that says `text` (no character twice) again and again, or once if there is an
/// end-of-text token.
fn reciting(text: &str, eos: bool, context_length: usize) -> Engine<TableModel> {
    let tokenizer = characters(text, eos);
    let id = |character: char| tokenizer.token_to_id(&character.to_string()).unwrap();
    let mut order: Vec<u32> = text.chars().map(id).collect();
    order.extend(tokenizer.eos_token_id());
    let mut next = vec![0; tokenizer.vocab_size()];
    for (at, &token) in order.iter().enumerate() {
        next[token as usize] = order[(at + 1) % order.len()];
    }
    Engine::new(TableModel::chain(&next, context_length), tokenizer)
}

fn greedy(max_new_tokens: usize, stop: &[&str]) -> GenerateOptions {
    let stop = stop.iter().map(ToString::to_string).collect();
    GenerateOptions { max_new_tokens, stop, ..GenerateOptions::greedy() }
}

/// Generates, and checks that the pieces joined are the text.
fn generate(
    engine: &impl TextModel,
    prompt: &str,
    options: GenerateOptions,
) -> (GenerateResponse, Vec<String>) {
    let mut pieces = Vec::new();
    let request = GenerateRequest::new(prompt).with_options(options);
    let response = engine
        .generate(&request, &mut |piece| {
            pieces.push(piece.to_owned());
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(pieces.concat(), response.text);
    assert!(pieces.iter().all(|piece| !piece.is_empty()));
    (response, pieces)
}

#[test]
fn text_is_streamed_up_to_the_end_of_text() {
    let (response, pieces) = generate(&reciting("abcde", true, 8), "a", greedy(9, &[]));
    assert_eq!((response.text.as_str(), response.finish_reason), ("bcde", FinishReason::EndOfText));
    assert_eq!(pieces, ["b", "c", "d", "e"]);
    assert_eq!((response.usage.prompt_tokens, response.usage.completion_tokens), (1, 5));
}

#[test]
fn an_empty_prompt_starts_after_the_end_of_text() {
    let engine = reciting("abc", true, 8);
    assert_eq!(generate(&engine, "", greedy(2, &[])).0.text, "ab");
    let error = reciting("abc", false, 8).complete(&GenerateRequest::new("")).unwrap_err();
    assert!(matches!(error, TextModelError::InvalidRequest { index: 0, .. }), "{error}");
}

#[test]
fn a_stop_string_over_several_tokens_is_never_shown() {
    let engine = reciting("abcdefgh", false, 8);
    let (response, pieces) = generate(&engine, "a", greedy(20, &["def"]));
    assert_eq!((response.text.as_str(), response.finish_reason), ("bc", FinishReason::StopString));
    assert_eq!(pieces, ["b", "c"]);
    assert_eq!(response.usage.completion_tokens, 5);
}

#[test]
fn what_looked_like_a_stop_string_is_shown_in_the_end() {
    let engine = reciting("abcdefgh", false, 8);
    let (response, pieces) = generate(&engine, "a", greedy(4, &["dex", "efg"]));
    assert_eq!((response.text.as_str(), response.finish_reason), ("bcde", FinishReason::Length));
    // "de" could still have become "dex": it is shown when nothing follows.
    assert_eq!(pieces, ["b", "c", "de"].map(String::from));
}

#[test]
fn the_sink_can_cancel() {
    let engine = reciting("abcdefgh", false, 8);
    let mut seen = String::new();
    let request = GenerateRequest::new("a").with_options(greedy(20, &[]));
    let response = engine
        .generate(&request, &mut |piece| {
            seen.push_str(piece);
            if seen.len() == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .unwrap();
    assert_eq!((response.text.as_str(), response.finish_reason), ("bcd", FinishReason::Cancelled));
    assert_eq!(seen, "bcd");
}

#[test]
fn characters_of_several_tokens_come_whole() {
    let tokenizer = bytes();
    let ids = tokenizer.encode_ids("無極!").unwrap();
    assert_eq!(ids.len(), 7, "every byte is a token");
    let mut next = vec![0; tokenizer.vocab_size()];
    for pair in ids.windows(2) {
        next[pair[0] as usize] = pair[1];
    }
    let engine = Engine::new(TableModel::chain(&next, 64), tokenizer);
    let (response, pieces) = generate(
        &engine,
        "",
        GenerateOptions { max_new_tokens: 7, bad_words: Vec::new(), ..GenerateOptions::greedy() },
    );
    // The table follows <|endoftext|> with token 0, which is itself: the text ends at once.
    assert_eq!((response.text.as_str(), pieces.len()), ("", 0));
    let (_, pieces) = generate(&engine, "極", greedy(1, &[]));
    assert_eq!(pieces, ["!"]);
}

#[test]
fn a_text_that_ends_inside_a_character_says_so() {
    let tokenizer = bytes();
    let ids = tokenizer.encode_ids("a無").unwrap();
    let mut next = vec![0; tokenizer.vocab_size()];
    for pair in ids.windows(2) {
        next[pair[0] as usize] = pair[1];
    }
    let engine = Engine::new(TableModel::chain(&next, 64), tokenizer);
    let (response, pieces) = generate(&engine, "a", greedy(2, &[]));
    assert_eq!((response.text.as_str(), pieces.len()), ("\u{FFFD}", 1));
    let (response, pieces) = generate(&engine, "a", greedy(3, &[]));
    assert_eq!((response.text.as_str(), pieces.len()), ("無", 1));
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let tokenizer = characters("abcdefghijklmnop", false);
    let engine = Engine::new(TableModel::uniform(tokenizer.vocab_size(), 16), tokenizer);
    let story = |seed| {
        let options = GenerateOptions { max_new_tokens: 30, seed, ..GenerateOptions::default() };
        generate(&engine, "a", options).0.text
    };
    assert_eq!(story(1), story(1));
    assert_ne!(story(1), story(2));
    assert_eq!(story(1).len(), 30);
}

#[test]
fn bad_words_are_not_said() {
    let tokenizer = characters("ab ", false);
    let engine = Engine::new(TableModel::uniform(tokenizer.vocab_size(), 64), tokenizer);
    let options = GenerateOptions {
        max_new_tokens: 200,
        bad_words: vec!["ab".to_owned(), "no such word".to_owned()],
        ..GenerateOptions::default()
    };
    let text = generate(&engine, "b", options).0.text;
    assert!(!text.contains("ab") && text.contains("ba"), "{text}");
}

#[test]
fn a_prompt_longer_than_the_positions_is_refused_and_a_long_answer_is_not() {
    let engine = reciting("abcdefgh", false, 6);
    let error = engine.complete(&GenerateRequest::new("abcdefg")).unwrap_err();
    let message = "request 0: the prompt has 7 tokens, but the model reads at most 6";
    assert_eq!(error.to_string(), message);
    let (response, _) = generate(&engine, "abcdef", greedy(18, &[]));
    assert_eq!(response.text, "ghabcdefghabcdefgh");
}

#[test]
fn invalid_options_and_conversations_are_refused_before_anything_is_said() {
    let engine = reciting("abc", false, 8);
    let options = GenerateOptions { top_p: Some(0.0), ..GenerateOptions::default() };
    let error = engine.complete(&GenerateRequest::new("a").with_options(options)).unwrap_err();
    assert!(matches!(error, TextModelError::InvalidOptions { .. }), "{error}");
    let error = engine.complete(&GenerateRequest::new(vec![Message::user("a")])).unwrap_err();
    assert_eq!(error.to_string(), "this model does not support conversations as prompts");
    let error = engine.complete(&GenerateRequest::new("axb")).unwrap_err();
    assert!(error.to_string().contains("'x'"), "{error}");
}

#[test]
fn a_continuation_is_scored_given_its_context_alone() {
    let engine = reciting("abcde", true, 8);
    let requests = [
        LoglikelihoodRequest::new("a", "bc"),
        LoglikelihoodRequest::new("a", "ba"),
        LoglikelihoodRequest::new("", "abcde"),
        LoglikelihoodRequest::new("cdeabcdeabcdeabcde", "a"), // far longer than the context
    ];
    let hit = 8.0 - (8.0_f64.exp() + 5.0).ln();
    let expected = [
        (2.0 * hit, true, 2),
        (2.0 * hit - 8.0, false, 2),
        (5.0 * hit, true, 5),
        (hit - 8.0, false, 1),
    ];
    for limits in [(1, 1), (4, 100), (2, 9)] {
        let limits = BatchLimits { max_sequences: limits.0, max_tokens: limits.1 };
        let engine = engine.clone().with_batch_limits(limits);
        let scores = engine.loglikelihood(&requests).unwrap();
        for (score, (log_prob, is_greedy, size)) in scores.iter().zip(expected) {
            assert!((score.log_prob - log_prob).abs() < 1e-5, "{score:?}, expected {log_prob}");
            assert_eq!((score.is_greedy, score.tokens, score.bytes), (is_greedy, size, size));
        }
    }
}

#[test]
fn requests_without_an_answer_are_named() {
    let check = |engine: &Engine<TableModel>, context: &str, continuation: &str, reason: &str| {
        let requests =
            [LoglikelihoodRequest::new("a", "b"), LoglikelihoodRequest::new(context, continuation)];
        let error = engine.loglikelihood(&requests).unwrap_err().to_string();
        assert_eq!(error, format!("request 1: {reason}"));
    };
    let engine = reciting("abc", false, 4);
    check(&engine, "a", "", "the continuation has no tokens");
    check(&engine, "", "", "the continuation has no tokens");
    check(
        &engine,
        "",
        "a",
        "nothing comes before the first token, and the tokenizer has no begin- or end-of-text token to start from",
    );
    check(&engine, "a", "bcabc", "the continuation has 5 tokens, but the model reads at most 4");
}

#[test]
fn white_space_between_context_and_continuation_belongs_to_the_continuation() {
    let engine = reciting("ab c", false, 8);
    let requests = [LoglikelihoodRequest::new("ab ", "c"), LoglikelihoodRequest::new("ab", " c")];
    let scores = engine.loglikelihood(&requests).unwrap();
    assert_eq!(scores[0].log_prob, scores[1].log_prob);
    assert_eq!((scores[0].tokens, scores[1].tokens), (2, 2));
    assert_eq!((scores[0].bytes, scores[1].bytes), (1, 2));
}

#[test]
fn a_long_text_is_scored_whole_whatever_the_windows() {
    let text = "abcde".repeat(9);
    let hit = 8.0 - (8.0_f64.exp() + 4.0).ln();
    for min_context in [1, 3, 6, 100] {
        let engine = reciting("abcde", false, 6).with_rolling_min_context(min_context);
        let scores = engine.loglikelihood_rolling(&[&text, "ab"]).unwrap();
        // Without a start token, the first token has nothing to be predicted from.
        assert_eq!((scores[0].tokens, scores[0].bytes), (44, 44));
        assert!((scores[0].log_prob - 44.0 * hit).abs() < 1e-4);
        assert_eq!((scores[1].tokens, scores[1].bytes), (1, 1));
    }
    let engine = reciting("abcde", true, 6);
    let scores = engine.loglikelihood_rolling(&["abcde", "b"]).unwrap();
    assert_eq!((scores[0].tokens, scores[0].bytes, scores[0].is_greedy), (5, 5, true));
    assert_eq!((scores[1].tokens, scores[1].bytes, scores[1].is_greedy), (1, 1, false));
}

#[test]
fn unscored_bytes_are_those_of_the_first_token() {
    let engine = reciting("極無a", false, 6);
    let score = engine.loglikelihood_rolling(&["極無a"]).unwrap()[0];
    assert_eq!((score.tokens, score.bytes), (2, 4));
}

#[test]
fn a_text_with_nothing_to_score_is_named() {
    let engine = reciting("abc", false, 6);
    for text in ["", "a"] {
        let error = engine.loglikelihood_rolling(&["ab", text]).unwrap_err();
        assert_eq!(error.to_string(), "request 1: the text has no token that can be scored");
    }
    let error = reciting("abc", true, 6).loglikelihood_rolling(&[""]).unwrap_err();
    assert_eq!(error.to_string(), "request 0: the text has no token that can be scored");
}
