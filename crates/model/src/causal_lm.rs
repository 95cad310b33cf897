//! A decoder with a language-model head, and its life on disk.

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor};

use crate::layers::{Embedding, Linear, MixtureOfExperts};
use crate::model_directory::model_directory;
use crate::{
    Architecture, Backbone, BackboneInput, Head, KvCache, ModelConfig, ModelError, ModelKind,
    Predictions, Transformer,
};

/// Hidden states to logits. A tied head has no weight of its own.
#[derive(Module, Debug)]
pub struct LmHead {
    /// `[hidden_size, vocab_size]`; the token embedding's transpose when absent.
    pub projection: Option<Linear>,
    scale: f64,
}

impl LmHead {
    /// The head of `architecture`, with zero weights.
    pub fn new(architecture: &Architecture, device: &Device) -> Self {
        let a = architecture;
        let projection = (!a.tie_word_embeddings)
            .then(|| Linear::zeros(a.hidden_size, a.vocab_size, false, device));
        Self { projection, scale: a.head_scale }
    }

    /// What `hidden` `[batch, seq, hidden_size]` says of tokens.
    pub fn predictions(&self, hidden: Tensor<3>, token_embedding: &Embedding) -> Predictions {
        let hidden = if self.scale == 1.0 { hidden } else { hidden * self.scale };
        match &self.projection {
            Some(Linear { int8: Some(weight), .. }) => {
                Predictions::Int8 { hidden, weight: weight.clone() }
            }
            Some(Linear { weight, .. }) => {
                Predictions::Projection { hidden, weight: weight.val(), bias: None }
            }
            None => token_embedding.as_head(hidden),
        }
    }
}

/// A causal language model: token ids in, next-token logits out.
#[derive(Module, Debug)]
pub struct CausalLm {
    /// The backbone.
    pub decoder: Transformer,
    /// The head.
    pub head: LmHead,
    #[module(skip)]
    config: ModelConfig,
}

/// A head that has been given its weight, tied or not, as a [`Head`].
#[derive(Module, Debug)]
struct BoundHead {
    head: LmHead,
    token_embedding: Embedding,
}

impl Head for BoundHead {
    type Output = Tensor<3>;

    fn forward(&self, hidden: Tensor<3>) -> Tensor<3> {
        self.head.predictions(hidden, &self.token_embedding).logits()
    }
}

model_directory!(CausalLm, decoder);

impl CausalLm {
    /// A model with all-zero matrices, to be filled.
    fn zeros(config: &ModelConfig, device: &Device) -> Result<Self, ModelError> {
        config.expect_kind(ModelKind::CausalLm)?;
        let architecture = config.architecture()?;
        Ok(Self {
            decoder: Transformer::new(&architecture, device),
            head: LmHead::new(&architecture, device),
            config: config.clone(),
        })
    }

    /// Replaces keys of the config that do not change the arithmetic.
    pub fn set_config_extra(&mut self, key: &str, value: serde_json::Value) {
        self.config.set_extra(key, value);
    }

    /// Parameters that multiply a token's activations: all but embeddings that are only looked up
    /// and the experts that a token does not take.
    pub fn matmul_parameters(&self) -> usize {
        let decoder = &self.decoder;
        let looked_up = match &self.head.projection {
            Some(_) => decoder.token_table().num_params(),
            None => 0, // A tied embedding is the head's matrix.
        };
        let tables = [&decoder.position_embedding, &decoder.block_position_embedding];
        let positions: usize = tables.into_iter().flatten().map(Module::num_params).sum();
        let experts = decoder.blocks.iter().filter_map(|block| block.experts.as_ref());
        let idle: usize = experts.map(MixtureOfExperts::idle_parameters).sum();
        self.num_params() - looked_up - positions - idle
    }

    /// Logits `[batch, seq, vocab_size]` of `input_ids` `[batch, seq]`.
    pub fn forward(&self, input_ids: Tensor<2, Int>) -> Tensor<3> {
        self.forward_input(BackboneInput::new(input_ids))
    }

    /// Logits of an input with positions, padding or documents.
    pub fn forward_input(&self, input: BackboneInput) -> Tensor<3> {
        self.logits(self.decoder.forward(input, None))
    }

    /// Logits of the new tokens `[batch, seq]`, given what `cache` holds; the cache is extended.
    pub fn forward_cached(&self, input_ids: Tensor<2, Int>, cache: &mut KvCache) -> Tensor<3> {
        self.logits(self.decoder.forward(BackboneInput::new(input_ids), Some(cache)))
    }

    /// As [`CausalLm::forward_cached`] for an input with positions and padding.
    pub fn forward_input_cached(&self, input: BackboneInput, cache: &mut KvCache) -> Tensor<3> {
        self.logits(self.decoder.forward(input, Some(cache)))
    }

    /// Logits of hidden states `[batch, seq, hidden_size]`.
    pub fn logits(&self, hidden: Tensor<3>) -> Tensor<3> {
        self.predictions(hidden).logits()
    }

    /// What hidden states `[batch, seq, hidden_size]` say of the tokens after them.
    pub fn predictions(&self, hidden: Tensor<3>) -> Predictions {
        self.head.predictions(hidden, self.decoder.token_table())
    }

    /// The head as something that can be used without the model.
    pub fn head(&self) -> impl Head<Output = Tensor<3>> + use<> {
        BoundHead { head: self.head.clone(), token_embedding: self.decoder.token_table().clone() }
    }

    /// An empty cache for at most `capacity` tokens. The batch is whatever is first written.
    pub fn new_cache(&self, capacity: usize) -> KvCache {
        KvCache::new(self.decoder.blocks.len(), capacity)
    }

    /// Checks ids and length before a forward pass, where they enter.
    ///
    /// # Errors
    /// An id outside the vocabulary or a sequence longer than the positions.
    pub fn check_input(&self, ids: &[u32], already_cached: usize) -> Result<(), ModelError> {
        let vocab_size = self.config.vocab_size();
        if let Some((at, id)) = ids.iter().enumerate().find(|(_, id)| **id as usize >= vocab_size) {
            return Err(ModelError::Input(format!(
                "token {at} is id {id}; expected ids below vocab_size {vocab_size}"
            )));
        }
        let (length, limit) = (already_cached + ids.len(), self.config.max_position_embeddings());
        if length > limit {
            return Err(ModelError::Input(format!(
                "{length} tokens; this model has positions for {limit}"
            )));
        }
        Ok(())
    }
}
