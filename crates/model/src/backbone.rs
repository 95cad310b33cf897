//! The seam between a backbone, which gives hidden states, and a head, which gives them a meaning.

use burn::module::Module;
use burn::tensor::{Bool, Int, Tensor};

use crate::KvCache;

/// What a backbone reads.
#[derive(Debug, Clone)]
pub struct BackboneInput {
    /// Token ids, `[batch, seq]`.
    pub input_ids: Tensor<2, Int>,
    /// Position of each token, `[batch, seq]`; counted from the cache's length when absent.
    pub position_ids: Option<Tensor<2, Int>>,
    /// Which keys are real, `[batch, cached + seq]`; all when absent. Padding is `false`.
    pub attention_mask: Option<Tensor<2, Bool>>,
    /// Document of each token, `[batch, seq]`: tokens of different documents do not see each
    /// other. Only without a cache.
    pub segment_ids: Option<Tensor<2, Int>>,
    /// Which key each query may see, `[batch, seq, cached + seq]`, in place of causality: for
    /// prefixes that are read in both directions.
    pub pair_mask: Option<Tensor<3, Bool>>,
    /// Kind of each token, `[batch, seq]`, where the model has kinds; all 0 when absent.
    pub token_type_ids: Option<Tensor<2, Int>>,
    /// Position of each token within a block of generated text, `[batch, seq]`, where the model has
    /// such positions; all 0 when absent.
    pub block_position_ids: Option<Tensor<2, Int>>,
}

impl BackboneInput {
    /// Ids alone: positions counted from zero (or from the cache), no padding, one document.
    pub fn new(input_ids: Tensor<2, Int>) -> Self {
        Self {
            input_ids,
            position_ids: None,
            attention_mask: None,
            segment_ids: None,
            pair_mask: None,
            token_type_ids: None,
            block_position_ids: None,
        }
    }
}

/// Token ids to hidden states.
pub trait Backbone: Module {
    /// Width of the hidden states.
    fn hidden_size(&self) -> usize;

    /// Hidden states `[batch, seq, hidden_size]` after the final norm. With a cache, `input` holds
    /// only the new tokens and the cache is extended by them.
    fn forward(&self, input: BackboneInput, cache: Option<&mut KvCache>) -> Tensor<3>;
}

/// Hidden states to whatever they are to mean.
pub trait Head: Module {
    /// The meaning: logits, labels, an embedding.
    type Output;

    /// Reads hidden states `[batch, seq, hidden_size]`.
    fn forward(&self, hidden: Tensor<3>) -> Self::Output;
}
