//! A study: trials asked for, reported on and told, every step of it in a journal.
//!
//! [`Study::ask`] gives a trial, [`Study::report`] takes a value on its way and says whether to go on,
//! and [`Study::tell`] takes its outcome. Any number of trials may be out at once, and be told in any
//! order. [`Study::resume`] needs nothing but the directory: what a dead process was working on is begun
//! again, with the same parameters and the same seed.

mod config;
mod journal;
mod trial;
mod workers;

use std::path::{Path, PathBuf};

use wuji_data::Dice;

pub use config::{Budget, Direction, StudyConfig};
pub use trial::{Measured, Report, Trial, TrialState};
pub use workers::{Halt, RunningTrial, Workers};

use super::{Curve, Observation, Pruner, Question, Sampler, SearchError, SearchSpace};
use journal::{Event, Journal};

/// Whether a trial should go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advice {
    /// It should.
    GoOn,
    /// It is not worth it.
    Stop,
}

/// A study in a directory.
pub struct Study {
    dir: PathBuf,
    record: Record,
    sampler: Box<dyn Sampler>,
    pruner: Box<dyn Pruner>,
    journal: Journal,
}

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
    earlier_seconds: f64,
    /// Seconds of this session up to the last trial that was over.
    session_seconds: f64,
}

impl Study {
    /// Begins a study in `dir`.
    ///
    /// # Errors
    /// [`SearchError::Exists`], [`SearchError::InUse`], settings that cannot work, or an I/O error.
    pub fn create(
        dir: &Path,
        space: SearchSpace,
        config: StudyConfig,
    ) -> Result<Self, SearchError> {
        config.check()?;
        let (sampler, pruner) = (config.sampler.build(&space)?, config.pruner.build()?);
        let (mut journal, events) = Journal::open(dir)?;
        if !events.is_empty() {
            return Err(SearchError::Exists { path: dir.into() });
        }
        journal.append(&Event::Study {
            format: journal::FORMAT,
            config: config.clone(),
            space: space.clone(),
        })?;
        let record = Record::new(space, config);
        Ok(Self { dir: dir.into(), record, sampler, pruner, journal })
    }

    /// Goes on with the study in `dir`, with another budget if one is given.
    ///
    /// # Errors
    /// [`SearchError::NoStudy`], [`SearchError::InUse`], [`SearchError::BadJournal`], or an I/O error.
    pub fn resume(dir: &Path, budget: Option<Budget>) -> Result<Self, SearchError> {
        let none = |reason: &str| SearchError::NoStudy { path: dir.into(), reason: reason.into() };
        if !dir.join(journal::FILE).is_file() {
            return Err(none("there is no journal.jsonl"));
        }
        let (mut journal, events) = Journal::open(dir)?;
        let mut record = Record::replay(dir, &events)?
            .ok_or_else(|| none("its journal is empty; begin again with --out"))?;
        let session = Event::Session { budget: budget.unwrap_or(record.config.budget) };
        if let Some(budget) = budget {
            budget.check()?;
        }
        journal.append(&session)?;
        record.apply(&session).expect("a session can begin at any time");
        let (sampler, pruner) =
            (record.config.sampler.build(&record.space)?, record.config.pruner.build()?);
        Ok(Self { dir: dir.into(), record, sampler, pruner, journal })
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Everything so far.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// The next trial; `seconds` have passed since this session began. Trials of dead processes come
    /// first. `None` when the budget is spent, or nothing is left to try.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub fn ask(&mut self, seconds: f64) -> Result<Option<Trial>, SearchError> {
        let budget = self.record.config.budget;
        if budget.seconds.is_some_and(|most| self.record.earlier_seconds + seconds >= most) {
            return Ok(None);
        }
        let is_waiting = |trial: &&Trial| trial.state == TrialState::Waiting;
        if let Some(number) = self.record.trials.iter().find(is_waiting).map(|trial| trial.number) {
            return self.write(Event::Retry { number }).map(|()| self.trial(number));
        }
        let number = self.record.trials.len() as u64;
        if budget.trials.is_some_and(|most| number >= most) {
            return Ok(None);
        }
        let history = self.record.observations();
        let seed = self.record.config.seed;
        let question = Question { space: &self.record.space, seed, number, history: &history };
        let Some(parameters) = self.sampler.propose(&question) else { return Ok(None) };
        let seed = trial_seed(seed, number);
        self.write(Event::Ask { number, seed, parameters })?;
        Ok(self.trial(number))
    }

