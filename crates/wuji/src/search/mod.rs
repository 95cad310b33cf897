//! A search described by one file: the space, how it is searched, and what a trial is.
//!
//! The search itself is [`wuji_training::search`]; here are its two objectives and its report. A trial is
//! a run of `wuji train` in a process of its own ([`TrainingTrials`]), or a classical text classifier that
//! is cross-validated in this one ([`ClassicalTrials`]).
//!
//! ```text
//! plan.json       what a trial is, for resuming
//! journal.jsonl   every proposal, report and outcome
//! trials/         the run directory of each trial, where trials are runs
//! summary.json    the figures
//! report.html     the same for people
//! ```

mod charts;
mod classical;
mod classifier;
mod plan;
mod report;
mod summary;
mod training;

pub use classical::{Classical, ClassicalMetric, ClassicalTrials, HeldOut};
pub use classifier::{ClassifierConfig, ClassifierKind, FeatureConfig, TextClassifierConfig};
pub use plan::{ObjectiveConfig, SearchFile, SearchPlan, TrainingObjective};
pub use report::write_report;
pub use summary::SearchSummary;
pub use training::TrainingTrials;
