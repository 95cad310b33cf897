//! What training asks of a model, whatever its family: logits of next tokens, or of a target.

use burn::module::Module;
use burn::tensor::{Bool, Int, Tensor};

use crate::recurrent::{FeedForwardLm, RecurrentLm, RecurrentSeq2Seq};
use crate::{BackboneInput, CausalLm, Seq2SeqLm};

/// A model of the next token.
pub trait LanguageModel: Module {
    /// Logits `[batch, seq, vocab_size]`: position `t` speaks of the token after it.
    fn next_token_logits(&self, input: BackboneInput) -> Tensor<3>;
}

impl LanguageModel for CausalLm {
    fn next_token_logits(&self, input: BackboneInput) -> Tensor<3> {
        self.forward_input(input)
    }
}

impl LanguageModel for RecurrentLm {
    fn next_token_logits(&self, input: BackboneInput) -> Tensor<3> {
        match input.attention_mask {
            Some(mask) => self.forward_masked(input.input_ids, mask),
            None => self.forward(input.input_ids),
        }
    }
}

impl LanguageModel for FeedForwardLm {
    fn next_token_logits(&self, input: BackboneInput) -> Tensor<3> {
        self.forward(input.input_ids)
    }
}

/// A model of a target text given a source.
pub trait EncoderDecoder: Module {
    /// Logits `[batch, target, vocab_size]` of a target `[batch, target]` that begins with the start
    /// token: position `t` speaks of the token after it. `source_mask` `[batch, source]` says which
    /// tokens of `source` are real.
    fn target_logits(
        &self,
        source: Tensor<2, Int>,
        source_mask: Tensor<2, Bool>,
        target: Tensor<2, Int>,
    ) -> Tensor<3>;
}

impl EncoderDecoder for Seq2SeqLm {
    fn target_logits(
        &self,
        source: Tensor<2, Int>,
        source_mask: Tensor<2, Bool>,
        target: Tensor<2, Int>,
    ) -> Tensor<3> {
        self.forward(source, Some(source_mask), target)
    }
}

impl EncoderDecoder for RecurrentSeq2Seq {
    fn target_logits(
        &self,
        source: Tensor<2, Int>,
        source_mask: Tensor<2, Bool>,
        target: Tensor<2, Int>,
    ) -> Tensor<3> {
        self.forward(source, Some(source_mask), target).logits
    }
}
