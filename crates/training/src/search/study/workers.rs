//! Several workers on one study.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Advice, Measured, Study, Trial};
use crate::search::SearchError;

/// Why a trial ends without a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Halt {
    /// It was told to stop.
    Pruned,
    /// It went wrong, for this reason.
    Failed(String),
    /// Whoever runs the search wants it to end; the trial is begun again when the search is resumed.
    Interrupted,
}

impl<E: std::error::Error> From<E> for Halt {
    fn from(error: E) -> Self {
        Self::Failed(error.to_string())
    }
}

/// How trials are carried out.
pub struct Workers<'a> {
    /// Trials at once.
    pub count: NonZeroUsize,
    /// Seconds since the search began: libraries read no clock that is not passed in.
    pub clock: &'a (dyn Fn() -> f64 + Sync),
    /// Whether no more trials should begin.
    pub stop: &'a (dyn Fn() -> bool + Sync),
    /// Hears of each trial when it begins and when it is over.
    pub watch: &'a (dyn Fn(&Trial) + Sync),
}

/// A trial for its objective: what to try, and where to report.
pub struct RunningTrial<'a> {
    trial: &'a Trial,
    study: &'a (dyn Fn(u64, f64) -> Result<(), Halt> + Sync),
}

/// What workers share.
struct Shared<'s> {
    study: Mutex<&'s mut Study>,
    /// The first error of the study itself: all workers end.
    broken: Mutex<Option<SearchError>>,
}

impl RunningTrial<'_> {
    /// The trial.
    pub fn trial(&self) -> &Trial {
        self.trial
    }

    /// Reports a value on the way.
    ///
    /// # Errors
    /// [`Halt`] if the trial should end; an objective passes it on.
    pub fn report(&self, step: u64, value: f64) -> Result<(), Halt> {
        if !value.is_finite() {
            return Err(Halt::Failed(format!("its value at step {step} is {value}")));
        }
        (self.study)(step, value)
    }
}

impl<'s> Shared<'s> {
    fn study(&self) -> MutexGuard<'_, &'s mut Study> {
        self.study.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Passes a report on, and the advice back.
    fn report(&self, number: u64, step: u64, value: f64) -> Result<(), Halt> {
        match self.study().report(number, step, value) {
            Ok(Advice::GoOn) => Ok(()),
            Ok(Advice::Stop) => Err(Halt::Pruned),
            Err(error) => {
                self.break_off(error);
                Err(Halt::Interrupted)
            }
        }
    }

    fn break_off(&self, error: SearchError) {
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        broken.get_or_insert(error);
    }

    fn is_broken(&self) -> bool {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}

impl Study {
    /// Carries out trials until the budget is spent or somebody asks to stop. An objective that panics is
    /// a trial that failed.
    ///
    /// # Errors
    /// The journal cannot be written; trials that run come to their end first.
    pub fn run(
        &mut self,
        workers: &Workers,
        objective: &(dyn Fn(&RunningTrial) -> Result<Measured, Halt> + Sync),
    ) -> Result<(), SearchError> {
        let shared = Shared { study: Mutex::new(self), broken: Mutex::new(None) };
        std::thread::scope(|scope| {
            for _ in 0..workers.count.get() {
                scope.spawn(|| work(&shared, workers, objective));
            }
        });
        let broken = shared.broken.into_inner().unwrap_or_else(PoisonError::into_inner);
        broken.map_or(Ok(()), Err)
    }
}

/// What each worker does: ask, try, tell, again.
fn work(
    shared: &Shared,
    workers: &Workers,
    objective: &(dyn Fn(&RunningTrial) -> Result<Measured, Halt> + Sync),
) {
    while !(workers.stop)() && !shared.is_broken() {
        let asked = shared.study().ask((workers.clock)());
        let trial = match asked {
            Ok(Some(trial)) => trial,
            Ok(None) => return,
            Err(error) => return shared.break_off(error),
        };
        (workers.watch)(&trial);
        let start = (workers.clock)();
        let report = |step, value| shared.report(trial.number, step, value);
        let running = RunningTrial { trial: &trial, study: &report };
        let outcome = catch_unwind(AssertUnwindSafe(|| objective(&running)));
        let outcome = outcome.unwrap_or_else(|panic| Err(Halt::Failed(panic_message(&*panic))));
        let end = (workers.clock)();
        let told = shared.study().tell(trial.number, outcome, end - start, end).cloned();
        match told {
            Ok(trial) => (workers.watch)(&trial),
            Err(error) => return shared.break_off(error),
        }
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("it panicked: {}", text.unwrap_or("no message"))
}
