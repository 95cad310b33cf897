//! One trial and all that is known of it.

use serde::{Deserialize, Serialize};

use crate::search::{Assignment, Direction, Standing};

/// A trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Its number, from 0.
    pub number: u64,
    /// How often it was begun: more than once where a process died.
    pub attempt: u32,
    /// The seed that its objective should use.
    pub seed: u64,
    /// Its parameters.
    pub parameters: Assignment,
    /// What it reported on the way, ascending in steps.
    #[serde(default)]
    pub reports: Vec<Report>,
    /// How it went.
    pub state: TrialState,
    /// Seconds of its last attempt, once it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
}

/// A value on the way.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// How far the trial is, in whatever it counts: steps, epochs, folds.
    pub step: u64,
    /// The value there.
    pub value: f64,
}

/// How a trial went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum TrialState {
    /// It was proposed and waits for somebody to take it up again.
    Waiting,
    /// Somebody works on it.
    Running,
    /// It came to its end.
    Finished(Measured),
    /// It was stopped early, with its last report.
    Pruned {
        /// The step of that report.
        step: u64,
        /// Its value.
        value: f64,
    },
    /// It has no value.
    Failed {
        /// Why.
        reason: String,
    },
}

impl TrialState {
    /// The state in one word.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Finished(_) => "finished",
            Self::Pruned { .. } => "pruned",
            Self::Failed { .. } => "failed",
        }
    }
}

/// The value of a trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The value; of several folds, their mean.
    pub value: f64,
    /// The value of each fold of a cross-validation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub folds: Vec<f64>,
    /// The standard error of the mean over folds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standard_error: Option<f64>,
}

impl Measured {
    /// A value that was measured once.
    pub fn once(value: f64) -> Self {
        Self { value, folds: Vec::new(), standard_error: None }
    }

    /// The mean over folds, with its standard error: the standard deviation of the folds over the root of
    /// their number. Folds share training data, so it is somewhat too small (Bengio & Grandvalet 2004).
    pub fn of_folds(folds: &[f64]) -> Self {
        let count = folds.len() as f64;
        let value = folds.iter().sum::<f64>() / count;
        let squares = folds.iter().map(|fold| (fold - value).powi(2)).sum::<f64>();
        let error = (folds.len() > 1).then(|| (squares / (count - 1.0) / count).sqrt());
        Self { value, folds: folds.to_vec(), standard_error: error }
    }
}

impl Trial {
    /// The value, if it came to its end.
    pub fn value(&self) -> Option<f64> {
        match &self.state {
            TrialState::Finished(measured) => Some(measured.value),
            _ => None,
        }
    }

    /// Whether nobody needs to work on it any more.
    pub fn is_over(&self) -> bool {
        !matches!(self.state, TrialState::Waiting | TrialState::Running)
    }

    pub(super) fn standing(&self, direction: Direction) -> Standing {
        match &self.state {
            TrialState::Waiting | TrialState::Running => Standing::Running,
            TrialState::Finished(measured) => Standing::Finished(direction.loss(measured.value)),
            TrialState::Pruned { step, value } => {
                Standing::Stopped { step: *step, loss: direction.loss(*value) }
            }
            TrialState::Failed { .. } => Standing::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_of_folds_is_that_of_their_mean() {
        let measured = Measured::of_folds(&[0.8, 0.9, 1.0]);
        assert!((measured.value - 0.9).abs() < 1e-12);
        // Standard deviation 0.1, over √3.
        assert!((measured.standard_error.unwrap() - 0.1 / 3f64.sqrt()).abs() < 1e-12);
        assert_eq!(Measured::of_folds(&[0.8]).standard_error, None);
    }
}
