//! A conversation by rules: the idea of ELIZA (Weizenbaum 1966).
//!
//! The best match in what the user said chooses the answer: the highest priority, then the longest. A rule with
//! several replacements uses them in turn, as often as it has answered in the conversation before.

use std::cmp::Reverse;
use std::ops::ControlFlow;

use serde::Deserialize;
use wuji_protocol::{
    FinishReason, GenerateRequest, GenerateResponse, Loglikelihood, LoglikelihoodRequest, Message,
    Prompt, Role, Sink, TextModel, TextModelError, Usage,
};

use super::{RuleError, RuleMatch, RuleSet};
use crate::streaming::TextStream;

/// The `[chat]` section of a rule file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Script {
    /// The answer when the user has said nothing.
    pub greeting: String,
    /// Answers, in turn, when no rule matches.
    pub fallback: Vec<String>,
}

/// A [`TextModel`] that answers by the replacements of a rule set.
///
/// It generates only: rules give no probabilities.
///
/// ```
/// use wuji_classical::rules::RuleChat;
/// use wuji_protocol::{GenerateRequest, Message, TextModel};
///
/// let chat = RuleChat::listener();
/// let request = GenerateRequest::new(vec![Message::user("I am worried about my exam.")]);
/// assert_eq!(chat.complete(&request)?.text, "How long have you been worried about your exam?");
/// # Ok::<(), wuji_protocol::TextModelError>(())
/// ```
#[derive(Debug, Clone)]
pub struct RuleChat {
    rules: RuleSet,
    script: Script,
}

impl RuleChat {
    /// A conversation by the rules of a file with a `[chat]` section.
    ///
    /// # Errors
    /// [`RuleError::NoChat`] when the file has none.
    pub fn new(mut rules: RuleSet) -> Result<Self, RuleError> {
        let script = rules.chat.take().ok_or(RuleError::NoChat)?;
        Ok(Self { rules, script })
    }

    /// The conversation that comes with the crate: a listener who asks back.
    pub fn listener() -> Self {
        let rules = RuleSet::parse(include_str!("scripts/listener.toml"));
        rules.and_then(Self::new).expect("the file of this crate is checked by its tests")
    }

    /// The answer to the last of what the user said.
    fn answer(&self, said: &[&str]) -> String {
        let Some((last, earlier)) = said.split_last() else {
            return self.script.greeting.clone();
        };
        let best = self.best(last);
        let id = best.as_ref().map(|found| found.rule.id.as_str());
        let used =
            earlier.iter().filter(|text| self.best(text).map(|found| found.rule.id.as_str()) == id);
        let turn = used.count();
        let answer = best.and_then(|found| found.replacement_number(last, turn));
        answer.unwrap_or_else(|| self.script.fallback[turn % self.script.fallback.len()].clone())
    }

    /// The best match that has an answer.
    fn best(&self, text: &str) -> Option<RuleMatch<'_>> {
        let answering = self
            .rules
            .find_all(text)
            .into_iter()
            .filter(|found| !found.rule.replacements.is_empty());
        answering.min_by_key(|found| {
            (Reverse(found.rule.priority), Reverse(found.span.len()), found.span.start)
        })
    }
}

/// What the user said, in order. A text is one thing said.
fn said(prompt: &Prompt) -> Vec<&str> {
    match prompt {
        Prompt::Text(text) => vec![text.as_str()],
        Prompt::Chat(messages) => {
            let user = messages.iter().filter(|message: &&Message| message.role == Role::User);
            user.map(|message| message.content.as_str()).collect()
        }
    }
}

/// Words with the white space behind them: what is counted and streamed.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(char::is_whitespace)
}

impl TextModel for RuleChat {
    /// # Errors
    /// [`TextModelError::Unsupported`]: rules give no probabilities.
    fn loglikelihood(
        &self,
        _: &[LoglikelihoodRequest],
    ) -> Result<Vec<Loglikelihood>, TextModelError> {
        Err(TextModelError::Unsupported { what: "log-likelihoods" })
    }

    /// # Errors
    /// [`TextModelError::Unsupported`]: rules give no probabilities.
    fn loglikelihood_rolling(&self, _: &[&str]) -> Result<Vec<Loglikelihood>, TextModelError> {
        Err(TextModelError::Unsupported { what: "log-likelihoods" })
    }

    /// Answers; of the options, `max_new_tokens` (in words) and `stop` have a meaning.
    fn generate(
        &self,
        request: &GenerateRequest,
        sink: &mut Sink<'_>,
    ) -> Result<GenerateResponse, TextModelError> {
        request.validate()?;
        let said = said(&request.prompt);
        let answer = self.answer(&said);
        let mut stream = TextStream::new(&request.options.stop, sink);
        let mut usage = Usage {
            prompt_tokens: said.iter().map(|text| words(text).count()).sum(),
            completion_tokens: 0,
        };
        let mut finish_reason = FinishReason::EndOfText;
        for word in words(&answer) {
            if usage.completion_tokens == request.options.max_new_tokens {
                finish_reason = FinishReason::Length;
                break;
            }
            usage.completion_tokens += 1;
            if let ControlFlow::Break(reason) = stream.push(word) {
                finish_reason = reason;
                break;
            }
        }
        let (text, finish_reason) = stream.finish(finish_reason);
        Ok(GenerateResponse { text, finish_reason, usage })
    }
}
