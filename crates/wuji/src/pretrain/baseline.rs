//! The n-gram that stands beside every neural score.

use std::time::Instant;

use serde::{Deserialize, Serialize};
use wuji_classical::{OrderSelection, select_order};
use wuji_data::objectives::ObjectiveOptions;

use super::{Progress, TokenizedText};
use crate::WujiError;
use crate::config::RunConfig;

/// A modified Kneser–Ney model's scores on the same tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NgramBaseline {
    /// Its order, picked on a slice of the training text.
    pub order: usize,
    /// Nats per token over the whole validation split, as one running text.
    pub validation_loss: f64,
    /// The same in bits per byte.
    pub bits_per_byte: f64,
    /// Nats per token of every order on the held-out slice of the training text.
    pub held_out_per_order: Vec<(usize, f64)>,
    /// Training tokens it was built from.
    pub training_tokens: u64,
    /// Seconds it took, order selection included.
    pub seconds: f64,
}

/// Share of the training text on which the order is picked.
const HELD_OUT_FRACTION: f64 = 0.1;

/// Fits the baseline, or nothing where the config says so.
pub(super) fn fit(
    config: &RunConfig,
    text: &TokenizedText,
    progress: &mut dyn Progress,
) -> Result<Option<NgramBaseline>, WujiError> {
    // Where the model sees what comes after, only the frequencies of tokens are a fair floor.
    let limit = match config.objective {
        ObjectiveOptions::CausalLm(_) | ObjectiveOptions::SequenceToSequence(_) => usize::MAX,
        _ => 1,
    };
    let max_order = config.evaluation.ngram_max_order.min(limit);
    if max_order == 0 {
        return Ok(None);
    }
    progress.stage("fitting the n-gram baseline");
    let start = Instant::now();
    let limit = config.evaluation.ngram_max_tokens;
    let [train, held_out] = text.material.predicted_tokens(limit);
    let vocab_size = text.tokenizer.vocab_size();
    let OrderSelection { best, order, per_order } =
        select_order(&train, vocab_size, 1..=max_order, HELD_OUT_FRACTION)?;
    let score = best.score(&held_out);
    let baseline = NgramBaseline {
        order,
        validation_loss: score.nats_per_token(),
        bits_per_byte: score.bits_per_byte(text.material.held_out_bytes() as usize),
        held_out_per_order: per_order,
        training_tokens: train.len() as u64,
        seconds: start.elapsed().as_secs_f64(),
    };
    progress.note(&format!(
        "{}-gram: {:.4} nats per token, {:.4} bits per byte",
        baseline.order, baseline.validation_loss, baseline.bits_per_byte
    ));
    Ok(Some(baseline))
}
