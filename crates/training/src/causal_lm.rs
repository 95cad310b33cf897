//! Next-token prediction (and anything else that is labels over a decoder's logits).

use burn::tensor::{Device, Gradients, Tensor};
use wuji_data::TokenBatch;
use wuji_kernels::CrossEntropy;
use wuji_model::layers::{AttentionContext, RouterLogits, load_balancing_loss};
use wuji_model::recurrent::{FeedForwardLm, RecurrentLm};
use wuji_model::{Backbone, BackboneInput, CausalLm, CheckpointedPass, Experts, LanguageModel};

use crate::label_scores::{TokenObjective, labelled};
use crate::objective::{LossScale, Objective, StepOutput, TrainingBatch};
use crate::tensors;

/// Cross-entropy of each label that is not −100, at the position that predicts it: the loader has
/// already shifted labels, so position `t` predicts `labels[t]`.
#[derive(Debug, Clone, Default)]
pub struct CausalLmObjective {
    /// Mass of the target moved to the uniform distribution (Szegedy et al. 2016).
    pub label_smoothing: f64,
    /// Factor of the squared logarithm of the sum of exponentials (Chowdhery et al. 2022).
    pub z_loss: f64,
    /// Recompute blocks in the backward pass.
    pub activation_checkpointing: bool,
}

impl CausalLmObjective {
    fn input(batch: &TokenBatch, device: &Device) -> BackboneInput {
        let ids = |values: &[u32]| tensors::ids(values, [batch.batch, batch.context], device);
        BackboneInput {
            position_ids: batch.position_ids.as_deref().map(ids),
            segment_ids: batch.segment_ids.as_deref().map(ids),
            ..BackboneInput::new(ids(&batch.input_ids))
        }
    }

    /// The loss of any model of the next token.
    fn loss_of<M: LanguageModel>(
        &self,
        model: &M,
        batch: &TokenBatch,
        device: &Device,
    ) -> StepOutput {
        let predictions = model.next_tokens(Self::input(batch, device));
        let labels = tensors::labels(&batch.labels, device);
        let loss_sum = predictions.cross_entropy_sum(labels, self.cross_entropy(device));
        StepOutput::new(loss_sum, batch.weight())
    }

    /// The loss while training a mixture of experts: with the load-balancing loss, weighted like one
    /// more label for each label. Held-out losses are without it.
    fn balanced_loss(
        &self,
        model: &CausalLm,
        experts: &Experts,
        batch: &TokenBatch,
        device: &Device,
    ) -> StepOutput {
        let (hidden, context) = model.decoder.embed(Self::input(batch, device), 0);
        let context = AttentionContext { router_logits: Some(RouterLogits::default()), ..context };
        let predictions = model.predictions(model.decoder.run(hidden, &context, None));
        let labels = tensors::labels(&batch.labels, device);
        let mut loss_sum = predictions.cross_entropy_sum(labels, self.cross_entropy(device));
        let scores = context.router_logits.as_ref();
        if let Some(balance) =
            scores.and_then(|scores| load_balancing_loss(scores, experts.per_token))
        {
            loss_sum = loss_sum + balance * (experts.balance_coefficient * batch.weight());
        }
        StepOutput::new(loss_sum, batch.weight())
    }

    fn cross_entropy(&self, device: &Device) -> CrossEntropy {
        let Self { label_smoothing, z_loss, .. } = *self;
        tensors::learnt(CrossEntropy { label_smoothing, z_loss }, device)
    }
}

impl Objective<CausalLm> for CausalLmObjective {
    type Batch = TokenBatch;

    fn loss(&self, model: &CausalLm, batch: &TokenBatch, device: &Device) -> StepOutput {
        let experts = model.decoder.architecture().experts.as_ref();
        match experts.filter(|experts| experts.balance_coefficient > 0.0 && device.is_autodiff()) {
            Some(experts) => self.balanced_loss(model, experts, batch, device),
            None => self.loss_of(model, batch, device),
        }
    }

    fn backward(
        &self,
        model: &CausalLm,
        batch: &TokenBatch,
        device: &Device,
        scale: LossScale,
        seed: u64,
        sink: &mut dyn FnMut(Gradients),
    ) -> StepOutput {
        if !self.activation_checkpointing {
            let output = self.loss(model, batch, device);
            sink(output.scaled(scale).backward());
            return output.detach();
        }
        let scale = scale.labels;
        let labels = tensors::labels(&batch.labels, device);
        let pass = CheckpointedPass::forward(model, Self::input(batch, device), seed);
        let options = self.cross_entropy(device);
        let loss = |hidden| model.predictions(hidden).cross_entropy_sum(labels, options) * scale;
        let scaled = pass.backward(loss, sink);
        StepOutput::new(scaled / scale, batch.weight())
    }
}

impl TokenObjective<CausalLm> for CausalLmObjective {
    fn labels<'a>(&self, batch: &'a TokenBatch) -> &'a [i64] {
        &batch.labels
    }

    fn label_logits(&self, model: &CausalLm, batch: &TokenBatch, device: &Device) -> Tensor<2> {
        let hidden = model.decoder.forward(Self::input(batch, device), None);
        let chosen = labelled(&batch.labels).states(hidden, device);
        model.logits(chosen).squeeze_dim::<2>(0)
    }
}

/// The objective for a model that has no blocks to recompute.
macro_rules! without_checkpointing {
    ($($model:ty),+) => {
        $(impl Objective<$model> for CausalLmObjective {
            type Batch = TokenBatch;

            fn loss(&self, model: &$model, batch: &TokenBatch, device: &Device) -> StepOutput {
                self.loss_of(model, batch, device)
            }
        })+
    };
}
without_checkpointing!(RecurrentLm, FeedForwardLm);
