//! Masked tokens by an encoder with a masked-language-model head (Devlin et al. 2019).

use burn::tensor::Tensor;
use wuji_model::{BackboneInput, EncoderModel};

use crate::InferenceError;
use crate::id_tensors::rows;
use crate::logits_model::check_ids;
use crate::sampling::log_sum_exp;

/// A token that may stand in a place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// The token.
    pub id: u32,
    /// Its probability among all tokens.
    pub probability: f64,
}

/// What may stand where a mask is.
#[derive(Debug, Clone, PartialEq)]
pub struct FilledMask {
    /// The mask's place in the text.
    pub position: usize,
    /// The most likely tokens, best first.
    pub candidates: Vec<Candidate>,
}

/// The `top_k` most likely tokens for every `mask_id` in `ids`, each independently of the other
/// masks. `ids` are the whole input, with whatever the tokenizer's template puts around a text.
///
/// # Errors
/// [`InferenceError::NothingToFill`], [`InferenceError::PromptTooLong`],
/// [`InferenceError::TokenOutOfRange`], and [`InferenceError::MissingPart`] for an encoder without
/// such a head.
pub fn fill_mask(
    model: &EncoderModel,
    ids: &[u32],
    mask_id: u32,
    top_k: usize,
) -> Result<Vec<FilledMask>, InferenceError> {
    let masks: Vec<usize> = (0..ids.len()).filter(|&at| ids[at] == mask_id).collect();
    if masks.is_empty() {
        return Err(InferenceError::NothingToFill { masks: mask_id.to_string() });
    }
    let context_length = model.config().max_position_embeddings();
    if ids.len() > context_length {
        return Err(InferenceError::PromptTooLong { tokens: ids.len(), context_length });
    }
    let vocab_size = model.config().vocab_size();
    check_ids(ids, vocab_size)?;
    let logits = mask_logits(model, ids, &masks)?;
    let fill =
        |(&position, row): (&usize, &[f32])| FilledMask { position, candidates: best(row, top_k) };
    Ok(masks.iter().zip(logits.chunks_exact(vocab_size)).map(fill).collect())
}

/// The logits at `masks`, row by row.
fn mask_logits(
    model: &EncoderModel,
    ids: &[u32],
    masks: &[usize],
) -> Result<Vec<f32>, InferenceError> {
    let device = model.encoder.token_table().weight.device();
    let hidden = model.forward(BackboneInput::new(rows(&[ids], ids.len(), &device)));
    // Only masked places go through the head.
    let masked: Vec<Tensor<3>> = masks.iter().map(|&at| hidden.clone().narrow(1, at, 1)).collect();
    let logits =
        model.masked_lm_logits(Tensor::cat(masked, 1)).ok_or(InferenceError::MissingPart {
            part: "masked-language-model head",
            purpose: "filling masks",
        })?;
    Ok(logits.try_into_vec_as::<f32>()?)
}

/// The `count` largest of a row, as probabilities.
fn best(row: &[f32], count: usize) -> Vec<Candidate> {
    let normaliser = log_sum_exp(row);
    let mut order: Vec<usize> = (0..row.len()).collect();
    order.sort_unstable_by(|a, b| row[*b].total_cmp(&row[*a]).then(a.cmp(b)));
    let candidate = |id: usize| Candidate {
        id: id as u32,
        probability: (f64::from(row[id]) - normaliser).exp(),
    };
    order.into_iter().take(count).map(candidate).collect()
}
