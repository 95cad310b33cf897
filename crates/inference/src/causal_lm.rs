//! [`LogitsModel`] for the real models: tensors on a device, log-probabilities back on the host.

use burn::tensor::{Device, Int, Tensor, TensorData};
use wuji_model::{Backbone, BackboneInput, CausalLm, KvCache};

use crate::id_tensors::{row_numbers, rows, score_ids};
use crate::{InferenceError, LogitsModel, ScoredSequence, TokenScore};

/// Tokens read at once in a prefill: long enough to keep the device busy, short enough that the
/// attention scores of a long prompt do not fill the memory.
pub(crate) const PREFILL_CHUNK: usize = 512;

/// Logits computed at once when scoring: 64 MiB in f32, whatever the vocabulary.
pub(crate) const MAX_LOGITS: usize = 1 << 24;

impl LogitsModel for CausalLm {
    type Cache = KvCache;

    fn vocab_size(&self) -> usize {
        self.config().vocab_size()
    }

    fn context_length(&self) -> usize {
        self.config().max_position_embeddings()
    }

    fn new_cache(&self, capacity: usize) -> KvCache {
        CausalLm::new_cache(self, capacity)
    }

    fn advance(&self, ids: &[u32], cache: &mut KvCache) -> Result<Vec<f32>, InferenceError> {
        let device = device_of(self);
        let mut last = None;
        for chunk in ids.chunks(PREFILL_CHUNK) {
            let input = BackboneInput::new(rows(&[chunk], chunk.len(), &device));
            let hidden = self.decoder.forward(input, Some(cache)); // [1, seq, hidden_size]
            last = Some(hidden.narrow(1, chunk.len() - 1, 1)); // [1, 1, hidden_size]
        }
        // Only the last position goes through the head: a row of logits, not one for each token.
        last.map_or_else(
            || Ok(Vec::new()),
            |hidden| Ok(self.logits(hidden).try_into_vec_as::<f32>()?),
        )
    }

    fn advance_rows(
        &self,
        parents: &[usize],
        ids: &[u32],
        cache: &mut KvCache,
    ) -> Result<Vec<f32>, InferenceError> {
        let device = device_of(self);
        let unchanged = parents.iter().enumerate().all(|(row, &parent)| row == parent);
        if !(unchanged && cache.rows() == Some(parents.len())) {
            cache.select_rows(row_numbers(parents, &device));
        }
        let sequences: Vec<&[u32]> = ids.chunks(1).collect();
        let logits = self.forward_cached(rows(&sequences, 1, &device), cache); // [rows, 1, vocab]
        Ok(logits.try_into_vec_as::<f32>()?)
    }

    fn logits(&self, ids: &[u32]) -> Result<Vec<f32>, InferenceError> {
        let logits = self.forward(rows(&[ids], ids.len(), &device_of(self)));
        Ok(logits.try_into_vec_as::<f32>()?)
    }

    fn score(&self, sequences: &[ScoredSequence]) -> Result<Vec<Vec<TokenScore>>, InferenceError> {
        let device = device_of(self);
        let inputs: Vec<&[u32]> = sequences.iter().map(ScoredSequence::inputs).collect();
        let seq = inputs.iter().map(|ids| ids.len()).max().unwrap_or(0);
        if seq == 0 {
            return Ok(vec![Vec::new(); sequences.len()]);
        }
        // Shorter sequences are filled on the right, where causal attention never looks.
        let hidden = self.decoder.forward(BackboneInput::new(rows(&inputs, seq, &device)), None);
        let hidden = hidden.flatten::<2>(0, 1); // [batch · seq, hidden_size]
        let targets: Vec<(usize, u32)> = targets(sequences, seq).collect();
        let mut scores = Vec::with_capacity(targets.len());
        for chunk in targets.chunks((MAX_LOGITS / self.vocab_size()).max(1)) {
            scores.extend(score_chunk(self, &hidden, chunk, &device)?);
        }
        let mut scores = scores.into_iter();
        let lengths = sequences.iter().map(|sequence| sequence.targets().len());
        Ok(lengths.map(|length| scores.by_ref().take(length).collect()).collect())
    }
}

pub(crate) fn device_of(model: &CausalLm) -> Device {
    model.decoder.token_table().weight.device()
}

/// The scored tokens of all sequences, each with the row of the flattened batch that predicts it.
fn targets(sequences: &[ScoredSequence], seq: usize) -> impl Iterator<Item = (usize, u32)> {
    sequences.iter().enumerate().flat_map(move |(index, sequence)| {
        let first = index * seq + sequence.scored_from - 1;
        sequence.targets().iter().enumerate().map(move |(offset, &id)| (first + offset, id))
    })
}

/// Scores `targets`, pairs of a row of `hidden` `[batch · seq, hidden_size]` and a token.
fn score_chunk(
    model: &CausalLm,
    hidden: &Tensor<2>,
    targets: &[(usize, u32)],
    device: &Device,
) -> Result<Vec<TokenScore>, InferenceError> {
    let rows: Vec<usize> = targets.iter().map(|(row, _)| *row).collect();
    let ids: Vec<i64> = targets.iter().map(|(_, id)| i64::from(*id)).collect();
    let count = targets.len();
    let rows = row_numbers(&rows, device);
    let ids = Tensor::<2, Int>::from_data(TensorData::new(ids, [count, 1]), device);
    let logits = model.logits(hidden.clone().select(0, rows).unsqueeze::<3>()); // [1, n, vocab_size]
    score_ids(logits.squeeze_dim::<2>(0), ids)
}
