//! What a model has to beat: answers that need no model, and classical models that learn from the
//! training records of the task alone.

mod chance;
mod copy;
mod ngram;
mod overlap;
mod tfidf;

use serde::{Deserialize, Serialize};

use super::answerer::{Answerer, Progress};
use super::error::HarnessError;
use super::prepare::PreparedTask;
use super::request::{Answer, Gold, Item, Request};

/// A baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FloorKind {
    /// Options are equally likely.
    Chance,
    /// Options are as likely as they were right among the training records.
    Majority,
    /// TF-IDF of words and characters with logistic regression.
    TfIdf,
    /// A byte-level n-gram model with modified Kneser–Ney smoothing over the training records.
    Ngram,
    /// The first three sentences of the source.
    #[serde(rename = "lead-3")]
    Lead3,
    /// The source itself.
    Copy,
    /// The sentence of the source with the most words of the question.
    Overlap,
}

impl FloorKind {
    /// Its name in task files and results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Chance => "chance",
            Self::Majority => "majority",
            Self::TfIdf => "tf-idf",
            Self::Ngram => "ngram",
            Self::Lead3 => "lead-3",
            Self::Copy => "copy",
            Self::Overlap => "overlap",
        }
    }

    /// Learns what the floor needs.
    ///
    /// # Errors
    /// No training records for a floor that learns, or ones it cannot learn from.
    pub fn fit(self, task: &PreparedTask) -> Result<Box<dyn Answerer>, HarnessError> {
        match self {
            Self::Chance => Ok(rule(self, chance::chance)),
            Self::Majority => chance::majority(task),
            Self::TfIdf => tfidf::fit(task),
            Self::Ngram => ngram::fit(task),
            Self::Lead3 => Ok(rule(self, copy::lead_3)),
            Self::Copy => Ok(rule(self, copy::copy)),
            Self::Overlap => Ok(rule(self, overlap::overlap)),
        }
    }

    fn failed(self, task: &PreparedTask, reason: impl Into<String>) -> HarnessError {
        let (task, floor) = (task.file.id.clone(), self.name());
        HarnessError::Floor { task, floor, reason: reason.into() }
    }
}

/// A floor that looks at one question alone.
fn rule(
    kind: FloorKind,
    answer: impl Fn(&Request) -> Option<Answer> + 'static,
) -> Box<dyn Answerer> {
    Box::new(Rule { kind, answer })
}

struct Rule<F> {
    kind: FloorKind,
    answer: F,
}

impl<F: Fn(&Request) -> Option<Answer>> Answerer for Rule<F> {
    fn name(&self) -> &str {
        self.kind.name()
    }

    fn answer(
        &mut self,
        requests: &[&Request],
        progress: &mut Progress<'_>,
    ) -> Result<Vec<Option<Answer>>, HarnessError> {
        let answers = requests.iter().map(|request| (self.answer)(request)).collect();
        progress(requests.len(), requests.len());
        Ok(answers)
    }
}

/// The text and the first right option of every training record that is a choice.
fn choices(items: &[Item]) -> impl Iterator<Item = (&str, &[String], usize)> {
    items.iter().filter_map(|item| match (&item.request, &item.gold) {
        (Request::Choice { text, options, .. }, Gold::Options(right)) => {
            Some((text.as_str(), options.as_slice(), right[0]))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests;
