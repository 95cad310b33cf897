//! Who proposes the next trial.
//!
//! A [`Sampler`] is asked with all that has been told: it keeps no state of its own, and its draws come
//! from the study's seed and the trial's number. So the next proposal is a function of the journal, and
//! a search that is resumed proposes what it would have proposed undisturbed.

mod gaussian_process;
mod grid;
mod random;
mod tpe;

use serde::{Deserialize, Serialize};
use wuji_data::Dice;

pub use gaussian_process::GaussianProcess;
pub use grid::Grid;
pub use random::Random;
pub use tpe::Tpe;

use super::SearchError;
use super::space::{Assignment, Point, SearchSpace};

/// What a sampler goes by.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// What may be proposed.
    pub space: &'a SearchSpace,
    /// The study's seed.
    pub seed: u64,
    /// Number of the trial that is asked for, from 0.
    pub number: u64,
    /// All trials so far, in the order of their numbers.
    pub history: &'a [Observation],
}

impl Question<'_> {
    /// Random numbers of this trial.
    fn dice(&self) -> Dice {
        Dice::new(self.seed, self.number)
    }

    /// The trials that say something about where to look, by number.
    fn told(&self) -> usize {
        self.history.iter().filter(|trial| trial.standing != Standing::Running).count()
    }

    fn points(&self) -> Vec<Point> {
        self.history.iter().map(|trial| self.space.point(&trial.assignment)).collect()
    }
}

/// A trial as samplers see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// Its parameters.
    pub assignment: Assignment,
    /// How it went.
    pub standing: Standing,
}

/// How a trial went, in losses: whatever is sought, lower is better here.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Standing {
    /// It came to its end.
    Finished(f64),
    /// It was stopped early.
    Stopped {
        /// The last step that it reported.
        step: u64,
        /// Its loss there.
        loss: f64,
    },
    /// It has no value.
    Failed,
    /// It is not known yet.
    Running,
}

/// Proposes trials.
pub trait Sampler: Send + Sync {
    /// The next trial, or `None` when there is nothing left to try.
    fn propose(&self, question: &Question) -> Option<Assignment>;
}

/// Which sampler, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum SamplerConfig {
    /// Every combination.
    Grid {
        /// Values of a numeric parameter at most.
        #[serde(default = "grid_points")]
        points: usize,
    },
    /// Independent uniform draws.
    Random,
    /// Tree-structured Parzen estimator.
    Tpe(Tpe),
    /// Gaussian process with expected improvement.
    GaussianProcess(GaussianProcess),
}

fn grid_points() -> usize {
    5
}

impl Default for SamplerConfig {
    fn default() -> Self {
        Self::Tpe(Tpe::default())
    }
}

impl SamplerConfig {
    /// Names as a file spells them.
    pub const KINDS: [&str; 4] = ["grid", "random", "tpe", "gaussian-process"];

    /// The sampler of this kind with its defaults.
    pub fn named(kind: &str) -> Option<Self> {
        match kind {
            "grid" => Some(Self::Grid { points: grid_points() }),
            "random" => Some(Self::Random),
            "tpe" => Some(Self::Tpe(Tpe::default())),
            "gaussian-process" => Some(Self::GaussianProcess(GaussianProcess::default())),
            _ => None,
        }
    }

    /// The name of the kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Grid { .. } => "grid",
            Self::Random => "random",
            Self::Tpe(_) => "tpe",
            Self::GaussianProcess(_) => "gaussian-process",
        }
    }

    /// The sampler itself.
    ///
    /// # Errors
    /// [`SearchError::Invalid`] for a setting that cannot work, or a grid that is too large.
    pub fn build(&self, space: &SearchSpace) -> Result<Box<dyn Sampler>, SearchError> {
        Ok(match self {
            Self::Grid { points } => Box::new(Grid::new(space, *points)?),
            Self::Random => Box::new(Random),
            Self::Tpe(tpe) => Box::new(tpe.checked()?),
            Self::GaussianProcess(process) => Box::new(process.checked()?),
        })
    }
}

/// Refuses a count of zero.
fn at_least_one(key: &str, count: usize) -> Result<(), SearchError> {
    match count {
        0 => Err(SearchError::invalid(format!("study.sampler.{key}"), "1 or more", count)),
        _ => Ok(()),
    }
}
