//! From a task file and its records to questions.

use std::path::Path;

use serde_json::Value;
use wuji_data::{Record, RecordSource};
use wuji_protocol::{GenerateOptions, GenerateRequest, LoglikelihoodRequest};

use super::error::HarnessError;
use super::few_shot::FewShots;
use super::request::{Gold, Item, Request};
use super::task::{Labels, RequestSpec, TaskFile};
use super::template::{Templates, text_of};

/// How much of a task is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PrepareOptions {
    /// Documents at most, drawn by the seed; all where absent.
    pub limit: Option<usize>,
    /// Examples before each question; as the task says where absent.
    pub few_shot: Option<usize>,
    /// Seed of what is drawn.
    pub seed: u64,
}

/// A task with its questions.
#[derive(Clone, Debug)]
pub struct PreparedTask {
    /// The task.
    pub file: TaskFile,
    /// The questions, in the order of the records.
    pub items: Vec<Item>,
    /// The training records as questions without examples, for floors.
    pub train: Vec<Item>,
    /// The names of the classes, where the task has classes.
    pub labels: Vec<String>,
    /// Examples before each question.
    pub few_shot: usize,
}

impl PreparedTask {
    /// Reads the records and works out the questions.
    ///
    /// # Errors
    /// Data that cannot be read, a template that does not fit a record, or fewer training records
    /// than examples.
    pub fn new(
        file: &TaskFile,
        root: &Path,
        options: PrepareOptions,
    ) -> Result<Self, HarnessError> {
        let templates = Templates::new(&file.id);
        let data = &file.data;
        let read = |source: &RecordSource, key, only: &Option<String>| {
            kept(source.read(root)?, (key, only.as_deref()), &templates)
        };
        let train = data.train.as_ref();
        let train = train.map(|source| read(source, "data.train_only", &data.train_only));
        let train = train.transpose()?.unwrap_or_default();
        let test = read(&data.test, "data.test_only", &data.test_only)?;
        let labels = labels(file, &templates, &train)?;
        let maker = Maker { file, templates, labels: &labels };
        let count = options.few_shot.unwrap_or(file.few_shot.count);
        let shots = FewShots::new(&maker, &train, count, options.seed)?;
        let items = chosen(test.len(), options)
            .into_iter()
            .map(|index| maker.item(&test[index], index, &shots))
            .collect::<Result<_, _>>()?;
        let none = FewShots::none();
        let train = train.iter().enumerate();
        let train = train.map(|(index, record)| maker.item(record, index, &none));
        let train = train.collect::<Result<_, _>>()?;
        Ok(Self { file: file.clone(), items, train, labels, few_shot: count })
    }
}

