//! [`ConditionalModel`] for recurrent encoder–decoders, with the attention weights of each step.

use burn::tensor::{Bool, Device, Int, Tensor};
use wuji_model::recurrent::{DecoderState, EncodedSource, RecurrentSeq2Seq};

use super::ConditionalModel;
use crate::logits_model::UNBOUNDED;

impl ConditionalModel for RecurrentSeq2Seq {
    type Sources = EncodedSource;
    type State = DecoderState;

    fn device(&self) -> Device {
        self.source_embedding.weight.device()
    }

    fn source_vocab_size(&self) -> usize {
        self.config().source_vocab_size
    }

    fn target_vocab_size(&self) -> usize {
        self.config().target_vocab_size
    }

    fn source_length(&self) -> usize {
        UNBOUNDED
    }

    fn target_length(&self) -> usize {
        UNBOUNDED
    }

    fn encode(&self, ids: Tensor<2, Int>, mask: Option<Tensor<2, Bool>>) -> EncodedSource {
        RecurrentSeq2Seq::encode(self, ids, mask)
    }

    fn select_sources(sources: &EncodedSource, rows: Tensor<1, Int>) -> EncodedSource {
        EncodedSource {
            source: sources.source.select(rows.clone()),
            state: sources.state.select(rows),
        }
    }

    fn new_state(&self, sources: &EncodedSource, _capacity: usize) -> DecoderState {
        sources.state.clone()
    }

    fn select_state(state: &mut DecoderState, rows: Tensor<1, Int>) {
        *state = state.select(rows);
    }

    fn decode(
        &self,
        ids: Tensor<2, Int>,
        sources: &EncodedSource,
        state: &mut DecoderState,
    ) -> Tensor<3> {
        steps(self, ids, sources, state).0
    }

    fn attention(&self, ids: Tensor<2, Int>, sources: &EncodedSource) -> Tensor<3> {
        steps(self, ids, sources, &mut sources.state.clone()).1
    }
}

/// Reads `ids` `[batch, target]` one after the other. Logits `[batch, target, target_vocab_size]` and
/// attention `[batch, target, source]`.
fn steps(
    model: &RecurrentSeq2Seq,
    ids: Tensor<2, Int>,
    sources: &EncodedSource,
    state: &mut DecoderState,
) -> (Tensor<3>, Tensor<3>) {
    let [_, target] = ids.dims();
    let (mut logits, mut attention) = (Vec::with_capacity(target), Vec::with_capacity(target));
    for at in 0..target {
        let ids = ids.clone().narrow(1, at, 1).squeeze_dim::<1>(1); // [batch]
        let step = model.step(ids, state.clone(), &sources.source);
        *state = step.state;
        logits.push(step.logits.unsqueeze_dim::<3>(1));
        attention.push(step.attention.unsqueeze_dim::<3>(1));
    }
    (Tensor::cat(logits, 1), Tensor::cat(attention, 1))
}
