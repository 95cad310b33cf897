//! [`LogitsModel`] for the language models from before the transformer. Their cache is small: the
//! state of the recurrent layers, or the last few tokens. Neither has a last position.

use burn::tensor::{Device, Int, Tensor};
use wuji_model::recurrent::{FeedForwardLm, RecurrentLm, RecurrentState};

use crate::causal_lm::{MAX_LOGITS, PREFILL_CHUNK};
use crate::id_tensors::{last_position, row_numbers, rows, score_ids};
use crate::logits_model::UNBOUNDED;
use crate::{InferenceError, LogitsModel, ScoredSequence, TokenScore};

impl LogitsModel for RecurrentLm {
    type Cache = Option<RecurrentState>;

    fn vocab_size(&self) -> usize {
        self.config().vocab_size
    }

    fn context_length(&self) -> usize {
        UNBOUNDED
    }

    fn new_cache(&self, _capacity: usize) -> Option<RecurrentState> {
        None
    }

    fn advance(&self, ids: &[u32], cache: &mut Self::Cache) -> Result<Vec<f32>, InferenceError> {
        let device = self.embedding.weight.device();
        let mut last = None;
        for chunk in ids.chunks(PREFILL_CHUNK) {
            let ids = rows(&[chunk], chunk.len(), &device);
            let (hidden, state) = self.hidden_states(ids, cache.take(), None);
            *cache = Some(state);
            last = Some(hidden.narrow(1, chunk.len() - 1, 1)); // [1, 1, width]
        }
        last.map_or_else(|| Ok(Vec::new()), |hidden| last_position(self.logits(hidden)))
    }

    fn advance_rows(
        &self,
        parents: &[usize],
        ids: &[u32],
        cache: &mut Self::Cache,
    ) -> Result<Vec<f32>, InferenceError> {
        let device = self.embedding.weight.device();
        let state = cache.take().map(|state| state.select(row_numbers(parents, &device)));
        let sequences: Vec<&[u32]> = ids.chunks(1).collect();
        let (logits, state) = self.forward_with_state(rows(&sequences, 1, &device), state);
        *cache = Some(state);
        last_position(logits)
    }

    fn logits(&self, ids: &[u32]) -> Result<Vec<f32>, InferenceError> {
        let ids = rows(&[ids], ids.len(), &self.embedding.weight.device());
        Ok(self.forward(ids).try_into_vec_as::<f32>()?)
    }

    fn score(&self, sequences: &[ScoredSequence]) -> Result<Vec<Vec<TokenScore>>, InferenceError> {
        let device = self.embedding.weight.device();
        let read = |ids, state| self.forward_with_state(ids, state);
        score_in_pieces(sequences, LogitsModel::vocab_size(self), &device, read)
    }
}

/// The last tokens that a [`FeedForwardLm`] has read, of each sequence.
#[derive(Debug, Clone)]
pub struct TokenWindows(Vec<Vec<u32>>);

impl LogitsModel for FeedForwardLm {
    type Cache = TokenWindows;

    fn vocab_size(&self) -> usize {
        self.config().vocab_size
    }

    fn context_length(&self) -> usize {
        UNBOUNDED
    }

    fn new_cache(&self, _capacity: usize) -> TokenWindows {
        TokenWindows(vec![Vec::new()])
    }

    fn advance(&self, ids: &[u32], cache: &mut TokenWindows) -> Result<Vec<f32>, InferenceError> {
        cache.0.truncate(1);
        cache.0[0].extend_from_slice(ids);
        after_windows(self, cache)
    }

    fn advance_rows(
        &self,
        parents: &[usize],
        ids: &[u32],
        cache: &mut TokenWindows,
    ) -> Result<Vec<f32>, InferenceError> {
        // Before anything has been read, all sequences are the same.
        let is_new = cache.0.iter().all(Vec::is_empty);
        let of = |row: usize| if is_new { Vec::new() } else { cache.0[row].clone() };
        let mut windows: Vec<Vec<u32>> = parents.iter().map(|&row| of(row)).collect();
        windows.iter_mut().zip(ids).for_each(|(window, &id)| window.push(id));
        cache.0 = windows;
        after_windows(self, cache)
    }

