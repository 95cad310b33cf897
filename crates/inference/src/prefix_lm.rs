//! A decoder that was trained with a prefix that is read in both directions (Dong et al. 2019; Raffel
//! et al. 2020, section 3.2.1): the prompt sees all of itself, what follows sees what is before it.

use std::borrow::Borrow;

use burn::tensor::{Bool, Device, Tensor, TensorData};
use wuji_model::{BackboneInput, CausalLm, KvCache};

use crate::causal_lm::device_of;
use crate::id_tensors::{last_position, rows};
use crate::logits_model::score_token;
use crate::{InferenceError, LogitsModel, ScoredSequence, TokenScore};

/// A [`CausalLm`], owned or borrowed, as a prefix language model. What is read into an empty cache is the prefix, and of
/// a [`ScoredSequence`], what comes before the scored tokens.
#[derive(Debug, Clone, Copy)]
pub struct PrefixLm<M = CausalLm>(pub M);

impl<M: Borrow<CausalLm>> PrefixLm<M> {
    fn decoder(&self) -> &CausalLm {
        self.0.borrow()
    }

    /// The logits after each of `ids`, row by row, where the first `prefix` of them see each other
    /// in both directions; those within the prefix are of no use.
    ///
    /// # Errors
    /// When the device fails.
    pub fn logits_after(&self, ids: &[u32], prefix: usize) -> Result<Vec<f32>, InferenceError> {
        let device = device_of(self.decoder());
        let input = BackboneInput {
            pair_mask: Some(prefix_mask(ids.len(), prefix, &device)),
            ..BackboneInput::new(rows(&[ids], ids.len(), &device))
        };
        Ok(self.decoder().forward_input(input).try_into_vec_as::<f32>()?)
    }
}

/// Which key each query sees, `[1, seq, seq]`: the prefix and what is not after it.
fn prefix_mask(seq: usize, prefix: usize, device: &Device) -> Tensor<3, Bool> {
    let row = |query: usize| (0..seq).map(move |key| key < prefix || key <= query);
    let mask: Vec<bool> = (0..seq).flat_map(row).collect();
    Tensor::from_data(TensorData::new(mask, [1, seq, seq]), device)
}

impl<M: Borrow<CausalLm> + Send + Sync> LogitsModel for PrefixLm<M> {
    type Cache = KvCache;

    fn vocab_size(&self) -> usize {
        LogitsModel::vocab_size(self.decoder())
    }

    fn context_length(&self) -> usize {
        LogitsModel::context_length(self.decoder())
    }

    fn new_cache(&self, capacity: usize) -> KvCache {
        LogitsModel::new_cache(self.decoder(), capacity)
    }

    fn advance(&self, ids: &[u32], cache: &mut KvCache) -> Result<Vec<f32>, InferenceError> {
        if !cache.is_empty() {
            return self.decoder().advance(ids, cache);
        }
        // In one piece: the first token of the prefix sees the last.
        let device = device_of(self.decoder());
        let input = BackboneInput {
            pair_mask: Some(prefix_mask(ids.len(), ids.len(), &device)),
            ..BackboneInput::new(rows(&[ids], ids.len(), &device))
        };
        last_position(self.decoder().forward_input_cached(input, cache))
    }

    fn advance_rows(
        &self,
        parents: &[usize],
        ids: &[u32],
        cache: &mut KvCache,
    ) -> Result<Vec<f32>, InferenceError> {
        self.decoder().advance_rows(parents, ids, cache)
    }

    /// With nothing said about where the prefix ends, it is the first token.
    fn logits(&self, ids: &[u32]) -> Result<Vec<f32>, InferenceError> {
        self.logits_after(ids, 1)
    }

    fn score(&self, sequences: &[ScoredSequence]) -> Result<Vec<Vec<TokenScore>>, InferenceError> {
        let score = |sequence: &ScoredSequence| {
            if sequence.targets().is_empty() {
                return Ok(Vec::new());
            }
            let logits = self.logits_after(sequence.inputs(), sequence.scored_from)?;
            let rows =
                logits.chunks_exact(LogitsModel::vocab_size(self)).skip(sequence.scored_from - 1);
            Ok(rows.zip(sequence.targets()).map(|(row, &id)| score_token(row, id)).collect())
        };
        sequences.iter().map(score).collect()
    }
}
