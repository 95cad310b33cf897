//! The seam between the loop and what is being learnt.

use burn::module::Module;
use burn::tensor::{Device, Gradients, Tensor};

/// What one forward pass gives: a sum, and the weight it is to be divided by.
#[derive(Debug)]
pub struct StepOutput {
    /// Sum of the losses of everything that counts, `[1]`, on the tape.
    pub loss_sum: Tensor<1>,
    /// How much counted, e.g. the number of labels.
    pub weight: f64,
}

/// A way of learning: pre-training, SFT, DPO and classification differ only here.
pub trait Objective<M: Module> {
    /// What one micro-step reads.
    type Batch;

    /// The weight that [`Objective::loss`] will report for `batch`, known before the pass, so that
    /// accumulated micro-batches can be divided by their total.
    fn weight(&self, batch: &Self::Batch) -> f64;

    /// Units of work in `batch`, e.g. tokens read, for throughput.
    fn tokens(&self, batch: &Self::Batch) -> u64;

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

    /// A description of `batch` for a report about what went wrong with it.
    fn describe(&self, batch: &Self::Batch) -> serde_json::Value;
}
