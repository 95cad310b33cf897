//! What training asks of a model, whatever its family: logits of next tokens, or of a target.

use burn::module::Module;
use burn::tensor::{Bool, Int, Tensor};

use crate::recurrent::{FeedForwardLm, RecurrentLm, RecurrentSeq2Seq};
use crate::{Backbone, BackboneInput, CausalLm, Predictions, Seq2SeqLm};

/// A model of the next token.
pub trait LanguageModel: Module {
    /// Predictions at `[batch, seq]`: position `t` speaks of the token after it.
    fn next_tokens(&self, input: BackboneInput) -> Predictions;
}

impl LanguageModel for CausalLm {
    fn next_tokens(&self, input: BackboneInput) -> Predictions {
        self.predictions(self.decoder.forward(input, None))
    }
}

impl LanguageModel for RecurrentLm {
    fn next_tokens(&self, input: BackboneInput) -> Predictions {
        Predictions::Logits(match input.attention_mask {
            Some(mask) => self.forward_masked(input.input_ids, mask),
            None => self.forward(input.input_ids),
        })
    }
}

impl LanguageModel for FeedForwardLm {
    fn next_tokens(&self, input: BackboneInput) -> Predictions {
        Predictions::Logits(self.forward(input.input_ids))
    }
}

/// A model of a target text given a source.
pub trait EncoderDecoder: Module {
    /// Predictions at a target `[batch, target]` that begins with the start token: position `t`
    /// speaks of the token after it. `source_mask` `[batch, source]` says which
    /// tokens of `source` are real.
    fn target_tokens(
        &self,
        source: Tensor<2, Int>,
        source_mask: Tensor<2, Bool>,
        target: Tensor<2, Int>,
    ) -> Predictions;
}

impl EncoderDecoder for Seq2SeqLm {
    fn target_tokens(
        &self,
        source: Tensor<2, Int>,
        source_mask: Tensor<2, Bool>,
        target: Tensor<2, Int>,
    ) -> Predictions {
        let memory = self.encode(source, Some(source_mask));
        self.predictions(self.decode(BackboneInput::new(target), &memory, None))
    }
}

impl EncoderDecoder for RecurrentSeq2Seq {
    fn target_tokens(
        &self,
        source: Tensor<2, Int>,
        source_mask: Tensor<2, Bool>,
        target: Tensor<2, Int>,
    ) -> Predictions {
        Predictions::Logits(self.forward(source, Some(source_mask), target).logits)
    }
}
