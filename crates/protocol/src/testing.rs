//! A model made of two functions, for tests of everything that stands on [`TextModel`].
//!
//! Its tokens are characters, so that lengths, streaming and stop strings can be worked out by hand.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::{
    FinishReason, GenerateRequest, GenerateResponse, Loglikelihood, LoglikelihoodRequest, Prompt,
    Sink, TextModel, TextModelError, Usage,
};

type Reply = Arc<dyn Fn(&Prompt) -> String + Send + Sync>;
type Score = Arc<dyn Fn(&str, &str) -> f64 + Send + Sync>;

/// A [`TextModel`] that answers by a script.
///
/// * It generates what the reply function says for a prompt, one character at a time, and honours `max_new_tokens`,
///   `stop` and the sink.
/// * It scores a continuation as the score function says, or else uniformly over the 256 bytes.
/// * A continuation is greedy when the reply to its context begins with it.
///
/// ```
/// use wuji_protocol::{LoglikelihoodRequest, TextModel, testing::ScriptedModel};
///
/// let model = ScriptedModel::fixed("yes").with_score(|_, continuation| if continuation == "yes" { -0.1 } else { -2.0 });
/// let scores = model.loglikelihood(&[LoglikelihoodRequest::new("?", "yes"), LoglikelihoodRequest::new("?", "no")])?;
/// assert!(scores[0].log_prob > scores[1].log_prob);
/// # Ok::<(), wuji_protocol::TextModelError>(())
/// ```
#[derive(Clone)]
pub struct ScriptedModel {
    reply: Reply,
    score: Score,
}

impl fmt::Debug for ScriptedModel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ScriptedModel").finish_non_exhaustive()
    }
}

impl ScriptedModel {
    /// Replies to each prompt with what `reply` says.
    pub fn new(reply: impl Fn(&Prompt) -> String + Send + Sync + 'static) -> Self {
        let uniform = |_: &str, continuation: &str| -(continuation.len() as f64) * 256.0_f64.ln();
        Self { reply: Arc::new(reply), score: Arc::new(uniform) }
    }

    /// Always replies `text`.
    pub fn fixed(text: impl Into<String>) -> Self {
        let text = text.into();
        Self::new(move |_| text.clone())
    }

    /// The same model with log-probabilities (in nats) from `score(context, continuation)`.
    #[must_use]
    pub fn with_score(mut self, score: impl Fn(&str, &str) -> f64 + Send + Sync + 'static) -> Self {
        self.score = Arc::new(score);
        self
    }

    fn answer(&self, context: &str, continuation: &str) -> Loglikelihood {
        Loglikelihood {
            log_prob: (self.score)(context, continuation),
            is_greedy: (self.reply)(&Prompt::from(context)).starts_with(continuation),
            tokens: continuation.chars().count(),
            bytes: continuation.len(),
        }
    }
}

impl TextModel for ScriptedModel {
    fn loglikelihood(
        &self,
        requests: &[LoglikelihoodRequest],
    ) -> Result<Vec<Loglikelihood>, TextModelError> {
        let score = |(index, request): (usize, &LoglikelihoodRequest)| {
            not_empty(index, &request.continuation, "the continuation")?;
            Ok(self.answer(&request.context, &request.continuation))
        };
        requests.iter().enumerate().map(score).collect()
    }

    fn loglikelihood_rolling(&self, texts: &[&str]) -> Result<Vec<Loglikelihood>, TextModelError> {
        let score = |(index, text): (usize, &&str)| {
            not_empty(index, text, "the text")?;
            Ok(self.answer("", text))
        };
        texts.iter().enumerate().map(score).collect()
    }

    fn generate(
        &self,
        request: &GenerateRequest,
        sink: &mut Sink<'_>,
    ) -> Result<GenerateResponse, TextModelError> {
        request.validate()?;
        let reply = (self.reply)(&request.prompt);
        let (planned, planned_reason) = cut(&reply, request);
        let mut text = String::new();
        let mut finish_reason = planned_reason;
        for character in planned.chars() {
            text.push(character);
            if sink(character.encode_utf8(&mut [0; 4])) == ControlFlow::Break(()) {
                finish_reason = FinishReason::Cancelled;
                break;
            }
        }
        let usage = Usage {
            prompt_tokens: prompt_tokens(&request.prompt),
            completion_tokens: text.chars().count(),
        };
        Ok(GenerateResponse { text, finish_reason, usage })
    }
}

