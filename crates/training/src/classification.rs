//! Classes of whole texts: fine-tuning's first objective (Devlin et al. 2019, section 4.1), for any
//! kind of model.

use std::path::Path;

use burn::tensor::{Device, Tensor};
use wuji_data::objectives::{ClassificationBatch, LabelledText};
use wuji_kernels::CrossEntropy;
use wuji_model::{SequenceClassifier, TextStates};

use crate::batch::BatchSource;
use crate::example_order::ExampleOrder;
use crate::objective::{Objective, StepOutput, TrainingBatch};
use crate::{TrainableModel, TrainingError, tensors};

/// Cross-entropy of each text's class.
#[derive(Debug, Clone, Default)]
pub struct ClassificationObjective {
    /// Mass of the target moved to the uniform distribution (Szegedy et al. 2016).
    pub label_smoothing: f64,
}

/// Logits `[batch, classes]` of a batch of texts.
pub fn class_logits<M: TextStates>(
    model: &SequenceClassifier<M>,
    batch: &ClassificationBatch,
    device: &Device,
) -> Tensor<2> {
    let shape = [batch.batch, batch.seq];
    let ids = tensors::ids(&batch.input_ids, shape, device);
    model.forward(ids, tensors::mask(&batch.attention_mask, shape, device))
}

impl<M: TextStates> Objective<SequenceClassifier<M>> for ClassificationObjective {
    type Batch = ClassificationBatch;

    fn loss(
        &self,
        model: &SequenceClassifier<M>,
        batch: &ClassificationBatch,
        device: &Device,
    ) -> StepOutput {
        let labels = tensors::labels(&batch.labels, device);
        let logits = class_logits(model, batch, device);
        let options = tensors::learnt(CrossEntropy::smoothed(self.label_smoothing), device);
        let loss_sum = wuji_kernels::cross_entropy_sum(logits, labels, options);
        StepOutput::new(loss_sum, batch.weight())
    }
}

/// The backbone's own directory, and the head beside it.
impl<M: TextStates + TrainableModel> TrainableModel for SequenceClassifier<M> {
    fn save_model(&self, dir: &Path) -> Result<(), TrainingError> {
        self.backbone.save_model(dir)?;
        Ok(self.save_head(dir)?)
    }

    fn load_model(&self, dir: &Path, device: &Device) -> Result<Self, TrainingError> {
        let backbone = self.backbone.load_model(dir, device)?;
        Ok(Self::with_stored_head(backbone, self.pooling(), dir, device)?)
    }
}

/// Labelled texts in batches of like length.
#[derive(Debug)]
pub struct ClassificationBatches {
    texts: Vec<LabelledText>,
    order: ExampleOrder,
    padding: u32,
}

impl ClassificationBatches {
    /// Batches of so many rows, so many of them in a step, shuffled by `seed` anew for every pass.
    pub fn shuffled(
        texts: Vec<LabelledText>,
        padding: u32,
        (rows, micro_steps): (usize, u32),
        seed: u64,
    ) -> Self {
        let lengths = texts.iter().map(|text| (text.input_ids.len(), 0)).collect();
        Self { texts, padding, order: ExampleOrder::shuffled(lengths, (rows, micro_steps), seed) }
    }

    /// Batches of `rows` texts in their order.
    pub fn in_order(texts: Vec<LabelledText>, padding: u32, rows: usize) -> Self {
        let order = ExampleOrder::in_order(texts.len(), rows);
        Self { texts, padding, order }
    }

    /// Batches in one pass over the texts.
    pub fn batches_per_epoch(&self) -> u64 {
        self.order.batches_per_pass()
    }
}

impl BatchSource<ClassificationBatch> for ClassificationBatches {
    fn batch(&self, step: u64, micro_step: u32) -> Result<ClassificationBatch, TrainingError> {
        let indices = self.order.batch(step, micro_step);
        let texts: Vec<&LabelledText> =
            indices.into_iter().map(|index| &self.texts[index]).collect();
        Ok(ClassificationBatch::collate(&texts, self.padding))
    }
}
