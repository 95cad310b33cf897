//! What is reported of a run, and the documents behind it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::measurement::{Groups, Measurement};
use super::prepare::PreparedTask;
use super::request::{Answer, Gold, Item, Request};
use super::task::TaskFile;
use crate::comparison::Comparison;
use crate::uncertainty::Estimate;

/// Everything that a run reports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunReport {
    /// The model's name.
    pub model: String,
    /// What the model is, down to its weights.
    pub fingerprint: String,
    /// Version of this program.
    pub version: String,
    /// Seed of examples, limits and intervals.
    pub seed: u64,
    /// Documents of a task at most, where that was limited: the scores are of a sample then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// The tasks, in the order in which they were asked for.
    pub tasks: Vec<TaskReport>,
}

/// What is reported of a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskReport {
    /// Its name.
    pub task: String,
    /// Its version.
    pub version: u32,
    /// Its name for people.
    pub title: String,
    /// The data set.
    pub set: String,
    /// Where prompt and judgement come from.
    pub about: String,
    /// Examples before each question.
    pub few_shot: usize,
    /// Documents that were asked.
    pub documents: usize,
    /// The model, then the floors.
    pub answerers: Vec<AnswererReport>,
    /// The model beside each floor.
    pub comparisons: Vec<Comparison>,
    /// Why it was not carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
}

/// The scores of the model or of a floor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AnswererReport {
    /// Its name.
    pub name: String,
    /// Seconds that it took to learn, if it learns, and to answer.
    pub seconds: f64,
    /// Its scores.
    pub scores: Vec<ScoreReport>,
    /// Why it did not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
}

/// A score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreReport {
    /// The metric's name, with the way of finding the answer.
    pub metric: String,
    /// Whether more is better; none where neither is.
    pub higher_is_better: Option<bool>,
    /// The figure.
    pub estimate: Estimate,
    /// The figures of the slices.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub slices: BTreeMap<String, Estimate>,
}

impl TaskReport {
    pub(super) fn new(task: &PreparedTask) -> Self {
        let file = &task.file;
        Self {
            task: file.id.clone(),
            version: file.version,
            title: file.title.clone(),
            set: file.data.set.clone(),
            about: file.about.clone(),
            few_shot: task.few_shot,
            documents: task.items.len(),
            answerers: Vec::new(),
            comparisons: Vec::new(),
            skipped: None,
        }
    }

    pub(super) fn skipped(file: &TaskFile, reason: String) -> Self {
        Self {
            task: file.id.clone(),
            version: file.version,
            title: file.title.clone(),
            set: file.data.set.clone(),
            about: file.about.clone(),
            few_shot: 0,
            documents: 0,
            answerers: Vec::new(),
            comparisons: Vec::new(),
            skipped: Some(reason),
        }
    }
}

impl AnswererReport {
    pub(super) fn skipped(name: String, reason: String) -> Self {
        Self { name, seconds: 0.0, scores: Vec::new(), skipped: Some(reason) }
    }
}

/// Every document of a task: what was asked, what is right, what was answered, and the rows that
/// the metrics made of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Documents {
    /// The task.
    pub task: String,
    /// Its version.
    pub version: u32,
    /// Record numbers, from 1.
    pub records: Vec<usize>,
    /// What was asked about, without examples and instructions.
    pub texts: Vec<String>,
    /// The options, where there are any and they are not the classes.
    pub options: Vec<Vec<String>>,
    /// What is right.
    pub golds: Vec<Gold>,
    /// Slices and clusters.
    pub groups: Groups,
    /// The names of the classes, where the task has classes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// What each answered.
    pub answerers: Vec<AnswererDocuments>,
}

/// What one answerer answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AnswererDocuments {
    /// Its name.
    pub name: String,
    /// Its answers.
    pub answers: Vec<Answer>,
    /// The rows of every metric.
    pub measurements: Vec<Measurement>,
}

impl Documents {
    pub(super) fn new(task: &PreparedTask, groups: Groups) -> Self {
        let golds = task.items.iter().map(|item: &Item| item.gold.clone()).collect();
        let options = |item: &Item| match &item.request {
            Request::Choice { options, .. } if task.labels.is_empty() => options.clone(),
            _ => Vec::new(),
        };
        Self {
            task: task.file.id.clone(),
            version: task.file.version,
            records: task.items.iter().map(|item| item.record).collect(),
            texts: task.items.iter().map(|item| item.request.text()).collect(),
            options: task.items.iter().map(options).collect(),
            golds,
            groups,
            labels: task.labels.clone(),
            answerers: Vec::new(),
        }
    }

    pub(super) fn add(
        &mut self,
        name: String,
        answers: Vec<Answer>,
        measurements: Vec<Measurement>,
    ) {
        self.answerers.push(AnswererDocuments { name, answers, measurements });
    }
}
