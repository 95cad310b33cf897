//! A transformer block: attention, attention to a memory where there is one, then MLP or experts,
//! each added to the residual stream, with the norms where the family has them.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::{Attention, AttentionContext, MixtureOfExperts, Mlp, Norm};
use crate::cache::KvCache;
use crate::{Architecture, NormPlacement};

/// A layer's place in a cache.
type Place<'a> = Option<(&'a mut KvCache, usize)>;

/// One block.
#[derive(Module, Debug)]
pub struct Block {
    /// Norm of attention.
    pub attention_norm: Norm,
    /// Self-attention.
    pub attention: Attention,
    /// Norm of what attention gives, where norms stand around it.
    pub post_attention_norm: Option<Norm>,
    /// Norm of cross-attention.
    pub cross_attention_norm: Option<Norm>,
    /// Attention to a memory.
    pub cross_attention: Option<Attention>,
    /// Norm of the MLP.
    pub mlp_norm: Norm,
    /// Feed-forward, where there are no experts.
    pub mlp: Option<Mlp>,
    /// Several of them.
    pub experts: Option<MixtureOfExperts>,
    /// Norm of what the MLP gives, where norms stand around it.
    pub post_mlp_norm: Option<Norm>,
    #[module(skip)]
    placement: NormPlacement,
    dropout: f64,
}

impl Block {
    /// Block number `layer`, with zero weights.
    pub fn new(architecture: &Architecture, layer: usize, device: &Device) -> Self {
        let a = architecture;
        let norm = || Norm::new(a.norm, a.hidden_size, a.norm_epsilon, device);
        let is_around = a.norm_placement == NormPlacement::Around;
        let experts = a.experts_in(layer);
        Self {
            attention_norm: norm(),
            attention: Attention::new(a, layer, device),
            post_attention_norm: is_around.then(norm),
            cross_attention_norm: a.cross_attention.then(norm),
            cross_attention: a.cross_attention.then(|| Attention::cross(a, layer, device)),
            mlp_norm: norm(),
            mlp: experts.is_none().then(|| Mlp::new(a, a.intermediate_size, device)),
            experts: experts.map(|experts| MixtureOfExperts::new(a, experts, device)),
            post_mlp_norm: is_around.then(norm),
            placement: a.norm_placement,
            dropout: a.dropout.residual,
        }
    }

    /// Reads `hidden` `[batch, seq, hidden_size]` and returns the same shape.
    pub fn forward(
        &self,
        hidden: Tensor<3>,
        context: &AttentionContext,
        cache: Place,
    ) -> Tensor<3> {
        match self.placement {
            NormPlacement::Before | NormPlacement::Around => self.pre_norm(hidden, context, cache),
            NormPlacement::BeforeInParallel => self.in_parallel(hidden, context, cache),
            NormPlacement::After => self.post_norm(hidden, context, cache),
        }
    }

    fn pre_norm(
        &self,
        hidden: Tensor<3>,
        context: &AttentionContext,
        mut cache: Place,
    ) -> Tensor<3> {
        let normed = self.attention_norm.forward(hidden.clone());
        let attended = self.attention.forward(normed, context, reborrow(&mut cache));
        let attended = apply(self.post_attention_norm.as_ref(), attended);
        let mut hidden = hidden + dropout(attended, self.dropout);
        if let Some(norm) = &self.cross_attention_norm {
            let looked_up = self.look_up(norm.forward(hidden.clone()), context, cache);
            hidden = hidden + dropout(looked_up, self.dropout);
        }
        let transformed = self.transform(self.mlp_norm.forward(hidden.clone()), context);
        let transformed = apply(self.post_mlp_norm.as_ref(), transformed);
        hidden + dropout(transformed, self.dropout)
    }

    fn in_parallel(
        &self,
        hidden: Tensor<3>,
        context: &AttentionContext,
        cache: Place,
    ) -> Tensor<3> {
        let normed = self.attention_norm.forward(hidden.clone());
        let attended = self.attention.forward(normed, context, cache);
        let transformed = self.transform(self.mlp_norm.forward(hidden.clone()), context);
        dropout(transformed, self.dropout) + dropout(attended, self.dropout) + hidden
    }

    fn post_norm(
        &self,
        hidden: Tensor<3>,
        context: &AttentionContext,
        mut cache: Place,
    ) -> Tensor<3> {
        let attended = self.attention.forward(hidden.clone(), context, reborrow(&mut cache));
        let mut hidden = self.attention_norm.forward(hidden + dropout(attended, self.dropout));
        if let Some(norm) = &self.cross_attention_norm {
            let looked_up = self.look_up(hidden.clone(), context, cache);
            hidden = norm.forward(hidden + dropout(looked_up, self.dropout));
        }
        let transformed = self.transform(hidden.clone(), context);
        self.mlp_norm.forward(hidden + dropout(transformed, self.dropout))
    }

    /// What cross-attention gives.
    fn look_up(&self, hidden: Tensor<3>, context: &AttentionContext, cache: Place) -> Tensor<3> {
        let attention = self.cross_attention.as_ref().expect("it is there with its norm");
        let memory = context.memory.as_ref().expect("a decoder that looks up is given a memory");
        attention.forward_cross(hidden, memory, context.cross_attentions.as_ref(), cache)
    }

    fn transform(&self, hidden: Tensor<3>, context: &AttentionContext) -> Tensor<3> {
        match (&self.mlp, &self.experts) {
            (Some(mlp), _) => mlp.forward(hidden),
            (None, Some(experts)) => experts.forward(hidden, context.router_logits.as_ref()),
            (None, None) => unreachable!("a block is built with one of them"),
        }
    }
}

fn reborrow<'a>(place: &'a mut Place) -> Place<'a> {
    place.as_mut().map(|(cache, layer)| (&mut **cache, *layer))
}

fn apply(norm: Option<&Norm>, x: Tensor<3>) -> Tensor<3> {
    match norm {
        Some(norm) => norm.forward(x),
        None => x,
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