    fn logits(&self, ids: &[u32]) -> Result<Vec<f32>, InferenceError> {
        let ids = rows(&[ids], ids.len(), &self.embedding.weight.device());
        Ok(self.forward(ids).try_into_vec_as::<f32>()?)
    }

    fn score(&self, sequences: &[ScoredSequence]) -> Result<Vec<Vec<TokenScore>>, InferenceError> {
        let before = self.config().context_size - 1;
        let read = |ids: Tensor<2, Int>, last: Option<Option<Tensor<2, Int>>>| {
            let [_, new] = ids.dims();
            let all = match last.flatten() {
                Some(last) => Tensor::cat(vec![last, ids], 1),
                None => ids,
            };
            let [_, seq] = all.dims();
            let kept = before.min(seq);
            let last = (kept > 0).then(|| all.clone().narrow(1, seq - kept, kept));
            (self.forward(all).narrow(1, seq - new, new), last)
        };
        let device = self.embedding.weight.device();
        score_in_pieces(sequences, LogitsModel::vocab_size(self), &device, read)
    }
}

/// The logits after the tokens of each window, which is cut to what the model sees.
fn after_windows(
    model: &FeedForwardLm,
    cache: &mut TokenWindows,
) -> Result<Vec<f32>, InferenceError> {
    let seen = model.config().context_size;
    for window in &mut cache.0 {
        window.drain(..window.len().saturating_sub(seen));
    }
    let windows: Vec<&[u32]> = cache.0.iter().map(Vec::as_slice).collect();
    let seq = windows.iter().map(|window| window.len()).max().unwrap_or(0);
    last_position(model.forward(rows(&windows, seq, &model.embedding.weight.device())))
}

/// Scores a batch piece by piece, each as long as its logits may be; `read` gives the logits of a
/// piece `[batch, seq]` after what it returned with the piece before. Shorter sequences are filled
/// on the right, where these models never look.
fn score_in_pieces<S>(
    sequences: &[ScoredSequence],
    vocab_size: usize,
    device: &Device,
    mut read: impl FnMut(Tensor<2, Int>, Option<S>) -> (Tensor<3>, S),
) -> Result<Vec<Vec<TokenScore>>, InferenceError> {
    let longest = sequences.iter().map(|sequence| sequence.inputs().len()).max().unwrap_or(0);
    let length = (MAX_LOGITS / (vocab_size * sequences.len().max(1))).clamp(1, PREFILL_CHUNK);
    let mut scores = vec![Vec::new(); sequences.len()];
    let mut state = None;
    for start in (0..longest).step_by(length) {
        let end = longest.min(start + length);
        let inputs: Vec<&[u32]> = sequences.iter().map(|s| cut(s.inputs(), start, end)).collect();
        let (logits, next) = read(rows(&inputs, end - start, device), state.take());
        state = Some(next);
        // What follows each input is its target.
        let targets: Vec<&[u32]> =
            sequences.iter().map(|s| cut(&s.ids, start + 1, end + 1)).collect();
        let ids = rows(&targets, end - start, device);
        let count = sequences.len() * (end - start);
        let scored = score_ids(logits.reshape([count, vocab_size]), ids.reshape([count, 1]))?;
        let rows = scored.chunks_exact(end - start).zip(&targets).zip(sequences);
        for (((row, target), sequence), scores) in rows.zip(&mut scores) {
            let unscored = sequence.scored_from.saturating_sub(start + 1);
            scores.extend(row.iter().take(target.len()).skip(unscored));
        }
    }
    Ok(scores)
}

/// `ids[start..end]`, as much of it as there is.
fn cut(ids: &[u32], start: usize, end: usize) -> &[u32] {
    &ids[start.min(ids.len())..end.min(ids.len())]
}
