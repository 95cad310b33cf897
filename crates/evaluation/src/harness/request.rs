//! What is asked about one document, what may come back, and what is right.

use serde::{Deserialize, Serialize};
use wuji_protocol::{GenerateRequest, Loglikelihood, LoglikelihoodRequest, Prompt};

/// What is asked about one document. Everything that an answerer of any kind may need is in it, so
/// that a language model, a classifier and a rule can answer the same question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Request {
    /// Which option is right.
    Choice {
        /// What a language model is asked for each option.
        likelihoods: Vec<LoglikelihoodRequest>,
        /// The question alone, without examples and instructions.
        text: String,
        /// The options.
        options: Vec<String>,
    },
    /// How likely a text is.
    Rolling {
        /// The text.
        text: String,
    },
    /// What comes next.
    Generation {
        /// What a language model is asked.
        request: GenerateRequest,
        /// What is to be summarised, translated or searched for the answer.
        source: String,
    },
    /// A tag for each token.
    Tagging {
        /// The tokens.
        tokens: Vec<String>,
    },
    /// How well each candidate fits a query.
    Ranking {
        /// The query.
        query: String,
        /// The candidates.
        candidates: Vec<String>,
    },
}

impl Request {
    /// What it is about, without examples and instructions, for people.
    pub fn text(&self) -> String {
        match self {
            Self::Choice { text, .. } | Self::Rolling { text } => text.clone(),
            Self::Generation { source, request } if source.is_empty() => match &request.prompt {
                Prompt::Text(text) => text.clone(),
                Prompt::Chat(messages) => {
                    messages.last().map(|message| message.content.clone()).unwrap_or_default()
                }
            },
            Self::Generation { source, .. } => source.clone(),
            Self::Tagging { tokens } => tokens.join(" "),
            Self::Ranking { query, .. } => query.clone(),
        }
    }
}

/// What an answerer says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "value", rename_all = "kebab-case")]
pub enum Answer {
    /// How likely each option is, by a language model.
    Likelihoods(Vec<Loglikelihood>),
    /// The probability of each option, by a classifier.
    Probabilities(Vec<f64>),
    /// How likely the text is.
    Rolling(Loglikelihood),
    /// What was generated.
    Text(String),
    /// The tag of each token.
    Tags(Vec<String>),
    /// How well each candidate fits; higher is better.
    Scores(Vec<f64>),
}

impl Answer {
    /// What kind of answer it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Likelihoods(_) => "likelihoods",
            Self::Probabilities(_) => "probabilities",
            Self::Rolling(_) => "a likelihood",
            Self::Text(_) => "a text",
            Self::Tags(_) => "tags",
            Self::Scores(_) => "scores",
        }
    }
}

/// What is right about one document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "value", rename_all = "kebab-case")]
pub enum Gold {
    /// The right options: one, or several.
    Options(Vec<usize>),
    /// Right texts.
    Texts(Vec<String>),
    /// The right tags.
    Tags(Vec<String>),
    /// How relevant each candidate is.
    Relevance(Vec<f64>),
    /// Nothing: words and bytes of the text that a likelihood is divided by.
    Size {
        /// Words, as spaces part them.
        words: usize,
        /// Bytes of UTF-8.
        bytes: usize,
    },
}

/// One document of a task: the question, what is right, and what it belongs to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// The record, from 1.
    pub record: usize,
    /// The question.
    pub request: Request,
    /// What is right.
    pub gold: Gold,
    /// What it is reported with.
    pub slice: Option<String>,
    /// What it depends on.
    pub cluster: Option<String>,
}
