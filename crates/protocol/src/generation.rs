//! A request to continue a text or a conversation, and the response.

use serde::{Deserialize, Serialize};

use crate::{GenerateOptions, Message, TextModelError};

/// What a model is asked to continue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Prompt {
    /// A text, continued as it stands.
    Text(String),
    /// A conversation; the model renders it with its own chat template and answers as the assistant.
    Chat(Vec<Message>),
}

impl From<&str> for Prompt {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Prompt {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<Message>> for Prompt {
    fn from(messages: Vec<Message>) -> Self {
        Self::Chat(messages)
    }
}

/// A request to generate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenerateRequest {
    /// What to continue.
    pub prompt: Prompt,
    /// How to choose tokens and when to stop.
    #[serde(default)]
    pub options: GenerateOptions,
}

impl GenerateRequest {
    /// A request with [`GenerateOptions::default`].
    pub fn new(prompt: impl Into<Prompt>) -> Self {
        Self { prompt: prompt.into(), options: GenerateOptions::default() }
    }

    /// The same request with other options.
    #[must_use]
    pub fn with_options(mut self, options: GenerateOptions) -> Self {
        self.options = options;
        self
    }

    /// Checks what can be checked without a model.
    ///
    /// # Errors
    /// [`TextModelError::InvalidOptions`] names every option out of its range;
    /// [`TextModelError::InvalidRequest`] a conversation without messages.
    pub fn validate(&self) -> Result<(), TextModelError> {
        if matches!(&self.prompt, Prompt::Chat(messages) if messages.is_empty()) {
            return Err(TextModelError::InvalidRequest {
                index: 0,
                reason: "the conversation has no messages".to_owned(),
            });
        }
        self.options.validate()
    }
}

/// Why generation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// The model gave an end-of-text token.
    EndOfText,
    /// A stop string of the request appeared.
    StopString,
    /// [`GenerateOptions::max_new_tokens`] was reached.
    Length,
    /// The sink asked to stop.
    Cancelled,
}

/// Token counts of one generation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the prompt as the model saw it.
    pub prompt_tokens: usize,
    /// Tokens generated, an end-of-text token included.
    pub completion_tokens: usize,
}

impl Usage {
    /// Prompt and completion together.
    pub fn total_tokens(&self) -> usize {
        self.prompt_tokens + self.completion_tokens
    }
}

/// What a model generated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenerateResponse {
    /// The continuation, without the prompt and without the stop string that ended it: what the sink was given, joined.
    pub text: String,
    /// Why it ended.
    pub finish_reason: FinishReason,
    /// Token counts.
    pub usage: Usage,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_is_a_string_or_a_list_of_messages_in_json() {
        let text: GenerateRequest = serde_json::from_str(r#"{"prompt": "a"}"#).unwrap();
        assert_eq!(text, GenerateRequest::new("a"));
        let chat: GenerateRequest =
            serde_json::from_str(r#"{"prompt": [{"role": "user", "content": "a"}]}"#).unwrap();
        assert_eq!(chat, GenerateRequest::new(vec![Message::user("a")]));
    }

    #[test]
    fn a_conversation_needs_a_message() {
        let error = GenerateRequest::new(Vec::<Message>::new()).validate().unwrap_err();
        assert!(error.to_string().contains("no messages"), "{error}");
    }

    #[test]
    fn the_options_of_a_request_are_checked() {
        let options = GenerateOptions { temperature: -1.0, ..GenerateOptions::default() };
        let error = GenerateRequest::new("a").with_options(options).validate().unwrap_err();
        assert!(matches!(error, TextModelError::InvalidOptions { .. }), "{error}");
    }
}
