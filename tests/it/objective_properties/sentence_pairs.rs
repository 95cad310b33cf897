//! Two means in one loss: of masked tokens and of sentence pairs, however rows are cut into micro-batches.

use std::ops::Range;

use wuji::data::objectives::MaskedBatch;
use wuji::model::{EncoderModel, ModelConfig};
use wuji::training::{
    BatchSource, MaskedLmObjective, OptimizerKind, TrainingConfig, TrainingError,
};

use super::cases::{bert, sentence_pairs};
use crate::devices::flex;
use crate::tensors::assert_close;
use crate::trainings::{Made, Run, plain};

/// One batch, cut into micro-batches.
struct Cut(Vec<MaskedBatch>);

impl BatchSource<MaskedBatch> for Cut {
    fn batch(&self, _step: u64, micro_step: u32) -> Result<MaskedBatch, TrainingError> {
        Ok(self.0[micro_step as usize].clone())
    }
}

/// Some rows of a batch.
fn rows(batch: &MaskedBatch, range: Range<usize>) -> MaskedBatch {
    let places = range.start * batch.seq..range.end * batch.seq;
    let part = |ids: &Vec<u32>| ids[places.clone()].to_vec();
    MaskedBatch {
        batch: range.len(),
        input_ids: part(&batch.input_ids),
        attention_mask: part(&batch.attention_mask),
        token_type_ids: batch.token_type_ids.as_ref().map(part),
        labels: batch.labels[places.clone()].to_vec(),
        sentence_label: batch.sentence_label.as_ref().map(|labels| labels[range].to_vec()),
        ..batch.clone()
    }
}

/// Trains on a batch that is cut into micro-batches of so many rows.
fn train(cuts: &[usize]) -> Made<EncoderModel> {
    let config = ModelConfig::from_json(&bert("BertForPreTraining").to_string()).unwrap();
    let model = EncoderModel::init(&config, 1, &flex().autodiff()).unwrap();
    let training = TrainingConfig {
        gradient_accumulation_steps: cuts.len() as u32,
        optimizer: OptimizerKind::Sgd,
        learning_rate: 1.0,
        ..plain(2)
    };
    let batch = sentence_pairs();
    let mut start = 0;
    let mut next = |count: &usize| {
        start += count;
        rows(&batch, start - count..start)
    };
    let source = Cut(cuts.iter().map(&mut next).collect());
    Run::new(&training, model, &source).make_with(&MaskedLmObjective)
}

#[test]
fn uneven_micro_batches_are_the_full_batch() {
    let whole = train(&[4]);
    let cut = train(&[1, 3]);
    for (found, expected) in cut.steps.iter().zip(&whole.steps) {
        let close = |a: f64, b: f64| (a - b).abs() < 1e-5 * b;
        assert!(close(found.loss, expected.loss), "{found:?}, {expected:?}");
        let pairs = [found, expected].map(|step| step.sentence_loss.unwrap());
        assert!(close(pairs[0], pairs[1]), "{found:?}, {expected:?}");
        assert!(close(found.grad_norm, expected.grad_norm), "{found:?}, {expected:?}");
    }
    let weights = [&cut, &whole].map(|made| made.trainer.trained_model().file_tensors());
    for (found, expected) in weights[0].iter().zip(&weights[1]) {
        assert_close(&found.name, &found.values, &expected.values, 1e-5);
    }
}
