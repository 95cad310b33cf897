//! [`ConditionalModel`] for transformers: the encoder runs once, and the keys and values that
//! cross-attention sees are kept in the decoder's cache.

use burn::tensor::{Bool, Device, Int, Tensor};
use wuji_model::layers::Memory;
use wuji_model::{BackboneInput, KvCache, Positions, Seq2SeqLm};

use super::ConditionalModel;
use crate::logits_model::UNBOUNDED;

impl ConditionalModel for Seq2SeqLm {
    type Sources = Memory;
    type State = KvCache;

    fn device(&self) -> Device {
        self.encoder.token_table().weight.device()
    }

    fn source_vocab_size(&self) -> usize {
        self.config().vocab_size()
    }

    fn target_vocab_size(&self) -> usize {
        self.config().vocab_size()
    }

    fn source_length(&self) -> usize {
        // Distances beyond the last bucket share it, so T5 reads any length.
        match self.encoder.architecture().positions {
            Positions::RelativeBias { .. } => UNBOUNDED,
            _ => self.encoder.architecture().max_position_embeddings,
        }
    }

    fn target_length(&self) -> usize {
        match self.decoder.architecture().positions {
            Positions::RelativeBias { .. } => UNBOUNDED,
            _ => self.decoder.architecture().max_position_embeddings,
        }
    }

    fn encode(&self, ids: Tensor<2, Int>, mask: Option<Tensor<2, Bool>>) -> Memory {
        Seq2SeqLm::encode(self, ids, mask)
    }

    fn select_sources(sources: &Memory, rows: Tensor<1, Int>) -> Memory {
        Memory {
            hidden: sources.hidden.clone().select(0, rows.clone()),
            allowed: sources.allowed.clone().map(|mask| mask.int().select(0, rows).bool()),
        }
    }

    fn new_state(&self, _sources: &Memory, capacity: usize) -> KvCache {
        self.new_cache(capacity)
    }

    fn select_state(state: &mut KvCache, rows: Tensor<1, Int>) {
        state.select_rows(rows);
    }

    fn decode(&self, ids: Tensor<2, Int>, sources: &Memory, state: &mut KvCache) -> Tensor<3> {
        self.logits(Seq2SeqLm::decode(self, BackboneInput::new(ids), sources, Some(state)))
    }

    /// The mean over all heads of all blocks.
    fn attention(&self, ids: Tensor<2, Int>, sources: &Memory) -> Tensor<3> {
        let blocks = self.cross_attentions(BackboneInput::new(ids), sources);
        Tensor::cat(blocks, 1).mean_dim(1).squeeze_dim(1) // [batch, blocks · heads, target, source]
    }
}
