//! The figures of a search: what `search --json` prints and `summary.json` holds.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use wuji_training::search::{
    Assignment, Counts, Direction, Importance, Measured, Record, TrialState,
};

use super::HeldOut;

/// Everything worth quoting about a search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SearchSummary {
    /// Where it is.
    pub dir: PathBuf,
    /// Which values are good.
    pub direction: Direction,
    /// Who proposed trials.
    pub sampler: String,
    /// The seed of the search.
    pub seed: u64,
    /// Trials by state.
    pub trials: Counts,
    /// Seconds of all trials together, however many ran at once.
    pub trial_seconds: f64,
    /// The best trial, once one has come to its end.
    pub best: Option<BestTrial>,
    /// The share of each parameter in the variance of the value (functional ANOVA).
    pub importances: Vec<Importance>,
    /// The best configuration on texts that no trial has seen, where there are such.
    pub held_out: Option<HeldOut>,
}

/// The best trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BestTrial {
    /// Its number, from 0.
    pub number: u64,
    /// Its value, with folds and standard error where it was cross-validated.
    #[serde(flatten)]
    pub measured: Measured,
    /// The seed it ran with.
    pub seed: u64,
    /// Its parameters.
    pub parameters: Assignment,
}

impl SearchSummary {
    /// The figures of a study in `dir`.
    pub fn new(dir: &Path, record: &Record, held_out: Option<HeldOut>) -> Self {
        let best = record.best().and_then(|trial| match &trial.state {
            TrialState::Finished(measured) => Some(BestTrial {
                number: trial.number,
                measured: measured.clone(),
                seed: trial.seed,
                parameters: trial.parameters.clone(),
            }),
            _ => None,
        });
        Self {
            dir: dir.into(),
            direction: record.config.direction,
            sampler: record.config.sampler.kind().to_string(),
            seed: record.config.seed,
            trials: record.counts(),
            trial_seconds: record.trials.iter().filter_map(|trial| trial.seconds).sum(),
            best,
            importances: record.importances(),
            held_out,
        }
    }
}
