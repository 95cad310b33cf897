//! The decoder-only backbone that every family here shares.

use burn::module::Module;
use burn::tensor::{Bool, Device, Int, Tensor};

use crate::layers::dropout;
use crate::layers::{
    AttentionContext, DecoderBlock, Embedding, Norm, RotaryAngles, rotary_frequencies,
};
use crate::{Backbone, BackboneInput, DecoderArchitecture, KvCache, Positions};

/// Token embedding, blocks, final norm.
#[derive(Module, Debug)]
pub struct Decoder {
    /// One vector per token id.
    pub token_embedding: Embedding,
    /// One vector per position, where positions are learned.
    pub position_embedding: Option<Embedding>,
    /// The blocks, first to last.
    pub blocks: Vec<DecoderBlock>,
    /// Norm after the last block.
    pub final_norm: Norm,
    #[module(skip)]
    architecture: DecoderArchitecture,
    #[module(skip)]
    frequencies: Option<(Vec<f64>, f64)>,
}

impl Decoder {
    /// A decoder with zero weights.
    pub fn new(architecture: &DecoderArchitecture, device: &Device) -> Self {
        let a = architecture;
        let (position_embedding, frequencies) = match &a.positions {
            Positions::Learned => {
                (Some(Embedding::zeros(a.max_position_embeddings, a.hidden_size, device)), None)
            }
            Positions::Rotary(rope) => (None, Some(rotary_frequencies(rope, a.head_dim))),
        };
        Self {
            token_embedding: Embedding::zeros(a.vocab_size, a.hidden_size, device),
            position_embedding,
            blocks: (0..a.num_hidden_layers)
                .map(|layer| DecoderBlock::new(a, layer, device))
                .collect(),
            final_norm: Norm::new(a.norm, a.hidden_size, a.norm_epsilon, device),
            architecture: a.clone(),
            frequencies,
        }
    }

    /// What this decoder was built from.
    pub fn architecture(&self) -> &DecoderArchitecture {
        &self.architecture
    }

    /// The input of the first block, `[batch, seq, hidden_size]`, and what the blocks share.
    pub fn embed(&self, input: BackboneInput, cached: usize) -> (Tensor<3>, AttentionContext) {
        let [_, seq] = input.input_ids.dims();
        let device = input.input_ids.device();
        let mut hidden = self.token_embedding.forward(input.input_ids.clone());
        if let Some(positions) = &self.position_embedding {
            let ids = input.position_ids.clone().unwrap_or_else(|| {
                Tensor::<1, Int>::arange(cached as i64..(cached + seq) as i64, &device).unsqueeze()
            });
            hidden = hidden + positions.forward(ids);
        }
        let angles =
            self.frequencies.as_ref().map(|(frequencies, factor)| match &input.position_ids {
                Some(ids) => RotaryAngles::of_positions(frequencies, *factor, ids.clone()),
                None => RotaryAngles::consecutive(frequencies, *factor, cached, seq, &device),
            });
        let context = AttentionContext { angles, allowed: allowed(&input) };
        (dropout(hidden, self.architecture.dropout.embedding), context)
    }

    /// Like [`Backbone::forward`], returning also the embedding output and each block's output but
    /// the last, whose place the normed output takes (the field's `hidden_states`).
    pub fn forward_with_hidden_states(&self, input: BackboneInput) -> Vec<Tensor<3>> {
        let (mut hidden, context) = self.embed(input, 0);
        let mut states = vec![hidden.clone()];
        for block in &self.blocks {
            hidden = block.forward(hidden, &context, None);
            states.push(hidden.clone());
        }
        states.pop();
        states.push(self.final_norm.forward(hidden));
        states
    }
}

impl Backbone for Decoder {
    fn hidden_size(&self) -> usize {
        self.architecture.hidden_size
    }

    fn forward(&self, input: BackboneInput, mut cache: Option<&mut KvCache>) -> Tensor<3> {
        let [_, seq] = input.input_ids.dims();
        let cached = cache.as_deref().map_or(0, KvCache::len);
        let (mut hidden, context) = self.embed(input, cached);
        for (layer, block) in self.blocks.iter().enumerate() {
            let place = cache.as_deref_mut().map(|cache| (cache, layer));
            hidden = block.forward(hidden, &context, place);
        }
        if let Some(cache) = cache {
            cache.advance(seq);
        }
        self.final_norm.forward(hidden)
    }
}

/// Padding and document boundaries as one mask, `[batch, 1, 1 or query, key]`; causality is the
/// attention's own.
fn allowed(input: &BackboneInput) -> Option<Tensor<4, Bool>> {
    let padding =
        input.attention_mask.clone().map(|mask| mask.unsqueeze_dim::<3>(1).unsqueeze_dim::<4>(1)); // [batch, 1, 1, key]
    let documents = input.segment_ids.clone().map(|segments| {
        let [batch, seq] = segments.dims();
        let query = segments.clone().reshape([batch, 1, seq, 1]).expand([batch, 1, seq, seq]);
        let key = segments.reshape([batch, 1, 1, seq]).expand([batch, 1, seq, seq]);
        query.equal(key) // [batch, 1, query, key]
    });
    match (padding, documents) {
        (Some(padding), Some(documents)) => {
            let shape = documents.dims();
            Some(padding.expand(shape).bool_and(documents))
        }
        (one, other) => one.or(other),
    }
}
