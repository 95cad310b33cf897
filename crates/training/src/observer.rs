//! Who watches a run: progress bars, logs, reports. The loop tells them what happened and no more.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{SentenceScore, TrainingError};

/// One optimiser step has been made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepEvent {
    /// Steps made, this one included.
    pub step: u64,
    /// Loss per label of the step's batch, nats.
    pub loss: f64,
    /// Loss per sentence pair of the step's batch, nats, where something is asked of pairs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sentence_loss: Option<f64>,
    /// Learning rate used.
    pub learning_rate: f64,
    /// Global gradient norm before clipping.
    pub grad_norm: f64,
    /// Tokens read in all.
    pub tokens: u64,
    /// Tokens per second of this step, waiting for its batches included.
    pub tokens_per_second: f64,
    /// Seconds that the step waited for its batches, which are read ahead.
    #[serde(default)]
    pub data_seconds: f64,
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
    /// What was asked of sentence pairs, where the objective asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sentences: Option<SentenceScore>,
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
    file: File,
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
        let io = |action| move |source| TrainingError::io(action, path, source);
        let file = OpenOptions::new().read(true).append(true).create(true).open(path);
        let mut file = file.map_err(io("opening"))?;
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(io("reading"))?;
        // Events are written in the order of steps, so what goes is the end of the file. Cutting it
        // off needs no room and leaves no moment at which the rest could be lost.
        file.set_len(kept_bytes(&text, resume_step)).map_err(io("cutting"))?;
        Ok(Self { path: path.into(), file })
    }

    /// Writes a line at once: a killed process must not take with it what a checkpoint counts on.
    fn write(&mut self, line: &Line) -> Result<(), TrainingError> {
        let mut text = serde_json::to_string(line).expect("events hold only numbers and paths");
        text.push('\n');
        let written = self.file.write_all(text.as_bytes());
        written.map_err(|source| TrainingError::io("writing", &self.path, source))
    }
}

/// Length of the lines at the beginning that belong to steps up to `resume_step`.
fn kept_bytes(text: &[u8], resume_step: u64) -> u64 {
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    lines.take_while(|line| is_kept(line, resume_step)).map(|line| line.len() as u64).sum()
}

/// Whether a line is whole and belongs to a step that the resumed run will not make again.
fn is_kept(line: &[u8], resume_step: u64) -> bool {
    let value: Option<serde_json::Value> = serde_json::from_slice(line).ok();
    let step = value.as_ref().and_then(|value| value["step"].as_u64());
    let ended = value.as_ref().is_some_and(|value| value["event"] == "end");
    line.ends_with(b"\n") && step.is_some_and(|step| step <= resume_step) && !ended
}

impl TrainObserver for JsonlObserver {
    fn on_step(&mut self, event: &StepEvent) -> Result<(), TrainingError> {
        self.write(&Line::Step(event))
    }

    fn on_eval(&mut self, event: &EvalEvent) -> Result<(), TrainingError> {
        self.write(&Line::Eval(event))
    }

    fn on_checkpoint(&mut self, event: &CheckpointEvent) -> Result<(), TrainingError> {
        self.write(&Line::Checkpoint(event))
    }

    fn on_end(&mut self, event: &RunEnd) -> Result<(), TrainingError> {
        self.write(&Line::End(event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(text: &str, resume_step: u64) -> &str {
        &text[..kept_bytes(text.as_bytes(), resume_step) as usize]
    }

    #[test]
    fn lines_of_steps_that_will_be_made_again_go() {
        let one = "{\"event\":\"step\",\"step\":1}\n{\"event\":\"checkpoint\",\"step\":1}\n";
        let two = "{\"event\":\"step\",\"step\":2}\n";
        let both = format!("{one}{two}");
        assert_eq!(kept(&both, 2), both);
        assert_eq!(kept(&both, 1), one);
        assert_eq!(kept(&both, 0), "");
    }

    #[test]
    fn the_end_of_an_interrupted_run_and_half_a_line_go() {
        let step = "{\"event\":\"step\",\"step\":1}\n";
        assert_eq!(kept(&format!("{step}{{\"event\":\"end\",\"step\":1}}\n"), 1), step);
        assert_eq!(kept(&format!("{step}{{\"event\":\"st"), 9), step);
        assert_eq!(kept(&format!("{step}{{\"event\":\"step\",\"step\":2}}"), 9), step);
    }
}