/// The records for which an expression is true, all where there is none.
fn kept(
    records: Vec<Record>,
    (key, only): (&'static str, Option<&str>),
    templates: &Templates<'_>,
) -> Result<Vec<Record>, HarnessError> {
    let Some(only) = only else { return Ok(records) };
    let mut kept = Vec::new();
    for (index, record) in records.into_iter().enumerate() {
        match templates.value((key, only), &record, index)? {
            Value::Bool(true) => kept.push(record),
            Value::Bool(false) => {}
            other => {
                let reason = format!("expected true or false, found {other}");
                return Err(templates.wrong(key, index, reason));
            }
        }
    }
    Ok(kept)
}

/// Positions of the documents that are asked, in order.
fn chosen(count: usize, options: PrepareOptions) -> Vec<usize> {
    match options.limit {
        Some(limit) if limit < count => {
            let mut drawn = super::few_shot::drawn(count, limit, options.seed);
            drawn.sort_unstable();
            drawn
        }
        _ => (0..count).collect(),
    }
}

fn labels(
    file: &TaskFile,
    templates: &Templates<'_>,
    train: &[Record],
) -> Result<Vec<String>, HarnessError> {
    let RequestSpec::Classification { label, labels, .. } = &file.request else {
        return Ok(Vec::new());
    };
    let mut found = match labels {
        Labels::Listed(labels) => return Ok(labels.clone()),
        Labels::Found(_) => Vec::new(),
    };
    for (index, record) in train.iter().enumerate() {
        let value = templates.value(("request.label", label), record, index)?;
        let text = text_of(&value).ok_or_else(|| {
            templates.wrong("request.label", index, format!("expected a label, found {value}"))
        })?;
        found.push(text);
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Makes questions of records.
pub(super) struct Maker<'a> {
    pub(super) file: &'a TaskFile,
    pub(super) templates: Templates<'a>,
    labels: &'a [String],
}

impl Maker<'_> {
    /// The names of the classes.
    pub(super) fn labels(&self) -> &[String] {
        self.labels
    }

    /// The question about one record.
    fn item(&self, record: &Record, index: usize, shots: &FewShots) -> Result<Item, HarnessError> {
        let optional = |key: &'static str, template: &Option<String>| {
            let template = template.as_ref();
            template.map(|text| self.templates.text((key, text), record, index)).transpose()
        };
        let slice = optional("slice", &self.file.slice)?;
        let cluster = optional("cluster", &self.file.cluster)?;
        let before = shots.before(self, record, index, slice.as_deref())?;
        let (request, gold) = self.question(record, index, &before)?;
        Ok(Item { record: index + 1, request, gold, slice, cluster })
    }

    fn question(
        &self,
        record: &Record,
        index: usize,
        before: &str,
    ) -> Result<(Request, Gold), HarnessError> {
        let text = |key, template: &str| self.templates.text((key, template), record, index);
        let texts = |key, expression: &str| self.templates.texts((key, expression), record, index);
        match &self.file.request {
            RequestSpec::Choice { prompt, choices, answer, delimiter } => {
                let prompt = text("request.prompt", prompt)?;
                let options = texts("request.choices", choices)?;
                let gold = self.right(answer, &options, record, index)?;
                Ok((choice(&format!("{before}{prompt}"), delimiter, &options, prompt), gold))
            }
            RequestSpec::Context { contexts, continuation, answer } => {
                let contexts = texts("request.contexts", contexts)?;
                let continuation = text("request.continuation", continuation)?;
                let ask = |context: &String| {
                    LoglikelihoodRequest::new(format!("{before}{context}"), &continuation)
                };
                let likelihoods = contexts.iter().map(ask).collect();
                let gold = self.right(answer, &contexts, record, index)?;
                let text = continuation.clone();
                Ok((Request::Choice { likelihoods, text, options: contexts }, gold))
            }
            RequestSpec::Rolling { text: template, words_of } => {
                let asked = text("request.text", template)?;
                let original = match words_of {
                    Some(template) => text("request.words_of", template)?,
                    None => asked.clone(),
                };
                let words = words_as_split(&original);
                let gold = Gold::Size { words, bytes: original.len() };
                Ok((Request::Rolling { text: asked }, gold))
            }
            RequestSpec::Generation {
                prompt, references, source, max_new_tokens, stop, ..
            } => {
                let prompt = text("request.prompt", prompt)?;
                let options = GenerateOptions {
                    max_new_tokens: *max_new_tokens,
                    stop: stop.clone(),
                    ..GenerateOptions::greedy()
                };
                let request =
                    GenerateRequest::new(format!("{before}{prompt}")).with_options(options);
                let source = text("request.source", source)?;
                let gold = Gold::Texts(self.references(references, record, index)?);
                Ok((Request::Generation { request, source }, gold))
            }
            RequestSpec::Classification {
                text: template, label, prompt, words, delimiter, ..
            } => {
                let prompt = text("request.prompt", prompt)?;
                let plain = text("request.text", template)?;
                let gold = self.right(label, self.labels, record, index)?;
                let words = self.words(words)?;
                Ok((choice(&format!("{before}{prompt}"), delimiter, words, plain), gold))
            }
            RequestSpec::Tagging { tokens, tags } => {
                let (tokens, tags) =
                    (texts("request.tokens", tokens)?, texts("request.tags", tags)?);
                if tokens.len() != tags.len() {
                    let reason = format!("{} tags for {} tokens", tags.len(), tokens.len());
                    return Err(self.templates.wrong("request.tags", index, reason));
                }
                Ok((Request::Tagging { tokens }, Gold::Tags(tags)))
            }
            RequestSpec::Ranking { query, candidates, relevance } => {
                let query = text("request.query", query)?;
                let candidates = texts("request.candidates", candidates)?;
                let value =
                    self.templates.value(("request.relevance", relevance), record, index)?;
                let wrong = |reason| self.templates.wrong("request.relevance", index, reason);
                let relevance: Vec<f64> =
                    serde_json::from_value(value).map_err(|error| wrong(error.to_string()))?;
                if relevance.len() != candidates.len() {
                    let (found, expected) = (relevance.len(), candidates.len());
                    return Err(wrong(format!("{found} values for {expected} candidates")));
                }
                Ok((Request::Ranking { query, candidates }, Gold::Relevance(relevance)))
            }
        }
    }

    /// The words by which a language model names each label.
    pub(super) fn words<'w>(&'w self, words: &'w [String]) -> Result<&'w [String], HarnessError> {
        match (words.len(), self.labels.len()) {
            (0, _) => Ok(self.labels),
            (words_len, labels) if words_len == labels => Ok(words),
            (found, expected) => Err(HarnessError::Task {
                task: self.file.id.clone(),
                key: "request.words".to_owned(),
                reason: format!("{found} for {expected} labels"),
            }),
        }
    }

    /// Positions of the right options.
    pub(super) fn right(
        &self,
        expression: &str,
        options: &[String],
        record: &Record,
        index: usize,
    ) -> Result<Gold, HarnessError> {
        const KEY: &str = "request.answer";
        let wrong = |found: &Value| {
            let reason = format!(
                "expected a position below {} or one of the options, found {found}",
                options.len()
            );
            self.templates.wrong(KEY, index, reason)
        };
        let value = self.templates.value((KEY, expression), record, index)?;
        let one = |value: &Value| match value {
            Value::Number(number) => number
                .as_u64()
                .and_then(|position| usize::try_from(position).ok())
                .filter(|&position| position < options.len()),
            other => text_of(other).and_then(|text| options.iter().position(|o| *o == text)),
        };
        let right = match &value {
            Value::Array(values) => values.iter().map(one).collect::<Option<Vec<usize>>>(),
            other => one(other).map(|position| vec![position]),
        };
        match right {
            Some(right) if !right.is_empty() => Ok(Gold::Options(right)),
            _ => Err(wrong(&value)),
        }
    }

    pub(super) fn references(
        &self,
        expression: &str,
        record: &Record,
        index: usize,
    ) -> Result<Vec<String>, HarnessError> {
        const KEY: &str = "request.references";
        let value = self.templates.value((KEY, expression), record, index)?;
        let texts = match &value {
            Value::Array(values) => values.iter().map(text_of).collect::<Option<Vec<String>>>(),
            other => text_of(other).map(|text| vec![text]),
        };
        texts.filter(|texts| !texts.is_empty()).ok_or_else(|| {
            let reason = format!("expected a text or a list of texts, found {value}");
            self.templates.wrong(KEY, index, reason)
        })
    }
}

/// A question whose options follow a prompt.
fn choice(prompt: &str, delimiter: &str, options: &[String], text: String) -> Request {
    let ask = |option: &String| LoglikelihoodRequest::new(prompt, format!("{delimiter}{option}"));
    let likelihoods = options.iter().map(ask).collect();
    Request::Choice { likelihoods, text, options: options.to_vec() }
}

/// Words as published word perplexities count them: pieces between runs of spaces, so that space
/// at the ends adds empty ones.
fn words_as_split(text: &str) -> usize {
    let ends = usize::from(text.starts_with(char::is_whitespace))
        + usize::from(text.ends_with(char::is_whitespace));
    match text.split_whitespace().count() {
        0 => 1 + usize::from(!text.is_empty()),
        words => words + ends,
    }
}

#[cfg(test)]
mod tests;
