//! A study: trials asked for, reported on and told, every step of it in a journal.
//!
//! [`Study::ask`] gives a trial, [`Study::report`] takes a value on its way and says whether to go on,
//! and [`Study::tell`] takes its outcome. Any number of trials may be out at once, and be told in any
//! order. [`Study::resume`] needs nothing but the directory: what a dead process was working on is begun
//! again, with the same parameters and the same seed.

mod config;
mod journal;
mod record;
mod trial;
mod workers;

use std::path::{Path, PathBuf};

use wuji_data::Dice;

pub use config::{Budget, Direction, StudyConfig};
pub use record::Record;
pub use trial::{Measured, Report, Trial, TrialState};
pub use workers::{Halt, RunningTrial, Workers};

use super::{Pruner, Question, Sampler, SearchError, SearchSpace};
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
    /// [`SearchError::WrongState`], a value that is not finite, or the journal cannot be written.
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
    /// [`SearchError::WrongState`], or the journal cannot be written.
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
