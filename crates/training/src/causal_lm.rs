//! Next-token prediction (and anything else that is labels over a decoder's logits).

use burn::tensor::{Device, Gradients, Int, Tensor, TensorData};
use wuji_data::TokenBatch;
use wuji_model::{Backbone, BackboneInput, CausalLm, CheckpointedPass};

use crate::objective::{Objective, StepOutput};

/// Cross-entropy of each label that is not −100, at the position that predicts it: the loader has
/// already shifted labels, so position `t` predicts `labels[t]`.
#[derive(Debug, Clone, Default)]
pub struct CausalLmObjective {
    /// Mass of the target moved to the uniform distribution (Szegedy et al. 2016).
    pub label_smoothing: f64,
    /// Recompute blocks in the backward pass.
    pub activation_checkpointing: bool,
}

impl CausalLmObjective {
    fn input(batch: &TokenBatch, device: &Device) -> BackboneInput {
        let shape = [batch.batch, batch.context];
        let ids = |values: &[u32]| {
            let values: Vec<i64> = values.iter().map(|id| i64::from(*id)).collect();
            Tensor::<2, Int>::from_data(TensorData::new(values, shape), device)
        };
        BackboneInput {
            position_ids: batch.position_ids.as_deref().map(ids),
            segment_ids: batch.segment_ids.as_deref().map(ids),
            ..BackboneInput::new(ids(&batch.input_ids))
        }
    }

    fn labels(batch: &TokenBatch, device: &Device) -> Tensor<1, Int> {
        let count = batch.labels.len();
        Tensor::from_data(TensorData::new(batch.labels.clone(), [count]), device)
    }

    fn cross_entropy(&self, logits: Tensor<3>, labels: Tensor<1, Int>) -> Tensor<1> {
        let [batch, seq, vocab] = logits.dims();
        let logits = logits.reshape([batch * seq, vocab]);
        wuji_kernels::cross_entropy_sum(logits, labels, self.label_smoothing)
    }
}

impl Objective<CausalLm> for CausalLmObjective {
    type Batch = TokenBatch;

    fn weight(&self, batch: &TokenBatch) -> f64 {
        batch.label_count() as f64
    }

    fn tokens(&self, batch: &TokenBatch) -> u64 {
        batch.input_ids.len() as u64
    }

    fn loss(&self, model: &CausalLm, batch: &TokenBatch, device: &Device) -> StepOutput {
        let hidden = model.decoder.forward(Self::input(batch, device), None);
        let loss_sum = self.cross_entropy(model.logits(hidden), Self::labels(batch, device));
        StepOutput { loss_sum, weight: self.weight(batch) }
    }

    fn backward(
        &self,
        model: &CausalLm,
        batch: &TokenBatch,
        device: &Device,
        scale: f64,
        seed: u64,
        sink: &mut dyn FnMut(Gradients),
    ) -> Tensor<1> {
        if !self.activation_checkpointing {
            let output = self.loss(model, batch, device);
            sink((output.loss_sum.clone() * scale).backward());
            return output.loss_sum.detach();
        }
        let labels = Self::labels(batch, device);
        let pass = CheckpointedPass::forward(model, Self::input(batch, device), seed);
        let scaled =
            pass.backward(|hidden| self.cross_entropy(model.logits(hidden), labels) * scale, sink);
        scaled / scale
    }

    fn describe(&self, batch: &TokenBatch) -> serde_json::Value {
        serde_json::json!({
            "batch": batch.batch,
            "context": batch.context,
            "input_ids": batch.input_ids,
            "labels": batch.labels,
        })
    }
}
