//! Hyper-parameter search: what to try next, when to stop trying it, and a record that survives.
//!
//! A [`SearchSpace`] says which configuration keys vary and how; a [`Sampler`] proposes values (grid,
//! random, tree-structured Parzen estimator, Gaussian process with expected improvement), a [`Pruner`]
//! stops trials that are not worth their time (median rule, successive halving, Hyperband), and a
//! [`Study`] keeps trials in a journal and deals them to workers. What a trial *is*, is the objective's
//! business: a closure from parameters to a value.
//!
//! ```
//! use std::num::NonZeroUsize;
//! use wuji_training::search::{Measured, SearchSpace, Study, StudyConfig, Workers};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let space = SearchSpace::from_toml(
//!     "[parameters.\"training.learning_rate\"]\nkind = 'float'\nlow = 1e-5\nhigh = 1.0\nscale = 'log'",
//! )?;
//! let dir = tempfile::tempdir()?;
//! let mut study = Study::create(dir.path(), space, StudyConfig::default())?;
//! let workers = Workers {
//!     count: NonZeroUsize::MIN,
//!     clock: &|| 0.0,
//!     stop: &|| false,
//!     watch: &|_| {},
//! };
//! study.run(&workers, &|running| {
//!     let rate = running.trial().parameters.get("training.learning_rate");
//!     let rate: f64 = rate.expect("it is always active").to_string().parse()?;
//!     Ok(Measured::once((rate.log10() + 3.0).powi(2)))
//! })?;
//! let best = study.record().best().expect("fifty trials");
//! assert!(best.value().expect("it finished") < 0.01);
//! # Ok(())
//! # }
//! ```
//!
//! Everything is a function of the journal and the study's seed: a search that is resumed after
//! `kill -9` proposes what it would have proposed, as long as one worker tells its trials in order.
//! Nothing here reads a clock, prints, or knows what a configuration key means.

mod analysis;
mod error;
mod normal;
mod pruner;
mod sampler;
mod space;
mod study;

pub use analysis::{Axis, Counts, HistoryPoint, Importance, Line, ParallelCoordinates};
pub use error::SearchError;
pub use pruner::{Curve, Hyperband, Median, Pruner, PrunerConfig, SuccessiveHalving};
pub use sampler::{
    GaussianProcess, Grid, Observation, Question, Random, Sampler, SamplerConfig, Standing, Tpe,
};
pub use space::{Assignment, Condition, Domain, Parameter, Scale, SearchSpace, Value};
pub use study::{
    Advice, Budget, Direction, Halt, Measured, Record, Report, RunningTrial, Study, StudyConfig,
    Trial, TrialState, Workers,
};
