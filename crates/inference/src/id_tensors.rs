//! Token ids and row numbers as tensors, and numbers back on the host.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Bool, Device, Int, Tensor, TensorData};

use crate::{InferenceError, TokenScore};

/// Token ids as `[batch, seq]`, filled with 0 on the right.
pub(crate) fn rows(sequences: &[&[u32]], seq: usize, device: &Device) -> Tensor<2, Int> {
    let mut data = vec![0_i64; sequences.len() * seq];
    for (row, ids) in data.chunks_exact_mut(seq).zip(sequences) {
        for (place, &id) in row.iter_mut().zip(*ids) {
            *place = i64::from(id);
        }
    }
    Tensor::from_data(TensorData::new(data, [sequences.len(), seq]), device)
}

/// Which places of [`rows`] hold a token, `[batch, seq]`.
pub(crate) fn real(sequences: &[&[u32]], seq: usize, device: &Device) -> Tensor<2, Bool> {
    let row = |ids: &&[u32]| {
        let length = ids.len();
        (0..seq).map(move |place| place < length)
    };
    let data: Vec<bool> = sequences.iter().flat_map(row).collect();
    Tensor::from_data(TensorData::new(data, [sequences.len(), seq]), device)
}

/// Numbers of rows, `[count]`.
pub(crate) fn row_numbers(rows: &[usize], device: &Device) -> Tensor<1, Int> {
    let data: Vec<i64> = rows.iter().map(|&row| row as i64).collect();
    Tensor::from_data(TensorData::new(data, [rows.len()]), device)
}

/// The last position of logits `[batch, seq, vocab_size]`, row by row.
pub(crate) fn last_position(logits: Tensor<3>) -> Result<Vec<f32>, InferenceError> {
    let [_, seq, _] = logits.dims();
    Ok(logits.narrow(1, seq - 1, 1).try_into_vec_as::<f32>()?)
}

/// How likely each of `ids` `[n, 1]` is under logits `[n, vocab_size]`.
pub(crate) fn score_ids(
    logits: Tensor<2>,
    ids: Tensor<2, Int>,
) -> Result<Vec<TokenScore>, InferenceError> {
    let log_probs = log_softmax(logits, 1);
    let best = log_probs.clone().argmax(1).equal(ids.clone()).int(); // [n, 1]
    let log_probs = log_probs.gather(1, ids).try_into_vec_as::<f32>()?;
    let best = best.try_into_vec_as::<i32>()?;
    let score =
        |(log_prob, best)| TokenScore { log_prob: f64::from(log_prob), is_greedy: best == 1 };
    Ok(log_probs.into_iter().zip(best).map(score).collect())
}
