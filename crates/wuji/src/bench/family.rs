//! The three kinds of transformer whose training step is timed.

use std::fmt;

use serde::{Deserialize, Serialize};
use wuji_data::IGNORE_INDEX;
use wuji_data::objectives::{MaskedBatch, Seq2SeqBatch};
use wuji_model::ModelConfig;

use super::{BenchShape, random_ids};
use crate::WujiError;

/// A kind of transformer, with what it learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BenchFamily {
    /// GPT-2's block without biases, a head of its own, full rows, the next token everywhere.
    #[default]
    Gpt2,
    /// BERT with its masked-token head on padded rows, of which every seventh token is hidden.
    Bert,
    /// T5 v1.1, `layers` blocks in each stack, on padded sources and targets of a quarter of their
    /// length.
    T5,
}

impl fmt::Display for BenchFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gpt2 => "gpt2",
            Self::Bert => "bert",
            Self::T5 => "t5",
        })
    }
}

/// One token in so many is hidden.
const HIDDEN: usize = 7;
/// The target of a source of `context` tokens has `context / TARGET`.
const TARGET: usize = 4;

impl BenchFamily {
    /// A model of this family, without dropout.
    ///
    /// # Errors
    /// A width that the heads do not divide.
    pub fn model(self, shape: &BenchShape) -> Result<ModelConfig, WujiError> {
        let BenchShape { context, layers, heads, width, vocabulary, .. } = *shape;
        let keys = match self {
            Self::Gpt2 => return shape.model(),
            Self::Bert => serde_json::json!({
                "model_type": "bert",
                "architectures": ["BertForMaskedLM"],
                "vocab_size": vocabulary,
                "hidden_size": width,
                "num_hidden_layers": layers,
                "num_attention_heads": heads,
                "intermediate_size": 4 * width,
                "max_position_embeddings": context,
                "hidden_dropout_prob": 0.0,
                "attention_probs_dropout_prob": 0.0,
            }),
            Self::T5 => serde_json::json!({
                "model_type": "t5",
                "vocab_size": vocabulary,
                "d_model": width,
                "d_kv": width / heads,
                "d_ff": t5_inner(width),
                "num_layers": layers,
                "num_heads": heads,
                "feed_forward_proj": "gated-gelu",
                "tie_word_embeddings": false,
                "dropout_rate": 0.0,
            }),
        };
        Ok(ModelConfig::from_json(&keys.to_string())?)
    }

    /// Floating-point operations of a training step: 6 for each weight and token that it multiplies,
    /// padding included, and 12 · width · keys for each query of a block. For GPT-2 it is
    /// [`BenchShape::training_flops`].
    pub fn training_flops(self, shape: &BenchShape, params: usize) -> f64 {
        let BenchShape { batch, context, layers, width, vocabulary, .. } = *shape;
        let square = width * width;
        let attention = |queries: usize, keys: usize| 12 * width * queries * keys;
        let flops = match self {
            Self::Gpt2 => return shape.training_flops(params),
            Self::Bert => {
                let block = 6 * 12 * square * context + attention(context, context);
                // The head transforms what it reads, and reads hidden tokens only.
                let hidden: usize = row_lengths(shape).map(|length| length.div_ceil(HIDDEN)).sum();
                batch * layers * block + 6 * (square + width * vocabulary) * hidden
            }
            Self::T5 => {
                let (target, mlp) = (target_length(context), 3 * width * t5_inner(width));
                let encoder = 6 * (4 * square + mlp) * context + attention(context, context);
                // Keys and values of the source are made once for each of its tokens.
                let cross = 6 * 2 * square * (target + context) + attention(target, context);
                let decoder = 6 * (4 * square + mlp) * target + attention(target, target) + cross;
                batch * (layers * (encoder + decoder) + 6 * width * vocabulary * target)
            }
        };
        flops as f64
    }

    /// Tokens that a step reads, padding included.
    pub fn tokens(self, shape: &BenchShape) -> usize {
        match self {
            Self::Gpt2 | Self::Bert => shape.tokens(),
            Self::T5 => shape.batch * (shape.context + target_length(shape.context)),
        }
    }
}

/// Width inside T5's gated MLP: as many parameters as a plain one of four widths.
fn t5_inner(width: usize) -> usize {
    (8 * width).div_ceil(3)
}

