//! What one run leaves behind: a file per row and seed, from which the table is made.

use std::path::Path;

use serde::{Deserialize, Serialize};
use wuji_training::{Evaluation, LabelScore};

use super::Condition;
use crate::WujiError;

/// A network of one row, trained with one seed, and everything that it was asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RunResult {
    pub condition: Condition,
    pub seed: u64,
    /// The network's family.
    pub model_type: String,
    /// All parameters, without the classifier's head.
    pub parameters: usize,
    /// Those that multiply an activation.
    pub matrix_parameters: usize,
    /// What pre-training took, and what came of it; nothing where there was none.
    pub pretraining: Option<PretrainingResult>,
    /// One for each set of labelled texts.
    pub tasks: Vec<TaskResult>,
}

/// What pre-training took, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PretrainingResult {
    pub steps: u64,
    /// Tokens of text that were read, before anything was made of them.
    pub text_tokens: u64,
    /// Floating-point operations, counted.
    pub operations: f64,
    pub train_seconds: f64,
    /// The objective's own loss on held-out text.
    pub own_loss: Evaluation,
    /// Natural log-probability of each hidden token.
    pub hidden_log_probs: Vec<f64>,
    /// Whether each was the most likely.
    pub hidden_right: Vec<bool>,
}

impl PretrainingResult {
    /// Puts the scores of hidden tokens in.
    #[must_use]
    pub(super) fn with_hidden(self, scores: &[LabelScore]) -> Self {
        Self {
            hidden_log_probs: scores.iter().map(|score| score.log_prob).collect(),
            hidden_right: scores.iter().map(|score| score.is_best).collect(),
            ..self
        }
    }
}

/// How the texts of a set were classified.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TaskResult {
    pub task: String,
    pub train_seconds: f64,
    /// Whether each text was given its class.
    pub right: Vec<bool>,
}

impl RunResult {
    /// Reads a run's file; nothing where there is none.
    pub(super) fn load(path: &Path) -> Result<Option<Self>, WujiError> {
        if !path.is_file() {
            return Ok(None);
        }
        let text = std::fs::read_to_string(path)
            .map_err(|source| WujiError::io("reading", path, source))?;
        let result = serde_json::from_str(&text);
        result.map(Some).map_err(|error| WujiError::input(path, error.to_string()))
    }
}
