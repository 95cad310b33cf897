//! An encoder and a decoder that looks at it: T5, and the original Transformer as Marian has it.

use burn::module::{Module, Param};
use burn::tensor::{Bool, Device, Int, Tensor};

use crate::layers::{AttentionContext, CrossAttentions, Memory};
use crate::model_directory::model_directory;
use crate::transformer::padding_mask;
use crate::{
    Backbone, BackboneInput, KvCache, LmHead, ModelConfig, ModelError, ModelKind, Predictions,
    Transformer,
};

/// An encoder–decoder language model: a source text in, logits of the next target token out. Both
/// halves share one token embedding, the encoder's.
#[derive(Module, Debug)]
pub struct Seq2SeqLm {
    /// Reads the source.
    pub encoder: Transformer,
    /// Writes the target.
    pub decoder: Transformer,
    /// Hidden states to logits.
    pub head: LmHead,
    /// Added to all logits, `[1, vocab_size]`; not trained (Marian's `final_logits_bias`).
    pub logits_bias: Option<Param<Tensor<2>>>,
    #[module(skip)]
    config: ModelConfig,
}

model_directory!(Seq2SeqLm, decoder);

impl Seq2SeqLm {
    fn zeros(config: &ModelConfig, device: &Device) -> Result<Self, ModelError> {
        config.expect_kind(ModelKind::EncoderDecoder)?;
        let decoder = config.architecture()?;
        let encoder = config.encoder_architecture()?.ok_or_else(|| {
            ModelError::invalid("model_type", config.model_type(), "an encoder–decoder")
        })?;
        let bias = config.family().has_logits_bias().then(|| {
            let zeros = Tensor::zeros([1, decoder.vocab_size], device);
            Param::from_tensor(zeros).set_require_grad(false)
        });
        Ok(Self {
            encoder: Transformer::new(&encoder, device),
            decoder: Transformer::new(&decoder, device).without_token_embedding(),
            head: LmHead::new(&decoder, device),
            logits_bias: bias,
            config: config.clone(),
        })
    }

    /// What the decoder looks at: the hidden states of a source `[batch, source]`, of which `mask`
    /// says what is real.
    pub fn encode(&self, source: Tensor<2, Int>, mask: Option<Tensor<2, Bool>>) -> Memory {
        let input = BackboneInput { attention_mask: mask.clone(), ..BackboneInput::new(source) };
        Memory { hidden: self.encoder.forward(input, None), allowed: mask.map(padding_mask) }
    }

    /// The embedded target and what the decoder's blocks share.
    pub fn embed_target(
        &self,
        target: BackboneInput,
        memory: &Memory,
        cached: usize,
    ) -> (Tensor<3>, AttentionContext) {
        let table = self.encoder.token_table();
        let (hidden, context) = self.decoder.embed_with(table, target, cached);
        (hidden, AttentionContext { memory: Some(memory.clone()), ..context })
    }

    /// The decoder's hidden states `[batch, target, hidden_size]`. With a cache, `target` holds only
    /// the new tokens.
    pub fn decode(
        &self,
        target: BackboneInput,
        memory: &Memory,
        cache: Option<&mut KvCache>,
    ) -> Tensor<3> {
        let cached = cache.as_deref().map_or(0, KvCache::len);
        let (hidden, context) = self.embed_target(target, memory, cached);
        self.decoder.run(hidden, &context, cache)
    }

    /// How much of each source position each position of `target` reads, block by block: the
    /// probabilities `[batch, heads, target, source]` of cross-attention.
    pub fn cross_attentions(&self, target: BackboneInput, memory: &Memory) -> Vec<Tensor<4>> {
        let (hidden, context) = self.embed_target(target, memory, 0);
        let all = Some(CrossAttentions::default());
        let context = AttentionContext { cross_attentions: all, ..context };
        self.decoder.run(hidden, &context, None);
        context.cross_attentions.map(CrossAttentions::into_inner).unwrap_or_default()
    }

    /// Logits `[batch, target, vocab_size]` of hidden states.
    pub fn logits(&self, hidden: Tensor<3>) -> Tensor<3> {
        self.predictions(hidden).logits()
    }

    /// What hidden states `[batch, target, hidden_size]` say of the target's tokens.
    pub fn predictions(&self, hidden: Tensor<3>) -> Predictions {
        let predictions = self.head.predictions(hidden, self.encoder.token_table());
        match (predictions, &self.logits_bias) {
            (Predictions::Projection { hidden, weight, bias: None }, Some(bias)) => {
                let bias = bias.val().flatten::<1>(0, 1);
                Predictions::Projection { hidden, weight, bias: Some(bias) }
            }
            (predictions, Some(bias)) => {
                Predictions::Logits(predictions.logits() + bias.val().unsqueeze::<3>())
            }
            (predictions, None) => predictions,
        }
    }

    /// Logits `[batch, target, vocab_size]` of a target given a source.
    pub fn forward(
        &self,
        source: Tensor<2, Int>,
        source_mask: Option<Tensor<2, Bool>>,
        target: Tensor<2, Int>,
    ) -> Tensor<3> {
        let memory = self.encode(source, source_mask);
        self.logits(self.decode(BackboneInput::new(target), &memory, None))
    }

    /// An empty cache for at most `capacity` target tokens.
    pub fn new_cache(&self, capacity: usize) -> KvCache {
        KvCache::new(self.decoder.blocks.len(), capacity)
    }

    /// The id that every target begins with (`decoder_start_token_id`, or the padding).
    pub fn decoder_start_token_id(&self) -> u32 {
        let start = self.config.token_id("decoder_start_token_id");
        start.or(self.config.token_id("pad_token_id")).unwrap_or(0)
    }
}
