//! Masked language modelling (Devlin et al. 2019), with a second task for pairs of sentences.

use burn::tensor::{Device, Tensor};
use wuji_data::objectives::MaskedBatch;
use wuji_kernels::CrossEntropy;
use wuji_model::{BackboneInput, EncoderModel, Predictions};

use crate::label_scores::{TokenObjective, labelled};
use crate::objective::{Objective, SentenceOutput, StepOutput, TrainingBatch};
use crate::tensors;

/// Cross-entropy of the hidden tokens, each guessed at its own position; and where rows are sentence
/// pairs, that of the answers to what is asked of them (next sentence, sentence order). The loss is
/// the sum of the two means, as in BERT.
///
/// Only hidden positions go through the head: about a seventh of its arithmetic and memory, which
/// with a large vocabulary is most of what there is.
#[derive(Debug, Clone, Default)]
pub struct MaskedLmObjective;

impl MaskedLmObjective {
    /// What the model reads of a batch.
    pub fn input(batch: &MaskedBatch, device: &Device) -> BackboneInput {
        let shape = [batch.batch, batch.seq];
        let ids = |values: &[u32]| tensors::ids(values, shape, device);
        let is_padded = batch.attention_mask.contains(&0);
        BackboneInput {
            attention_mask: is_padded.then(|| tensors::mask(&batch.attention_mask, shape, device)),
            token_type_ids: batch.token_type_ids.as_deref().map(ids),
            position_ids: batch.position_ids.as_deref().map(ids),
            segment_ids: batch.segment_ids.as_deref().map(ids),
            ..BackboneInput::new(ids(&batch.input_ids))
        }
    }

    /// The sum over hidden tokens.
    fn token_loss(
        model: &EncoderModel,
        hidden: Tensor<3>,
        batch: &MaskedBatch,
        device: &Device,
    ) -> Tensor<1> {
        let labelled = labelled(&batch.labels);
        if labelled.labels.is_empty() {
            return hidden.sum() * 0.0; // On the tape, so that there is something to go back from.
        }
        let labels = tensors::labels(&labelled.labels, device);
        Self::predictions(model, labelled.states(hidden, device))
            .cross_entropy_sum(labels, CrossEntropy::default())
    }

    fn predictions(model: &EncoderModel, hidden: Tensor<3>) -> Predictions {
        let predictions = model.masked_tokens(hidden);
        predictions.expect("a run checks before it begins that the model predicts tokens")
    }

    /// The answers about the rows, where something is asked and the model has a head to answer it.
    fn sentences(
        model: &EncoderModel,
        hidden: Tensor<3>,
        batch: &MaskedBatch,
        device: &Device,
    ) -> Option<SentenceOutput> {
        let labels = tensors::labels(batch.sentence_label.as_ref()?, device);
        let logits = model.next_sentence_logits(hidden)?; // [batch, 2]
        let answers = logits.clone().detach().argmax(1).squeeze_dim::<1>(1);
        Some(SentenceOutput {
            right: answers.equal(labels.clone()).int().sum(),
            loss_sum: wuji_kernels::cross_entropy_sum(logits, labels, CrossEntropy::default()),
            weight: batch.sentence_weight(),
        })
    }
}

impl TokenObjective<EncoderModel> for MaskedLmObjective {
    fn labels<'a>(&self, batch: &'a MaskedBatch) -> &'a [i64] {
        &batch.labels
    }

    fn label_logits(
        &self,
        model: &EncoderModel,
        batch: &MaskedBatch,
        device: &Device,
    ) -> Tensor<2> {
        let hidden = model.forward(Self::input(batch, device));
        let chosen = labelled(&batch.labels).states(hidden, device);
        Self::predictions(model, chosen).logits().squeeze_dim::<2>(0)
    }
}

impl Objective<EncoderModel> for MaskedLmObjective {
    type Batch = MaskedBatch;

    fn loss(&self, model: &EncoderModel, batch: &MaskedBatch, device: &Device) -> StepOutput {
        let hidden = model.forward(Self::input(batch, device));
        let sentences = Self::sentences(model, hidden.clone(), batch, device);
        let loss_sum = Self::token_loss(model, hidden, batch, device);
        StepOutput { sentences, ..StepOutput::new(loss_sum, batch.weight()) }
    }
}
