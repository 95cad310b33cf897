//! Tokens behind a part that is read in both directions: prefix language modelling (Liu et al. 2018)
//! and GLM's blank infilling (Du et al. 2022).

use burn::tensor::{Bool, Device, Tensor, TensorData};
use wuji_data::objectives::MaskedBatch;
use wuji_kernels::CrossEntropy;
use wuji_model::{Backbone, BackboneInput, CausalLm};

use crate::label_scores::{TokenObjective, labelled};
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

/// Hidden states of a batch, `[batch, seq, hidden_size]`.
fn states(model: &CausalLm, batch: &MaskedBatch, device: &Device) -> Tensor<3> {
    model.decoder.forward(PrefixLmObjective::input(batch, device), None)
}

impl TokenObjective<CausalLm> for PrefixLmObjective {
    fn labels<'a>(&self, batch: &'a MaskedBatch) -> &'a [i64] {
        &batch.labels
    }

    fn label_logits(&self, model: &CausalLm, batch: &MaskedBatch, device: &Device) -> Tensor<2> {
        let chosen = labelled(&batch.labels).states(states(model, batch, device), device);
        model.logits(chosen).squeeze_dim::<2>(0)
    }
}

impl Objective<CausalLm> for PrefixLmObjective {
    type Batch = MaskedBatch;

    /// As of masked tokens, only labelled positions go through the head.
    fn loss(&self, model: &CausalLm, batch: &MaskedBatch, device: &Device) -> StepOutput {
        let labelled = labelled(&batch.labels);
        let hidden = states(model, batch, device);
        let loss_sum = if labelled.labels.is_empty() {
            hidden.sum() * 0.0 // On the tape, so that there is something to go back from.
        } else {
            let labels = tensors::labels(&labelled.labels, device);
            let predictions = model.predictions(labelled.states(hidden, device));
            predictions.cross_entropy_sum(labels, CrossEntropy::default())
        };
        StepOutput::new(loss_sum, batch.weight())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wuji_data::objectives::{BlankInfillingOptions, SpecialIds};
    use wuji_model::ModelConfig;

    #[test]
    fn the_loss_is_that_of_all_logits_although_few_are_made() {
        let device = "flex".parse::<wuji_device::DeviceSpec>().unwrap().open().unwrap();
        let config = r#"{"model_type": "glm_original", "vocab_size": 40, "hidden_size": 16, "num_layers": 1,
            "num_attention_heads": 2, "max_sequence_length": 32, "initializer_range": 0.5}"#;
        let model = CausalLm::init(&ModelConfig::from_json(config).unwrap(), 1, &device).unwrap();
        let special = SpecialIds {
            mask: Some(36),
            start_of_piece: Some(37),
            end_of_piece: Some(38),
            ..SpecialIds::new(40)
        };
        let example = |seed: u32| {
            let window: Vec<u32> = (0..20).map(|at| (at * 7 + seed) % 36).collect();
            BlankInfillingOptions::default().apply(&special, &window, u64::from(seed)).unwrap()
        };
        let batch = MaskedBatch::collate(&[example(1), example(2)], &special, None).unwrap();
        let output = PrefixLmObjective.loss(&model, &batch, &device);
        let logits = model.forward_input(PrefixLmObjective::input(&batch, &device));
        let labels = tensors::labels(&batch.labels, &device);
        let all = wuji_kernels::cross_entropy_sum(
            logits.flatten::<2>(0, 1),
            labels,
            CrossEntropy::default(),
        );
        let (few, all) = (output.loss_sum.into_scalar::<f32>(), all.into_scalar::<f32>());
        assert!((few - all).abs() < 1e-4 * all, "{few} and {all}");
    }
}
