//! Tokens behind a part that is read in both directions: prefix language modelling (Liu et al. 2018)
//! and GLM's blank infilling (Du et al. 2022).

use burn::tensor::{Bool, Device, Tensor, TensorData};
use wuji_data::objectives::MaskedBatch;
use wuji_model::{BackboneInput, CausalLm};

use crate::objective::{Objective, StepOutput, TrainingBatch};
use crate::tensors;

/// Cross-entropy of the labels of a decoder whose rows begin with a part that all may attend to.
#[derive(Debug, Clone, Default)]
pub struct PrefixLmObjective;

impl PrefixLmObjective {
    /// What the model reads of a batch.
    pub fn input(batch: &MaskedBatch, device: &Device) -> BackboneInput {
        let shape = [batch.batch, batch.seq];
        let ids = |values: &[u32]| tensors::ids(values, shape, device);
        BackboneInput {
            position_ids: batch.position_ids.as_deref().map(ids),
            block_position_ids: batch.block_position_ids.as_deref().map(ids),
            pair_mask: Some(pair_mask(batch, device)),
            ..BackboneInput::new(ids(&batch.input_ids))
        }
    }
}

/// Who may attend to whom, `[batch, seq, seq]`.
fn pair_mask(batch: &MaskedBatch, device: &Device) -> Tensor<3, Bool> {
    let seq = batch.seq;
    let pairs = (0..batch.batch)
        .flat_map(|row| (0..seq * seq).map(move |pair| batch.attends(row, pair / seq, pair % seq)));
    let pairs: Vec<bool> = pairs.collect();
    Tensor::from_data(TensorData::new(pairs, [batch.batch, seq, seq]), device)
}

impl Objective<CausalLm> for PrefixLmObjective {
    type Batch = MaskedBatch;

    fn loss(&self, model: &CausalLm, batch: &MaskedBatch, device: &Device) -> StepOutput {
        let logits = model.forward_input(Self::input(batch, device)).flatten::<2>(0, 1);
        let labels = tensors::labels(&batch.labels, device);
        let loss_sum = wuji_kernels::cross_entropy_sum(logits, labels, 0.0);
        StepOutput::new(loss_sum, batch.weight())
    }
}
