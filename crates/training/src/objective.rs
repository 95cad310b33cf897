//! The seam between the loop and what is being learnt.

use burn::module::Module;
use burn::tensor::{Device, Gradients, Int, Tensor};
use wuji_data::TokenBatch;
use wuji_data::objectives::{ClassificationBatch, MaskedBatch, Seq2SeqBatch};

/// What one forward pass gives: sums, and the weights they are to be divided by. The loss is the
/// mean over labels, plus the mean over sentence pairs where there are any.
#[derive(Debug)]
pub struct StepOutput {
    /// Sum of the losses of everything that counts, `[1]`, on the tape.
    pub loss_sum: Tensor<1>,
    /// How much counted, e.g. the number of labels.
    pub weight: f64,
    /// Answers about sentence pairs.
    pub sentences: Option<SentenceOutput>,
}

/// Answers to what is asked of the rows of a batch: does the second segment follow the first?
#[derive(Debug)]
pub struct SentenceOutput {
    /// Sum of their losses, `[1]`, on the tape.
    pub loss_sum: Tensor<1>,
    /// How many of them are right, `[1]`.
    pub right: Tensor<1, Int>,
    /// How many there are.
    pub weight: f64,
}

impl StepOutput {
    /// Labels alone.
    pub fn new(loss_sum: Tensor<1>, weight: f64) -> Self {
        Self { loss_sum, weight, sentences: None }
    }

    /// The share of this batch in the loss of a step, `[1]`, on the tape.
    pub fn scaled(&self, scale: LossScale) -> Tensor<1> {
        let labels = self.loss_sum.clone() * scale.labels;
        match &self.sentences {
            Some(sentences) => labels + sentences.loss_sum.clone() * scale.sentences,
            None => labels,
        }
    }

    /// The same, off the tape.
    #[must_use]
    pub fn detach(self) -> Self {
        let sentences = self
            .sentences
            .map(|sentences| SentenceOutput { loss_sum: sentences.loss_sum.detach(), ..sentences });
        Self { loss_sum: self.loss_sum.detach(), sentences, ..self }
    }
}

/// What the sums of micro-batches are multiplied by, so that they add up to the means of a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LossScale {
    /// For the sum over labels.
    pub labels: f64,
    /// For the sum over sentence pairs.
    pub sentences: f64,
}

impl LossScale {
    /// One over the weights of all micro-batches of a step, which makes accumulation equal to one
    /// large batch, however unevenly the labels are spread; 0 where there is nothing to divide.
    pub fn of<B: TrainingBatch>(batches: &[B]) -> Self {
        let inverse = |weight: f64| if weight > 0.0 { 1.0 / weight } else { 0.0 };
        Self {
            labels: inverse(batches.iter().map(TrainingBatch::weight).sum()),
            sentences: inverse(batches.iter().map(TrainingBatch::sentence_weight).sum()),
        }
    }
}

/// What the loop must know of a batch, whatever is learnt from it.
pub trait TrainingBatch {
    /// The weight that the loss of this batch will have, known before the pass, so that accumulated
    /// micro-batches can be divided by their total: the number of labels.
    fn weight(&self) -> f64;

    /// The number of sentence pairs that something is asked of.
    fn sentence_weight(&self) -> f64 {
        0.0
    }

    /// Units of work, e.g. tokens read, for throughput.
    fn tokens(&self) -> u64;

    /// A description for a report about what went wrong with it.
    fn describe(&self) -> serde_json::Value;
}

impl TrainingBatch for TokenBatch {
    fn weight(&self) -> f64 {
        self.label_count() as f64
    }

    fn tokens(&self) -> u64 {
        self.input_ids.len() as u64
    }

    fn describe(&self) -> serde_json::Value {
        serde_json::json!({
            "batch": self.batch,
            "context": self.context,
            "input_ids": self.input_ids,
            "labels": self.labels,
        })
    }
}

impl TrainingBatch for MaskedBatch {
    fn weight(&self) -> f64 {
        self.label_count() as f64
    }

    fn sentence_weight(&self) -> f64 {
        self.sentence_label.as_ref().map_or(0.0, |labels| labels.len() as f64)
    }

    fn tokens(&self) -> u64 {
        self.input_ids.len() as u64
    }

    fn describe(&self) -> serde_json::Value {
        serde_json::json!({
            "batch": self.batch,
            "seq": self.seq,
            "input_ids": self.input_ids,
            "labels": self.labels,
            "sentence_label": self.sentence_label,
        })
    }
}

impl TrainingBatch for Seq2SeqBatch {
    fn weight(&self) -> f64 {
        self.label_count() as f64
    }

    fn tokens(&self) -> u64 {
        (self.input_ids.len() + self.decoder_input_ids.len()) as u64
    }

    fn describe(&self) -> serde_json::Value {
        serde_json::json!({
            "batch": self.batch,
            "source_len": self.source_len,
            "target_len": self.target_len,
            "input_ids": self.input_ids,
            "labels": self.labels,
        })
    }
}

impl TrainingBatch for ClassificationBatch {
    fn weight(&self) -> f64 {
        self.labels.len() as f64
    }

    fn tokens(&self) -> u64 {
        self.input_ids.len() as u64
    }

    fn describe(&self) -> serde_json::Value {
        serde_json::json!({
            "batch": self.batch,
            "seq": self.seq,
            "input_ids": self.input_ids,
            "labels": self.labels,
        })
    }
}

/// A way of learning: pre-training, SFT, DPO and classification differ only here.
pub trait Objective<M: Module> {
    /// What one micro-step reads.
    type Batch: TrainingBatch;

    /// The loss of `model` on `batch`, whose tensors go to `device`.
    fn loss(&self, model: &M, batch: &Self::Batch, device: &Device) -> StepOutput;

    /// Runs forward and backward of the loss times `scale`, hands the gradients to `sink` (a
    /// parameter may come more than once, to be summed) and returns the unscaled sums, off the tape.
    ///
    /// `seed` is that of this micro-step's dropout, for objectives that run a part twice.
    fn backward(
        &self,
        model: &M,
        batch: &Self::Batch,
        device: &Device,
        scale: LossScale,
        seed: u64,
        sink: &mut dyn FnMut(Gradients),
    ) -> StepOutput {
        let _ = seed; // One pass draws each mask once.
        let output = self.loss(model, batch, device);
        sink(output.scaled(scale).backward());
        output.detach()
    }
}
