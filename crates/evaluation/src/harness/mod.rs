//! Tasks as files, models as [`TextModel`](wuji_protocol::TextModel)s, and every score with its
//! interval and beside its floor.
//!
//! A [`TaskFile`] says which records of which data set are asked about, how the question is put, and
//! how answers are judged. [`run_task`] prepares the questions, asks an [`Answerer`] and the task's
//! floors, and gives a [`TaskReport`] with the [`Documents`] behind it. Likelihoods, `acc` and
//! `acc_norm` are defined as in lm-evaluation-harness.
//!
//! What it leaves to others: loading models, showing progress, and drawing pages.

mod answerer;
mod cache;
mod compare;
mod detokenize;
mod error;
mod extraction;
mod few_shot;
mod figure;
mod floor;
mod library;
mod measurement;
mod metric;
mod page;
mod prepare;
mod report;
mod request;
mod rows;
mod run;
mod spans;
mod store;
mod task;
mod template;

pub use answerer::{Answerer, LanguageModel, Progress};
pub use cache::Cache;
pub use compare::{RunComparison, compare_runs};
pub use error::HarnessError;
pub use extraction::{Extraction, Take};
pub use floor::FloorKind;
pub use library::{Library, Suite};
pub use measurement::{Groups, Measurement};
pub use metric::Metric;
pub use page::page;
pub use prepare::{PrepareOptions, PreparedTask};
pub use report::{
    AnswererDocuments, AnswererReport, Documents, RunReport, ScoreReport, TaskReport,
};
pub use request::{Answer, Gold, Item, Request};
pub use run::{Outcome, RunOptions, run_task};
pub use store::Results;
pub use task::{FewShot, FewShotChoice, Found, Labels, RequestSpec, TaskData, TaskFile, Words};