    /// Takes a value of a running trial on its way. A step that was reported before is reported anew.
    ///
    /// # Errors
    /// [`SearchError::NotRunning`], a value that is not finite, or the journal cannot be written.
    pub fn report(&mut self, number: u64, step: u64, value: f64) -> Result<Advice, SearchError> {
        if !value.is_finite() {
            let place = format!("trial {number}, step {step}");
            return Err(SearchError::invalid(place, "a finite value", value));
        }
        self.write(Event::Report { number, step, value })?;
        let stops = self.pruner.stops(number, &self.record.curves());
        Ok(if stops { Advice::Stop } else { Advice::GoOn })
    }

    /// Takes the outcome of a running trial: it came to its end, or has no value, or was told to stop.
    /// `seconds` is how long it took, `at` how long this session has lasted. A value that is not finite
    /// is a failure; to be stopped, a trial must have reported something.
    ///
    /// # Errors
    /// [`SearchError::NotRunning`], or the journal cannot be written.
    pub fn tell(
        &mut self,
        number: u64,
        outcome: Result<Measured, Halt>,
        seconds: f64,
        at: f64,
    ) -> Result<&Trial, SearchError> {
        let outcome = match outcome {
            Err(Halt::Interrupted) => {
                self.write(Event::Release { number })?;
                return Ok(&self.record.trials[number as usize]);
            }
            Ok(measured) if measured.value.is_finite() => TrialState::Finished(measured),
            Ok(measured) => {
                TrialState::Failed { reason: format!("its value is {}", measured.value) }
            }
            Err(Halt::Failed(reason)) => TrialState::Failed { reason },
            Err(Halt::Pruned) => {
                let trial = self.record.trials.get(number as usize);
                match trial.and_then(|trial| trial.reports.last()) {
                    Some(&Report { step, value }) => TrialState::Pruned { step, value },
                    None => TrialState::Failed { reason: "stopped before any report".to_string() },
                }
            }
        };
        self.write(Event::End { number, outcome, seconds, at })?;
        Ok(&self.record.trials[number as usize])
    }

    fn trial(&self, number: u64) -> Option<Trial> {
        self.record.trials.get(number as usize).cloned()
    }

    /// To the journal first: what is not there has not happened.
    fn write(&mut self, event: Event) -> Result<(), SearchError> {
        self.record.allows(&event)?;
        self.journal.append(&event)?;
        self.record.apply(&event).expect("it was allowed");
        Ok(())
    }
}

/// The seed of a trial, whatever other trials there are.
fn trial_seed(study_seed: u64, number: u64) -> u64 {
    // Proposals have the streams from 0.
    let mut dice = Dice::new(study_seed, u64::MAX - number);
    // Configuration files hold signed numbers.
    (dice.below(1 << 31) as u64) << 31 | dice.below(1 << 31) as u64
}

impl Record {
    fn new(space: SearchSpace, config: StudyConfig) -> Self {
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
    fn replay(dir: &Path, events: &[Event]) -> Result<Option<Self>, SearchError> {
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
    fn allows(&self, event: &Event) -> Result<(), SearchError> {
        let state = |number: &u64| match self.trials.get(*number as usize) {
            Some(trial) => trial.state.name(),
            None => "unknown",
        };
        let (number, expected) = match event {
            Event::Session { .. } => return Ok(()),
            Event::Study { .. } => {
                return Err(SearchError::invalid("journal", "one study", "a second"));
            }
            Event::Ask { number, parameters, .. } => {
                self.space.check(parameters)?;
                (number, "unknown")
            }
            Event::Retry { number } => (number, "waiting"),
            Event::Report { number, .. } | Event::Release { number } => (number, "running"),
            Event::End { number, .. } => (number, "running"),
        };
        let is_next = expected != "unknown" || *number == self.trials.len() as u64;
        match state(number) {
            found if found == expected && is_next => Ok(()),
            found => Err(SearchError::NotRunning { number: *number, state: found }),
        }
    }

    fn apply(&mut self, event: &Event) -> Result<(), SearchError> {
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

    fn observations(&self) -> Vec<Observation> {
        let direction = self.config.direction;
        let observation = |trial: &Trial| Observation {
            assignment: trial.parameters.clone(),
            standing: trial.standing(direction),
        };
        self.trials.iter().map(observation).collect()
    }

    fn curves(&self) -> Vec<Curve> {
        let loss = |report: &Report| (report.step, self.config.direction.loss(report.value));
        let curve = |trial: &Trial| Curve {
            number: trial.number,
            losses: trial.reports.iter().map(loss).collect(),
            finished: trial.value().is_some(),
        };
        self.trials.iter().map(curve).collect()
    }
}
