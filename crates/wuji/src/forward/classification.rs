//! What classification heads of encoders learn from: labels of texts, and the ends of answers.

use burn::tensor::Tensor;
use serde_json::Value;
use wuji_model::ModelConfig;

use super::losses::{Logits, Targets, binary_cross_entropy, mean_squared_error, some_targets};
use super::outputs::{Outputs, values};
use super::reader::{Expected, IGNORED_LABEL, Reader};
use crate::WujiError;

/// Labels of texts.
#[derive(Debug)]
pub(super) enum TextTargets {
    /// One of several.
    One(Targets),
    /// Any number of several: for each 0 or 1, or between.
    Several(Vec<f32>),
    /// Numbers to come close to.
    Numbers(Vec<f32>),
}

impl TextTargets {
    /// Reads `labels` as the config's `problem_type` says; where it does not, as `transformers`
    /// guesses: numbers of one label, one of several where they are integers, else any of them.
    pub(super) fn read(
        config: &ModelConfig,
        reader: &Reader,
        batch: usize,
        count: usize,
    ) -> Result<Option<Self>, WujiError> {
        let name = "labels";
        if reader.shape(name).is_none() {
            return Ok(None);
        }
        let stated = config.extra().get("problem_type").and_then(Value::as_str);
        let guessed = match (count, reader.is_integer(name)) {
            (1, _) => "regression",
            (_, true) => "single_label_classification",
            (_, false) => "multi_label_classification",
        };
        let each = Expected { shape: &[batch, count], source: "each row and label" };
        let row = Expected { shape: &[batch], source: "one for each row" };
        Ok(match stated.unwrap_or(guessed) {
            "regression" => {
                let is_flat = count == 1 && reader.shape(name).is_some_and(|s| s.len() == 1);
                reader.numbers(name, if is_flat { row } else { each })?.map(Self::Numbers)
            }
            "multi_label_classification" => reader.numbers(name, each)?.map(Self::Several),
            "single_label_classification" => {
                let labels = reader.like(name, row, 0..count as i64, &[IGNORED_LABEL])?;
                let targets = Targets::of_rows(&labels.unwrap_or_default());
                Some(Self::One(some_targets(reader, name, targets)?))
            }
            other => {
                let problem = format!(
                    "cannot be read: the config's problem_type is {other:?}; expected regression, \
                     single_label_classification or multi_label_classification"
                );
                return Err(reader.bad(name, problem));
            }
        })
    }

    pub(super) fn loss(&self, logits: &Logits) -> f64 {
        match self {
            Self::One(targets) => targets.loss(logits),
            Self::Several(labels) => binary_cross_entropy(&logits.values, labels),
            Self::Numbers(numbers) => mean_squared_error(&logits.values, numbers),
        }
    }
}

/// `start_positions` and `end_positions`, where both are given.
pub(super) fn read_answers(
    reader: &Reader,
    [batch, seq]: [usize; 2],
) -> Result<Option<[Targets; 2]>, WujiError> {
    let row = Expected { shape: &[batch], source: "one for each row" };
    let read = |name| {
        let places = reader.like(name, row, 0..seq as i64, &[])?;
        Ok::<_, WujiError>(places.and_then(|places| Targets::of_rows(&places)))
    };
    let (start, end) = (read("start_positions")?, read("end_positions")?);
    Ok(start.zip(end).map(|(start, end)| [start, end]))
}

/// Adds the scores of both ends, from `logits` `[batch, seq, 2]`. The loss is their mean, each over
/// all positions of the row, padding included, as `transformers` has it.
pub(super) fn add_answers(outputs: &mut Outputs, logits: Tensor<3>, targets: Option<[Targets; 2]>) {
    let ends = [0, 1].map(|end| logits.clone().narrow(2, end, 1).squeeze_dim::<2>(2));
    for (name, scores) in ["start_logits", "end_logits"].into_iter().zip(&ends) {
        outputs.add_of_tokens(name, scores.clone());
    }
    let Some(targets) = targets else { return };
    let losses = ends.into_iter().zip(targets).map(|(scores, targets)| {
        let [_, width] = scores.dims();
        targets.loss(&Logits { values: values(scores), width })
    });
    outputs.add_number("loss", losses.sum::<f64>() / 2.0);
}
