//! `metrics.jsonl`, read back.

use std::path::Path;

use wuji_training::{EvalEvent, StepEvent};

use crate::WujiError;

/// The events that charts are made of.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metrics {
    /// Every step.
    pub steps: Vec<StepEvent>,
    /// Every evaluation.
    pub evaluations: Vec<EvalEvent>,
}

impl Metrics {
    /// Reads the file; kinds of events that are not charted are passed over.
    ///
    /// # Errors
    /// The file cannot be read, or a line is not an event: with the line's number.
    pub fn read(path: &Path) -> Result<Self, WujiError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| WujiError::io("reading", path, source))?;
        let mut metrics = Self::default();
        for (index, line) in text.lines().enumerate() {
            let bad = |error: serde_json::Error| {
                WujiError::config(format!("{}:{}", path.display(), index + 1), error.to_string())
            };
            let value: serde_json::Value = serde_json::from_str(line).map_err(bad)?;
            match value["event"].as_str() {
                Some("step") => metrics.steps.push(serde_json::from_value(value).map_err(bad)?),
                Some("eval") => {
                    metrics.evaluations.push(serde_json::from_value(value).map_err(bad)?)
                }
                _ => {}
            }
        }
        Ok(metrics)
    }
}
