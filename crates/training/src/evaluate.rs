//! Mean loss over held-out batches.

use burn::module::Module;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use crate::{Objective, StepOutput, TrainingError};

/// A held-out loss.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Loss per unit of weight, nats per label for language models.
    pub loss: f64,
    /// Labels evaluated.
    pub labels: u64,
    /// What was asked of sentence pairs, where the objective asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sentences: Option<SentenceScore>,
}

/// How questions about sentence pairs were answered.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SentenceScore {
    /// Nats per pair.
    pub loss: f64,
    /// Share of the right answers.
    pub accuracy: f64,
    /// Pairs evaluated.
    pub pairs: u64,
}

impl Evaluation {
    /// What training lowers: the loss, with that of sentence pairs where there are any.
    pub fn total(&self) -> f64 {
        self.loss + self.sentences.map_or(0.0, |sentences| sentences.loss)
    }
}

/// Evaluates `model` (without autodiff) on `batches`: the sum of losses over the sum of weights.
///
/// # Errors
/// A batch that cannot be read.
pub fn evaluate<M: Module, O: Objective<M>>(
    model: &M,
    objective: &O,
    batches: impl Iterator<Item = Result<O::Batch, TrainingError>>,
    device: &Device,
) -> Result<Evaluation, TrainingError> {
    let mut sums = LossSums::default();
    for batch in batches {
        sums.add(objective.loss(model, &batch?, device));
    }
    Ok(sums.means())
}

/// Sums over batches, in f64: a split has millions of labels.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LossSums {
    loss: f64,
    weight: f64,
    sentence_loss: f64,
    right: f64,
    sentence_weight: f64,
}

impl LossSums {
    /// Adds those of a batch.
    pub(crate) fn add(&mut self, output: StepOutput) {
        self.loss += f64::from(output.loss_sum.into_scalar::<f32>());
        self.weight += output.weight;
        if let Some(sentences) = output.sentences {
            self.sentence_loss += f64::from(sentences.loss_sum.into_scalar::<f32>());
            self.right += sentences.right.into_scalar::<i64>() as f64;
            self.sentence_weight += sentences.weight;
        }
    }

    /// The means. Without any label the loss is 0 over 0.
    pub(crate) fn means(&self) -> Evaluation {
        let sentences = (self.sentence_weight > 0.0).then(|| SentenceScore {
            loss: self.sentence_loss / self.sentence_weight,
            accuracy: self.right / self.sentence_weight,
            pairs: self.sentence_weight as u64,
        });
        Evaluation { loss: self.loss / self.weight, labels: self.weight as u64, sentences }
    }
}
