//! What a journal says: the study as it stands after all of its events.

use std::path::Path;

use super::journal::{self, Event};
use super::{Budget, Report, StudyConfig, Trial, TrialState};
use crate::search::{Curve, Observation, SearchError, SearchSpace};

/// The state of the trial that comes next.
const NEW: &str = "new";

/// What a journal says.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// What is searched.
    pub space: SearchSpace,
    /// How.
    pub config: StudyConfig,
    /// All trials by number.
    pub trials: Vec<Trial>,
    /// Seconds of the sessions before this one.
    pub(super) earlier_seconds: f64,
    /// Seconds of this session up to the last trial that was over.
    session_seconds: f64,
}

impl Record {
    pub(super) fn new(space: SearchSpace, config: StudyConfig) -> Self {
        Self { space, config, trials: Vec::new(), earlier_seconds: 0.0, session_seconds: 0.0 }
    }

    /// Reads the journal of a study that somebody may be working on, and changes nothing.
    ///
    /// # Errors
    /// [`SearchError::NoStudy`], [`SearchError::BadJournal`], or an I/O error.
    pub fn read(dir: &Path) -> Result<Self, SearchError> {
        let reason = || "its journal is empty".to_string();
        Self::replay(dir, &journal::read(dir)?)?
            .ok_or_else(|| SearchError::NoStudy { path: dir.into(), reason: reason() })
    }

    /// What the events lead to; nothing where there are none.
    pub(super) fn replay(dir: &Path, events: &[Event]) -> Result<Option<Self>, SearchError> {
        let bad = |line: usize, reason: String| SearchError::BadJournal {
            path: dir.join(journal::FILE),
            line,
            reason,
        };
        let Some((first, rest)) = events.split_first() else { return Ok(None) };
        let mut record = match first {
            Event::Study { format: journal::FORMAT, config, space } => {
                Self::new(space.clone(), config.clone())
            }
            Event::Study { format, .. } => {
                let expected = journal::FORMAT;
                return Err(bad(1, format!("format {format}: this version reads {expected}")));
            }
            _ => return Err(bad(1, "expected what the study is".to_string())),
        };
        for (index, event) in rest.iter().enumerate() {
            record.apply(event).map_err(|error| bad(index + 2, error.to_string()))?;
        }
        Ok(Some(record))
    }

    /// Whether an event can follow what has happened.
    pub(super) fn allows(&self, event: &Event) -> Result<(), SearchError> {
        let (number, expected) = match event {
            Event::Session { .. } => return Ok(()),
            Event::Study { .. } => {
                return Err(SearchError::invalid("journal", "one study", "a second"));
            }
            Event::Ask { number, parameters, .. } => {
                self.space.check(parameters)?;
                (*number, NEW)
            }
            Event::Retry { number } => (*number, "waiting"),
            Event::Report { number, .. }
            | Event::Release { number }
            | Event::End { number, .. } => (*number, "running"),
        };
        let found = match self.trials.get(number as usize) {
            Some(trial) => trial.state.name(),
            None if number == self.trials.len() as u64 => NEW,
            None => "unknown",
        };
        if found == expected {
            return Ok(());
        }
        Err(SearchError::WrongState { number, expected, found })
    }

    pub(super) fn apply(&mut self, event: &Event) -> Result<(), SearchError> {
        self.allows(event)?;
        match event.clone() {
            Event::Study { .. } => {}
            Event::Session { budget } => self.begin_session(budget),
            Event::Ask { number, seed, parameters } => self.trials.push(Trial {
                number,
                attempt: 1,
                seed,
                parameters,
                reports: Vec::new(),
                state: TrialState::Running,
                seconds: None,
            }),
            Event::Retry { number } => {
                let trial = &mut self.trials[number as usize];
                trial.reports.clear();
                trial.state = TrialState::Running;
            }
            Event::Report { number, step, value } => {
                let reports = &mut self.trials[number as usize].reports;
                reports.retain(|report| report.step < step);
                reports.push(Report { step, value });
            }
            Event::Release { number } => {
                self.trials[number as usize].state = TrialState::Waiting;
            }
            Event::End { number, outcome, seconds, at } => {
                self.session_seconds = self.session_seconds.max(at);
                let trial = &mut self.trials[number as usize];
                trial.state = outcome;
                trial.seconds = Some(seconds);
            }
        }
        Ok(())
    }

    /// What was running has lost its process: it waits, or has died too often.
    fn begin_session(&mut self, budget: Budget) {
        self.earlier_seconds += std::mem::take(&mut self.session_seconds);
        self.config.budget = budget;
        for trial in &mut self.trials {
            if trial.state != TrialState::Running {
                continue;
            }
            if trial.attempt >= self.config.max_attempts {
                let reason = format!("its process died {} times", trial.attempt);
                trial.state = TrialState::Failed { reason };
            } else {
                trial.attempt += 1;
                trial.state = TrialState::Waiting;
            }
        }
    }

    /// The trial with the best value, the first of equals.
    pub fn best(&self) -> Option<&Trial> {
        let loss = |trial: &&Trial| {
            let value = trial.value().expect("only finished trials are compared");
            self.config.direction.loss(value)
        };
        let finished = self.trials.iter().filter(|trial| trial.value().is_some());
        finished.min_by(|a, b| loss(a).total_cmp(&loss(b)))
    }

    pub(super) fn observations(&self) -> Vec<Observation> {
        let direction = self.config.direction;
        let observation = |trial: &Trial| Observation {
            assignment: trial.parameters.clone(),
            standing: trial.standing(direction),
        };
        self.trials.iter().map(observation).collect()
    }

    pub(super) fn curves(&self) -> Vec<Curve> {
        let loss = |report: &Report| (report.step, self.config.direction.loss(report.value));
        let curve = |trial: &Trial| Curve {
            number: trial.number,
            losses: trial.reports.iter().map(loss).collect(),
            finished: trial.value().is_some(),
        };
        self.trials.iter().map(curve).collect()
    }
}