/// The part of `reply` that the options let through, and what ends it.
fn cut<'r>(reply: &'r str, request: &GenerateRequest) -> (&'r str, FinishReason) {
    let limit =
        reply.char_indices().nth(request.options.max_new_tokens).map_or(reply.len(), |(at, _)| at);
    let stop =
        request.options.stop.iter().filter_map(|stop| reply[..limit].find(stop.as_str())).min();
    match stop {
        Some(at) => (&reply[..at], FinishReason::StopString),
        None if limit < reply.len() => (&reply[..limit], FinishReason::Length),
        None => (reply, FinishReason::EndOfText),
    }
}

fn prompt_tokens(prompt: &Prompt) -> usize {
    match prompt {
        Prompt::Text(text) => text.chars().count(),
        Prompt::Chat(messages) => {
            messages.iter().map(|message| message.content.chars().count()).sum()
        }
    }
}

fn not_empty(index: usize, text: &str, what: &str) -> Result<(), TextModelError> {
    if text.is_empty() {
        return Err(TextModelError::InvalidRequest { index, reason: format!("{what} is empty") });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GenerateOptions, Message};

    fn generate(reply: &str, options: GenerateOptions) -> GenerateResponse {
        ScriptedModel::fixed(reply)
            .complete(&GenerateRequest::new("?").with_options(options))
            .unwrap()
    }

    #[test]
    fn the_pieces_joined_are_the_text() {
        let mut joined = String::new();
        let response = ScriptedModel::fixed("無極 !")
            .generate(&GenerateRequest::new("?"), &mut |piece| {
                joined.push_str(piece);
                ControlFlow::Continue(())
            })
            .unwrap();
        assert_eq!(joined, "無極 !");
        assert_eq!(response.text, joined);
        assert_eq!(response.finish_reason, FinishReason::EndOfText);
        assert_eq!(response.usage.total_tokens(), 1 + 4);
    }

    #[test]
    fn a_stop_string_ends_the_text_before_it() {
        let options =
            GenerateOptions { stop: vec!["c".into(), "bc".into()], ..GenerateOptions::default() };
        let response = generate("abcd", options);
        assert_eq!(
            (response.text.as_str(), response.finish_reason),
            ("a", FinishReason::StopString)
        );
    }

    #[test]
    fn the_limit_counts_characters() {
        let response =
            generate("無極無", GenerateOptions { max_new_tokens: 2, ..GenerateOptions::default() });
        assert_eq!(
            (response.text.as_str(), response.finish_reason),
            ("無極", FinishReason::Length)
        );
    }

    #[test]
    fn the_sink_can_end_it() {
        let response = ScriptedModel::fixed("ab")
            .generate(&GenerateRequest::new("?"), &mut |_| ControlFlow::Break(()));
        let response = response.unwrap();
        assert_eq!(
            (response.text.as_str(), response.finish_reason),
            ("a", FinishReason::Cancelled)
        );
    }

    #[test]
    fn bytes_are_uniform_unless_scripted() {
        let score = ScriptedModel::fixed("ab").loglikelihood_rolling(&["ab"]).unwrap()[0];
        assert!((score.bits_per_byte().unwrap() - 8.0).abs() < 1e-12);
        assert!(score.is_greedy);
        assert_eq!((score.tokens, score.bytes), (2, 2));
    }

    #[test]
    fn the_reply_sees_the_conversation() {
        let model = ScriptedModel::new(|prompt| match prompt {
            Prompt::Chat(messages) => messages[0].content.to_uppercase(),
            Prompt::Text(_) => String::new(),
        });
        let response = model.complete(&GenerateRequest::new(vec![Message::user("hi")])).unwrap();
        assert_eq!(response.text, "HI");
    }

    #[test]
    fn an_empty_continuation_is_named_by_its_place_in_the_batch() {
        let requests = [LoglikelihoodRequest::new("a", "b"), LoglikelihoodRequest::new("a", "")];
        let error = ScriptedModel::fixed("").loglikelihood(&requests).unwrap_err();
        assert_eq!(error.to_string(), "request 1: the continuation is empty");
    }

    #[test]
    fn embeddings_are_unsupported_and_say_so() {
        let error = ScriptedModel::fixed("").embed(&["a"]).unwrap_err();
        assert_eq!(error.to_string(), "this model does not support embeddings");
    }

    #[test]
    fn the_trait_can_be_used_as_an_object() {
        let model: Box<dyn TextModel> = Box::new(ScriptedModel::fixed("a"));
        assert_eq!(model.complete(&GenerateRequest::new("?")).unwrap().text, "a");
    }
}
