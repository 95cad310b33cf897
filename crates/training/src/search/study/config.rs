//! What is sought, how, and for how long.

use serde::{Deserialize, Serialize};
use toml::Table;

use crate::search::{PrunerConfig, SamplerConfig, SearchError};

/// Which values are good.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Low ones, as of a loss.
    #[default]
    Minimize,
    /// High ones, as of an accuracy.
    Maximize,
}

impl Direction {
    /// The value as a loss, of which lower is better; and the loss as a value.
    pub fn loss(self, value: f64) -> f64 {
        match self {
            Self::Minimize => value,
            Self::Maximize => -value,
        }
    }
}

/// When no more trials are begun. Those that run then are brought to their end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Budget {
    /// Trials at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trials: Option<u64>,
    /// Seconds at most, all sessions of a resumed search together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
}

/// All that decides what a study does, but the space.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StudyConfig {
    /// Which values are good.
    pub direction: Direction,
    /// Who proposes trials.
    pub sampler: SamplerConfig,
    /// Who stops them early.
    pub pruner: PrunerConfig,
    /// Decides every draw.
    pub seed: u64,
    /// When it ends.
    pub budget: Budget,
    /// How often a trial is begun whose process dies.
    pub max_attempts: u32,
}

impl Default for StudyConfig {
    fn default() -> Self {
        Self {
            direction: Direction::default(),
            sampler: SamplerConfig::default(),
            pruner: PrunerConfig::default(),
            seed: 0,
            budget: Budget { trials: Some(50), seconds: None },
            max_attempts: 3,
        }
    }
}

impl StudyConfig {
    /// Reads the `study` of a table, whose other keys are somebody else's; all defaults without one.
    ///
    /// # Errors
    /// [`SearchError::Invalid`].
    pub fn from_table(file: &Table) -> Result<Self, SearchError> {
        let Some(study) = file.get("study") else { return Ok(Self::default()) };
        let read: Result<Self, toml::de::Error> = study.clone().try_into();
        let config = read.map_err(|error| {
            SearchError::invalid("study", "settings of a search", error.message())
        })?;
        config.check()?;
        Ok(config)
    }

    pub(super) fn check(&self) -> Result<(), SearchError> {
        self.budget.check()?;
        if self.max_attempts == 0 {
            return Err(SearchError::invalid("study.max_attempts", "1 or more", 0));
        }
        self.pruner.build().map(|_| ())
    }
}

impl Budget {
    pub(super) fn check(&self) -> Result<(), SearchError> {
        match self.seconds {
            Some(seconds) if !(seconds > 0.0 && seconds.is_finite()) => {
                Err(SearchError::invalid("study.budget.seconds", "a number above 0", seconds))
            }
            _ if self.trials == Some(0) => {
                Err(SearchError::invalid("study.budget.trials", "1 or more", 0))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::{Hyperband, Tpe};

    fn read(text: &str) -> Result<StudyConfig, String> {
        StudyConfig::from_table(&text.parse().unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn settings_are_read_over_defaults() {
        let found = read(
            "[study]\ndirection = 'maximize'\nseed = 7\nbudget = { trials = 3 }\n\
             sampler = { kind = 'tpe', multivariate = false }\n\
             pruner = { kind = 'hyperband', max_steps = 27 }",
        );
        let expected = StudyConfig {
            direction: Direction::Maximize,
            seed: 7,
            budget: Budget { trials: Some(3), seconds: None },
            sampler: SamplerConfig::Tpe(Tpe { multivariate: false, ..Tpe::default() }),
            pruner: PrunerConfig::Hyperband(Hyperband { max_steps: 27, ..Hyperband::default() }),
            ..StudyConfig::default()
        };
        assert_eq!(found, Ok(expected));
        assert_eq!(read(""), Ok(StudyConfig::default()));
    }

    #[test]
    fn settings_that_cannot_work_are_named() {
        let cases = [
            ("[study]\nsede = 1", "study: expected settings of a search, got unknown field `sede`"),
            ("[study]\nmax_attempts = 0", "study.max_attempts: expected 1 or more, got 0"),
            ("[study]\nbudget = { trials = 0 }", "study.budget.trials: expected 1 or more, got 0"),
            (
                "[study]\nbudget = { seconds = -1.0 }",
                "study.budget.seconds: expected a number above 0, got -1",
            ),
            (
                "[study]\npruner = { kind = 'successive-halving', min_steps = 0 }",
                "study.pruner.min_steps: expected 1 or more, got 0",
            ),
        ];
        for (text, expected) in cases {
            let found = read(text).unwrap_err();
            assert!(found.starts_with(expected), "{found}");
        }
    }
}
