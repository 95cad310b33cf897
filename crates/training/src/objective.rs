//! The seam between the loop and what is being learnt.

use burn::module::Module;
use burn::tensor::{Device, Gradients, Tensor};
use wuji_data::TokenBatch;
use wuji_data::objectives::{ClassificationBatch, MaskedBatch, Seq2SeqBatch};

/// What one forward pass gives: a sum, and the weight it is to be divided by.
#[derive(Debug)]
pub struct StepOutput {
    /// Sum of the losses of everything that counts, `[1]`, on the tape.
    pub loss_sum: Tensor<1>,
    /// How much counted, e.g. the number of labels.
    pub weight: f64,
}

/// What the loop must know of a batch, whatever is learnt from it.
pub trait TrainingBatch {
    /// The weight that the loss of this batch will have, known before the pass, so that accumulated
    /// micro-batches can be divided by their total: the number of labels.
    fn weight(&self) -> f64;

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

    /// Runs forward and backward of `loss · scale`, hands the gradients to `sink` (a parameter may
    /// come more than once, to be summed) and returns the unscaled loss sum, off the tape.
    ///
    /// `seed` is that of this micro-step's dropout, for objectives that run a part twice.
    fn backward(
        &self,
        model: &M,
        batch: &Self::Batch,
        device: &Device,
        scale: f64,
        seed: u64,
        sink: &mut dyn FnMut(Gradients),
    ) -> Tensor<1> {
        let _ = seed; // One pass draws each mask once.
        let output = self.loss(model, batch, device);
        let gradients = (output.loss_sum.clone() * scale).backward();
        sink(gradients);
        output.loss_sum.detach()
    }
}