fn target_length(context: usize) -> usize {
    (context / TARGET).max(1)
}

/// Real tokens of each row: from all of them down to half, so that a quarter of a batch is padding.
fn row_lengths(shape: &BenchShape) -> impl Iterator<Item = usize> {
    let BenchShape { batch, context, .. } = *shape;
    (0..batch).map(move |row| context - row * (context / 2) / batch.max(1))
}

/// 1 on the real tokens of each row, 0 on the padding behind them.
fn attention_mask(shape: &BenchShape) -> Vec<u32> {
    let context = shape.context;
    let row = |length| (0..context).map(move |position| u32::from(position < length));
    row_lengths(shape).flat_map(row).collect()
}

/// Rows of random tokens, of which some are to be guessed.
pub(super) fn masked_batch(shape: &BenchShape, seed: u64) -> MaskedBatch {
    let ids: Vec<u32> = random_ids(seed, shape.vocabulary).take(shape.tokens()).collect();
    let attention_mask = attention_mask(shape);
    let label = |(place, (&id, &real)): (usize, (&u32, &u32))| {
        let is_hidden = real == 1 && (place % shape.context).is_multiple_of(HIDDEN);
        if is_hidden { i64::from(id) } else { IGNORE_INDEX }
    };
    let labels = ids.iter().zip(&attention_mask).enumerate().map(label).collect();
    MaskedBatch {
        batch: shape.batch,
        seq: shape.context,
        input_ids: ids,
        attention_mask,
        token_type_ids: None,
        position_ids: None,
        block_position_ids: None,
        segment_ids: None,
        prefix_len: None,
        labels,
        sentence_label: None,
    }
}

/// Random sources and targets.
pub(super) fn pair_batch(shape: &BenchShape, seed: u64) -> Seq2SeqBatch {
    let target_len = target_length(shape.context);
    let targets = shape.batch * target_len;
    let mut ids = random_ids(seed, shape.vocabulary);
    let mut take = |count: usize| ids.by_ref().take(count).collect::<Vec<u32>>();
    Seq2SeqBatch {
        batch: shape.batch,
        source_len: shape.context,
        target_len,
        input_ids: take(shape.tokens()),
        attention_mask: attention_mask(shape),
        decoder_input_ids: take(targets),
        labels: take(targets).into_iter().map(i64::from).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape() -> BenchShape {
        "4x16,2x2x12,50".parse().unwrap()
    }

    #[test]
    fn rows_are_padded_by_up_to_a_half_and_every_seventh_real_token_is_hidden() {
        let batch = masked_batch(&shape(), 1);
        let real: Vec<u32> = batch.attention_mask.chunks(16).map(|row| row.iter().sum()).collect();
        assert_eq!(real, [16, 14, 12, 10]);
        let hidden: Vec<usize> = (0..4)
            .map(|row| {
                let labels = &batch.labels[16 * row..16 * (row + 1)];
                labels.iter().filter(|&&label| label != IGNORE_INDEX).count()
            })
            .collect();
        assert_eq!(hidden, [3, 2, 2, 2]);
        let pairs = pair_batch(&shape(), 1);
        assert_eq!((pairs.input_ids.len(), pairs.labels.len()), (64, 16));
        assert_eq!(pairs.attention_mask, batch.attention_mask);
    }

    #[test]
    fn flops_count_what_each_token_is_multiplied_by() {
        let (w, ff, v) = (12, 32, 50);
        // Of rows of 16, 14, 12 and 10 tokens, 3, 2, 2 and 2 are hidden.
        let bert = 4 * 2 * (72 * w * w * 16 + 12 * w * 256) + 6 * (w * w + w * v) * 9;
        assert_eq!(BenchFamily::Bert.training_flops(&shape(), 0), bert as f64);
        let encoder = 6 * (4 * w * w + 3 * w * ff) * 16 + 12 * w * 256;
        let own = 6 * (4 * w * w + 3 * w * ff) * 4 + 12 * w * 16;
        let cross = 12 * w * w * 20 + 12 * w * 64;
        let t5 = 2 * (encoder + own + cross) + 6 * w * v * 4;
        assert_eq!(BenchFamily::T5.training_flops(&shape(), 0), (4 * t5) as f64);
        assert_eq!(BenchFamily::T5.tokens(&shape()), 80);
    }
}
