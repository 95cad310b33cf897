//! A pre-norm decoder block: attention, then MLP, each added to the residual stream.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::{Attention, AttentionContext, Mlp, Norm};
use crate::DecoderArchitecture;
use crate::cache::KvCache;

/// One block of a decoder.
#[derive(Module, Debug)]
pub struct DecoderBlock {
    /// Norm before attention.
    pub attention_norm: Norm,
    /// Self-attention.
    pub attention: Attention,
    /// Norm before the MLP.
    pub mlp_norm: Norm,
    /// Feed-forward.
    pub mlp: Mlp,
    dropout: f64,
}

impl DecoderBlock {
    /// Block number `layer`, with zero weights.
    pub fn new(architecture: &DecoderArchitecture, layer: usize, device: &Device) -> Self {
        let a = architecture;
        let norm = || Norm::new(a.norm, a.hidden_size, a.norm_epsilon, device);
        Self {
            attention_norm: norm(),
            attention: Attention::new(a, layer, device),
            mlp_norm: norm(),
            mlp: Mlp::new(a, device),
            dropout: a.dropout.residual,
        }
    }

    /// Reads `hidden` `[batch, seq, hidden_size]` and returns the same shape.
    pub fn forward(
        &self,
        hidden: Tensor<3>,
        context: &AttentionContext,
        cache: Option<(&mut KvCache, usize)>,
    ) -> Tensor<3> {
        let normed = self.attention_norm.forward(hidden.clone());
        let attended = self.attention.forward(normed, context, cache);
        let hidden = hidden + dropout(attended, self.dropout);
        let transformed = self.mlp.forward(self.mlp_norm.forward(hidden.clone()));
        hidden + dropout(transformed, self.dropout)
    }
}

/// Zeroes values with probability `rate` and scales the rest, on devices with autodiff; elsewhere
/// there is nothing to regularise. The draw comes from the device's generator, which the trainer
/// seeds for each micro-batch.
pub(crate) fn dropout<const D: usize>(x: Tensor<D>, rate: f64) -> Tensor<D> {
    if rate == 0.0 || !x.device().is_autodiff() {
        return x;
    }
    wuji_kernels::dropout(x, rate)
}
