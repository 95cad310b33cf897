//! Floating-point operations of pre-training, counted on the shapes that an objective makes of a
//! window of text: 6 per parameter and token that it multiplies, and attention's own products
//! (Chowdhery et al. 2022, PaLM appendix B).

use wuji_data::objectives::{ObjectiveBatch, SpecialIds, step_seed, transform_batch};
use wuji_data::{BatchLoader, IGNORE_INDEX};
use wuji_model::{Architecture, MlpKind, ModelConfig, ModelKind};

use super::Objective;
use crate::WujiError;

/// Batches whose shapes are averaged: rows are as long as the longest of their batch.
const COUNTED_BATCHES: u64 = 16;

/// What an objective makes of a window, averaged over batches, padding included.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Shape {
    /// Tokens that go through the only stack, or the encoder.
    source: f64,
    /// Tokens that go through the decoder of two.
    target: f64,
    /// Positions that go through the head.
    scored: f64,
}

/// Operations that a window of text costs an objective's network, forward and backward.
pub(super) fn operations_per_window(
    objective: Objective,
    config: &ModelConfig,
    text: &BatchLoader,
    special: &SpecialIds,
) -> Result<f64, WujiError> {
    let mut sum = 0.0;
    for step in 0..COUNTED_BATCHES {
        let seed = step_seed(0, step, 0);
        let batch = transform_batch(&objective.options(), special, &text.batch(step, 0)?, seed)?;
        sum += operations(config, shape(&batch))?;
    }
    Ok(sum / COUNTED_BATCHES as f64)
}

/// The mean shape of a batch's rows.
fn shape(batch: &ObjectiveBatch) -> Shape {
    match batch {
        ObjectiveBatch::Causal(batch) => {
            let context = batch.context as f64;
            Shape { source: context, target: 0.0, scored: context }
        }
        ObjectiveBatch::Masked(batch) => {
            let labels = batch.labels.iter().filter(|label| **label != IGNORE_INDEX).count();
            let scored = labels as f64 / batch.batch as f64;
            Shape { source: batch.seq as f64, target: 0.0, scored }
        }
        ObjectiveBatch::Seq2Seq(batch) => {
            let target = batch.target_len as f64;
            Shape { source: batch.source_len as f64, target, scored: target }
        }
    }
}

fn operations(config: &ModelConfig, shape: Shape) -> Result<f64, WujiError> {
    let a = config.architecture()?;
    let stacks = match config.encoder_architecture()? {
        None => stack(&a, shape.source),
        Some(encoder) => {
            let cross = cross_attention(&a, shape.target, shape.source);
            stack(&encoder, shape.source) + stack(&a, shape.target) + cross
        }
    };
    Ok(stacks + 6.0 * head(config, &a) * shape.scored)
}

/// Self-attention and MLP of all blocks for `tokens`.
fn stack(a: &Architecture, tokens: f64) -> f64 {
    let width = attention_width(a);
    let matrices = match a.mlp {
        MlpKind::Plain => 2.0,
        MlpKind::Gated => 3.0,
    };
    let mlp = matrices * a.hidden_size as f64 * a.intermediate_size as f64;
    let parameters = 4.0 * a.hidden_size as f64 * width + mlp;
    let per_token = 6.0 * parameters + 12.0 * width * tokens;
    a.num_hidden_layers as f64 * tokens * per_token
}

/// What `target` tokens and the `source` tokens that they look at cost: queries and outputs of
/// those, keys and values of these.
fn cross_attention(a: &Architecture, target: f64, source: f64) -> f64 {
    let width = attention_width(a);
    let projections = 6.0 * 2.0 * a.hidden_size as f64 * width * (target + source);
    a.num_hidden_layers as f64 * (projections + 12.0 * width * target * source)
}

/// All heads together.
fn attention_width(a: &Architecture) -> f64 {
    (a.num_attention_heads * a.head_dim) as f64
}

/// Parameters of the head for each position that goes through it.
fn head(config: &ModelConfig, a: &Architecture) -> f64 {
    let width = a.hidden_size as f64;
    let is_encoder = config.kind() == ModelKind::Encoder;
    let transform = if is_encoder { width * width } else { 0.0 };
    transform + width * a.vocab_size as f64
}

#[cfg(test)]
mod tests {
    use super::super::ObjectivesSetup;
    use super::super::networks::network;
    use super::*;

    fn count(objective: Objective, shape: Shape) -> f64 {
        let setup = ObjectivesSetup { hidden_size: 128, heads: 4, ..Default::default() };
        operations(&network(objective, &setup, 4096).unwrap(), shape).unwrap()
    }

    #[test]
    fn a_decoders_count_is_the_usual_one() {
        let shape = Shape { source: 128.0, target: 0.0, scored: 128.0 };
        let parameters = f64::from(4 * 12 * 128 * 128 + 4096 * 128);
        let per_token = 6.0 * parameters + f64::from(12 * 4 * 128 * 128);
        assert_eq!(count(Objective::CausalLm, shape), 128.0 * per_token);
        assert_eq!(count(Objective::BlankInfilling, shape), 128.0 * per_token);
    }

    #[test]
    fn a_token_passes_one_of_two_stacks() {
        let shape = Shape { source: 100.0, target: 0.0, scored: 0.0 };
        let whole = count(Objective::MaskedLm, shape);
        let of_two = count(Objective::SpanCorruption, shape);
        assert!(of_two < 0.6 * whole, "{of_two} of {whole}");
    }
}
