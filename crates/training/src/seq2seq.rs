//! A target text from a source: translation, summaries, and what span corruption makes of plain text
//! (Sutskever et al. 2014; Raffel et al. 2020).

use burn::tensor::{Device, Tensor};
use wuji_data::objectives::Seq2SeqBatch;
use wuji_kernels::CrossEntropy;
use wuji_model::{BackboneInput, EncoderDecoder, Seq2SeqLm};

use crate::label_scores::{TokenObjective, labelled};
use crate::objective::{Objective, StepOutput, TrainingBatch};
use crate::tensors;

/// Cross-entropy of the target's tokens, each given the source and the target before it.
#[derive(Debug, Clone, Default)]
pub struct Seq2SeqObjective {
    /// Mass of the target moved to the uniform distribution (Szegedy et al. 2016).
    pub label_smoothing: f64,
}

impl<M: EncoderDecoder> Objective<M> for Seq2SeqObjective {
    type Batch = Seq2SeqBatch;

    fn loss(&self, model: &M, batch: &Seq2SeqBatch, device: &Device) -> StepOutput {
        let source_shape = [batch.batch, batch.source_len];
        let predictions = model.target_tokens(
            tensors::ids(&batch.input_ids, source_shape, device),
            tensors::mask(&batch.attention_mask, source_shape, device),
            tensors::ids(&batch.decoder_input_ids, [batch.batch, batch.target_len], device),
        );
        let labels = tensors::labels(&batch.labels, device);
        let options = tensors::learnt(CrossEntropy::smoothed(self.label_smoothing), device);
        let loss_sum = predictions.cross_entropy_sum(labels, options);
        StepOutput::new(loss_sum, batch.weight())
    }
}

impl TokenObjective<Seq2SeqLm> for Seq2SeqObjective {
    fn labels<'a>(&self, batch: &'a Seq2SeqBatch) -> &'a [i64] {
        &batch.labels
    }

    fn label_logits(&self, model: &Seq2SeqLm, batch: &Seq2SeqBatch, device: &Device) -> Tensor<2> {
        let (source_shape, target_shape) =
            ([batch.batch, batch.source_len], [batch.batch, batch.target_len]);
        let mask = tensors::mask(&batch.attention_mask, source_shape, device);
        let memory = model.encode(tensors::ids(&batch.input_ids, source_shape, device), Some(mask));
        let target = tensors::ids(&batch.decoder_input_ids, target_shape, device);
        let hidden = model.decode(BackboneInput::new(target), &memory, None);
        let chosen = labelled(&batch.labels).states(hidden, device);
        model.logits(chosen).squeeze_dim::<2>(0)
    }
}
