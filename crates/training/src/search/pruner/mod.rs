//! Who stops a trial early, on top of any sampler.
//!
//! A trial reports values at steps; after each report a [`Pruner`] says whether it is worth going on. Like
//! a sampler it keeps no state: it judges by what all trials have reported so far.

mod halving;
mod hyperband;
mod median;

use serde::{Deserialize, Serialize};

pub use halving::SuccessiveHalving;
pub use hyperband::Hyperband;
pub use median::Median;

use super::SearchError;

/// What a trial has reported so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// The trial's number.
    pub number: u64,
    /// Losses by step, ascending: whatever is sought, lower is better here.
    pub losses: Vec<(u64, f64)>,
    /// Whether the trial came to its end.
    pub finished: bool,
}

impl Curve {
    /// The lowest loss up to a step.
    fn best_until(&self, step: u64) -> Option<f64> {
        let until = self.losses.iter().filter(|(at, _)| *at <= step);
        until.map(|(_, loss)| *loss).min_by(f64::total_cmp)
    }

    /// The loss of the first report at a step or behind it.
    fn at_or_after(&self, step: u64) -> Option<f64> {
        self.losses.iter().find(|(at, _)| *at >= step).map(|(_, loss)| *loss)
    }
}

/// Stops trials.
pub trait Pruner: Send + Sync {
    /// Whether the trial `number`, whose last report is among `curves`, should stop.
    fn stops(&self, number: u64, curves: &[Curve]) -> bool;
}

/// Which pruner, and how.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum PrunerConfig {
    /// Every trial goes to its end.
    #[default]
    None,
    /// The median rule.
    Median(Median),
    /// Asynchronous successive halving.
    SuccessiveHalving(SuccessiveHalving),
    /// Successive halving in brackets.
    Hyperband(Hyperband),
}

impl PrunerConfig {
    /// The pruner itself.
    ///
    /// # Errors
    /// [`SearchError::Invalid`] for a setting that cannot work.
    pub fn build(&self) -> Result<Box<dyn Pruner>, SearchError> {
        Ok(match self {
            Self::None => Box::new(Never),
            Self::Median(median) => Box::new(median.clone()),
            Self::SuccessiveHalving(halving) => Box::new(halving.checked()?),
            Self::Hyperband(hyperband) => Box::new(hyperband.checked()?),
        })
    }
}

/// Stops nothing.
struct Never;

impl Pruner for Never {
    fn stops(&self, _: u64, _: &[Curve]) -> bool {
        false
    }
}

/// Refuses what is below `least`.
fn at_least(key: &str, least: u64, found: u64) -> Result<(), SearchError> {
    if found < least {
        let expected = format!("{least} or more");
        return Err(SearchError::invalid(format!("study.pruner.{key}"), expected, found));
    }
    Ok(())
}

#[cfg(test)]
pub(super) fn curve(number: u64, losses: &[(u64, f64)], finished: bool) -> Curve {
    Curve { number, losses: losses.to_vec(), finished }
}
