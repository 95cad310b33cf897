//! Activation checkpointing: gradients of a deep model in the memory of one block
//! (Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost").
//!
//! The forward pass keeps only each block's input; the backward pass runs each block again, last
//! to first, on a tape of its own. One more forward pass of work, `1 / layers` of the activations.

use burn::tensor::{Device, Gradients, Tensor};

use crate::{BackboneInput, CausalLm};

/// A forward pass of which only the blocks' inputs were kept.
#[derive(Debug)]
pub struct CheckpointedPass<'a> {
    model: &'a CausalLm,
    input: BackboneInput,
    block_inputs: Vec<Tensor<3>>,
    last: Tensor<3>,
    seed: u64,
    device: Device,
}

impl<'a> CheckpointedPass<'a> {
    /// Runs the blocks on `input`. `seed` decides the dropout masks, which must be the same when a
    /// block is run again.
    pub fn forward(model: &'a CausalLm, input: BackboneInput, seed: u64) -> Self {
        let device = input.input_ids.device();
        let mut pass = Self {
            model,
            input,
            block_inputs: Vec::with_capacity(model.decoder.blocks.len()),
            last: Tensor::zeros([1, 1, 1], &device),
            seed,
            device,
        };
        let (embedded, context) = pass.embed();
        let mut hidden = embedded.detach();
        for (layer, block) in model.decoder.blocks.iter().enumerate() {
            pass.block_inputs.push(hidden.clone());
            pass.seed_segment(layer + 1);
            // Detaching drops the block's tape, and with it the block's activations.
            hidden = block.forward(hidden, &context, None).detach();
        }
        pass.last = hidden;
        pass
    }

    fn seed_segment(&self, segment: usize) {
        self.device.seed(self.seed.wrapping_add(segment as u64));
    }

    fn embed(&self) -> (Tensor<3>, crate::layers::AttentionContext) {
        self.seed_segment(0);
        self.model.decoder.embed(self.input.clone(), 0)
    }

    /// Runs `loss` on the final hidden states and the backward pass through head, blocks and
    /// embeddings. `sink` receives the gradients of each segment; a parameter used in two segments
    /// (a tied embedding) appears twice, to be summed. Returns the loss, off the tape.
    pub fn backward(
        self,
        loss: impl FnOnce(Tensor<3>) -> Tensor<1>,
        mut sink: impl FnMut(Gradients),
    ) -> Tensor<1> {
        let last = self.last.clone().require_grad();
        let value = loss(self.model.decoder.normalise(last.clone()));
        let mut gradients = value.backward();
        let mut upstream = gradient_of(&last, &mut gradients);
        sink(gradients);
        let (_, context) = self.embed();
        for (layer, block) in self.model.decoder.blocks.iter().enumerate().rev() {
            let input = self.block_inputs[layer].clone().require_grad();
            self.seed_segment(layer + 1);
            let output = block.forward(input.clone(), &context, None);
            let mut gradients = pull_back(output, upstream);
            upstream = gradient_of(&input, &mut gradients);
            sink(gradients);
        }
        let (embedded, _) = self.embed();
        sink(pull_back(embedded, upstream));
        value.detach()
    }
}

/// Gradients of everything `output` depends on, given the gradient of `output`.
fn pull_back(output: Tensor<3>, upstream: Tensor<3>) -> Gradients {
    (output * upstream.autodiff()).sum().backward()
}

fn gradient_of(tensor: &Tensor<3>, gradients: &mut Gradients) -> Tensor<3> {
    tensor.grad_remove(gradients).expect("the loss depends on every block's input")
}
