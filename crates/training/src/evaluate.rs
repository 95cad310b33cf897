//! Mean loss over held-out batches.

use burn::module::Module;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use crate::{Objective, TrainingError};

/// A held-out loss.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Loss per unit of weight, nats per label for language models.
    pub loss: f64,
    /// Labels evaluated.
    pub labels: u64,
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
    let (mut sum, mut weight) = (0.0, 0.0);
    for batch in batches {
        let output = objective.loss(model, &batch?, device);
        // Summed in f64: a split has millions of labels.
        sum += f64::from(output.loss_sum.into_scalar::<f32>());
        weight += output.weight;
    }
    Ok(Evaluation { loss: sum / weight, labels: weight as u64 })
}
