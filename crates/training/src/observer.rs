//! Who watches a run: progress bars, logs, reports. The loop tells them what happened and no more.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::TrainingError;

/// One optimiser step has been made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepEvent {
    /// Steps made, this one included.
    pub step: u64,
    /// Loss per label of the step's batch, nats.
    pub loss: f64,
    /// Learning rate used.
    pub learning_rate: f64,
    /// Global gradient norm before clipping.
    pub grad_norm: f64,
    /// Tokens read in all.
    pub tokens: u64,
    /// Tokens per second of this step.
    pub tokens_per_second: f64,
    /// Whether the update was left out because something was not finite.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub skipped: bool,
}

/// The model has been evaluated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvalEvent {
    /// Steps made.
    pub step: u64,
    /// Loss per label, nats.
    pub validation_loss: f64,
    /// Labels evaluated.
    pub labels: u64,
    /// Whether this is the whole validation split.
    pub complete: bool,
    /// Whether it is the lowest so far.
    pub best: bool,
    /// Seconds it took.
    pub seconds: f64,
}

/// A checkpoint has been written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckpointEvent {
    /// Steps made.
    pub step: u64,
    /// Its directory.
    pub path: PathBuf,
    /// Seconds it took.
    pub seconds: f64,
}

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopReason {
    /// `max_steps` were made.
    Finished,
    /// No improvement for `early_stopping_patience` evaluations.
    EarlyStopping,
    /// Somebody asked, by Ctrl-C or otherwise; a checkpoint was written.
    Interrupted,
}

/// The run has ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunEnd {
    /// Steps made.
    pub step: u64,
    /// Why it ended.
    pub reason: StopReason,
    /// Seconds spent training, over all resumptions, without evaluation and checkpoints.
    pub train_seconds: f64,
}

/// Receives what happens. All methods default to nothing.
pub trait TrainObserver: Send {
    /// After each optimiser step.
    ///
    /// # Errors
    /// Only what must end the run, such as a full disk.
    fn on_step(&mut self, _event: &StepEvent) -> Result<(), TrainingError> {
        Ok(())
    }

    /// After each evaluation.
    ///
    /// # Errors
    /// As [`TrainObserver::on_step`].
    fn on_eval(&mut self, _event: &EvalEvent) -> Result<(), TrainingError> {
        Ok(())
    }

    /// After each checkpoint.
    ///
    /// # Errors
    /// As [`TrainObserver::on_step`].
    fn on_checkpoint(&mut self, _event: &CheckpointEvent) -> Result<(), TrainingError> {
        Ok(())
    }

    /// Once, at the end.
    ///
    /// # Errors
    /// As [`TrainObserver::on_step`].
    fn on_end(&mut self, _event: &RunEnd) -> Result<(), TrainingError> {
        Ok(())
    }
}

/// Writes every event as a line of `metrics.jsonl`.
#[derive(Debug)]
pub struct JsonlObserver {
    path: PathBuf,
    file: BufWriter<File>,
}

/// A line of `metrics.jsonl`.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Line<'a> {
    Step(&'a StepEvent),
    Eval(&'a EvalEvent),
    Checkpoint(&'a CheckpointEvent),
    End(&'a RunEnd),
}

impl JsonlObserver {
    /// Appends to `path`, after dropping lines of steps later than `resume_step`: a run that was
    /// killed may have logged steps past its last checkpoint, which are about to be made again.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn open(path: &Path, resume_step: u64) -> Result<Self, TrainingError> {
        let kept = match std::fs::read_to_string(path) {
            Ok(text) => text
                .lines()
                .filter(|line| is_before(line, resume_step))
                .map(|l| format!("{l}\n"))
                .collect(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(source) => return Err(TrainingError::io("reading", path, source)),
        };
        std::fs::write(path, kept).map_err(|source| TrainingError::io("writing", path, source))?;
        let file = OpenOptions::new()
            .append(true)
            .open(path)
            .map_err(|source| TrainingError::io("opening", path, source))?;
        Ok(Self { path: path.into(), file: BufWriter::new(file) })
    }

    fn write(&mut self, line: &Line, flush: bool) -> Result<(), TrainingError> {
        let text = serde_json::to_string(line).expect("events hold only numbers and paths");
        let written = writeln!(self.file, "{text}");
        let written = written.and_then(|()| if flush { self.file.flush() } else { Ok(()) });
        written.map_err(|source| TrainingError::io("writing", &self.path, source))
    }
}

/// Whether a line belongs to a step that the resumed run will not make again.
fn is_before(line: &str, resume_step: u64) -> bool {
    let value: Option<serde_json::Value> = serde_json::from_str(line).ok();
    let step = value.as_ref().and_then(|value| value["step"].as_u64());
    let ended = value.as_ref().is_some_and(|value| value["event"] == "end");
    step.is_some_and(|step| step <= resume_step) && !ended
}

impl TrainObserver for JsonlObserver {
    fn on_step(&mut self, event: &StepEvent) -> Result<(), TrainingError> {
        self.write(&Line::Step(event), event.step.is_multiple_of(20))
    }

    fn on_eval(&mut self, event: &EvalEvent) -> Result<(), TrainingError> {
        self.write(&Line::Eval(event), true)
    }

    fn on_checkpoint(&mut self, event: &CheckpointEvent) -> Result<(), TrainingError> {
        self.write(&Line::Checkpoint(event), true)
    }

    fn on_end(&mut self, event: &RunEnd) -> Result<(), TrainingError> {
        self.write(&Line::End(event), true)
    }
}
