//! Blanks of any length by the original GLM (Du et al. 2022, "General Language Model Pretraining with
//! Autoregressive Blank Infilling").
//!
//! Part A, the text with its masks, is read in both directions. Behind it the pieces are written one
//! after the other, from left to right, each from a start-of-piece token to an end-of-piece token;
//! a token sees all of part A, the pieces before and its own piece so far. It has two positions:
//! that of its mask in part A, and its place in the piece, counted from 1.
//!
//! The model's attention has no direction of its own, so with a cache no mask is needed: what comes
//! later has not been read yet.

use burn::tensor::{Device, Int, Tensor, TensorData};
use wuji_model::{BackboneInput, CausalLm, KvCache};
use wuji_protocol::{FinishReason, GenerateOptions};

use crate::causal_lm::device_of;
use crate::id_tensors::{last_position, rows};
use crate::logits_model::check_ids;
use crate::sampling::Sampler;
use crate::{InferenceError, LogitsModel};

/// The tokens that blank filling is written with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlankTokens {
    /// What a blank is marked with: `[MASK]`, `[sMASK]`, `[gMASK]`.
    pub masks: Vec<u32>,
    /// Begins a piece.
    pub start_of_piece: u32,
    /// Ends a piece.
    pub end_of_piece: u32,
}

/// What was written into one blank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blank {
    /// Place of its mask in the text.
    pub position: usize,
    /// The new tokens, without the one that ends the piece.
    pub ids: Vec<u32>,
    /// [`FinishReason::EndOfText`] for the end of the piece, or [`FinishReason::Length`].
    pub finish_reason: FinishReason,
}

/// Fills the blanks of `ids`, from left to right, each with at most
/// [`max_new_tokens`](GenerateOptions::max_new_tokens); the other options choose tokens as ever, but
/// there is no beam search here.
///
/// # Errors
/// [`InferenceError::MissingPart`] for a model without positions in blanks,
/// [`InferenceError::NothingToFill`], [`InferenceError::PromptTooLong`],
/// [`InferenceError::TokenOutOfRange`], and as [`Sampler::choose`].
pub fn fill_blanks(
    model: &CausalLm,
    ids: &[u32],
    tokens: &BlankTokens,
    options: &GenerateOptions,
) -> Result<Vec<Blank>, InferenceError> {
    let masks: Vec<usize> = (0..ids.len()).filter(|&at| tokens.masks.contains(&ids[at])).collect();
    check(model, ids, tokens, &masks)?;
    let context_length = LogitsModel::context_length(model);
    // The first row of the table of places is part A's.
    let limit = options.max_new_tokens.min(context_length - 1);
    let capacity = ids.len().saturating_add(masks.len().saturating_mul(limit));
    let device = device_of(model);
    let mut cache = model.new_cache(capacity);
    let part_a = BackboneInput::new(rows(&[ids], ids.len(), &device));
    model.forward_input_cached(part_a, &mut cache);
    let sampler = Sampler::new(options.clone(), Vec::new(), vec![tokens.end_of_piece]);
    let mut writer = Writer { model, device, cache, read: ids.to_vec() };
    let pieces = masks.into_iter().enumerate();
    pieces
        .map(|(piece, position)| {
            writer.piece(position, tokens.start_of_piece, &sampler.reseeded(piece), limit)
        })
        .collect()
}

fn check(
    model: &CausalLm,
    ids: &[u32],
    tokens: &BlankTokens,
    masks: &[usize],
) -> Result<(), InferenceError> {
    if model.decoder.block_position_embedding.is_none() {
        let part = "embedding of positions within blanks";
        return Err(InferenceError::MissingPart { part, purpose: "filling blanks" });
    }
    if masks.is_empty() {
        let masks: Vec<String> = tokens.masks.iter().map(u32::to_string).collect();
        return Err(InferenceError::NothingToFill { masks: masks.join(", ") });
    }
    let context_length = LogitsModel::context_length(model);
    if ids.len() > context_length {
        return Err(InferenceError::PromptTooLong { tokens: ids.len(), context_length });
    }
    let vocab_size = LogitsModel::vocab_size(model);
    check_ids(ids, vocab_size)?;
    check_ids(&[tokens.start_of_piece], vocab_size)
}

/// The model with what it has read.
struct Writer<'m> {
    model: &'m CausalLm,
    device: Device,
    cache: KvCache,
    read: Vec<u32>,
}

impl Writer<'_> {
    /// Writes the piece for the mask at `position`.
    fn piece(
        &mut self,
        position: usize,
        start: u32,
        sampler: &Sampler,
        limit: usize,
    ) -> Result<Blank, InferenceError> {
        let mut ids = Vec::new();
        let mut last = start;
        for place in 0..limit {
            let mut logits = self.advance(last, position, place + 1)?;
            last = sampler.choose(&mut logits, &self.read, place)?;
            if sampler.is_eos(last) {
                return Ok(Blank { position, ids, finish_reason: FinishReason::EndOfText });
            }
            ids.push(last);
        }
        // As in training, what ends a piece is not read.
        Ok(Blank { position, ids, finish_reason: FinishReason::Length })
    }

    /// Reads one token and returns the logits after it.
    fn advance(
        &mut self,
        id: u32,
        position: usize,
        place: usize,
    ) -> Result<Vec<f32>, InferenceError> {
        self.read.push(id);
        let one = |value: usize| -> Tensor<2, Int> {
            Tensor::from_data(TensorData::new(vec![value as i64], [1, 1]), &self.device)
        };
        let input = BackboneInput {
            position_ids: Some(one(position)),
            block_position_ids: Some(one(place)),
            ..BackboneInput::new(one(id as usize))
        };
        last_position(self.model.forward_input_cached(input, &mut self.cache))
    }
}

/// `ids` with its masks replaced by what was written.
pub fn filled(ids: &[u32], blanks: &[Blank]) -> Vec<u32> {
    let mut whole = Vec::with_capacity(ids.len());
    let mut rest = blanks.iter().peekable();
    for (at, &id) in ids.iter().enumerate() {
        match rest.next_if(|blank| blank.position == at) {
            Some(blank) => whole.extend_from_slice(&blank.ids),
            None => whole.push(id),
        }
    }
    whole
}
