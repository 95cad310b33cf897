//! Attention of a decoder to its source: additive (Bahdanau, Cho and Bengio 2015) or multiplicative
//! (Luong, Pham and Manning 2015).
//!
//! What depends on the source alone is computed once, by [`SourceAttention::read`].

use burn::module::Module;
use burn::tensor::{Bool, Device, Int, Tensor, activation};

use super::AttentionKind;
use crate::layers::Linear;

/// Added to the scores of padding: its weight is then exactly zero, and a source that is nothing
/// but padding gives no NaN.
const NOTHING: f32 = -1e30;

/// The scores of source positions.
#[derive(Module, Debug)]
pub struct SourceAttention {
    /// Additive: `[decoder width, width]`, without a bias.
    pub query: Option<Linear>,
    /// Additive: `[memory width, width]` with a bias; general: `[memory width, decoder width]`
    /// without.
    pub key: Option<Linear>,
    /// Additive: `[width, 1]`, without a bias.
    pub score: Option<Linear>,
}

/// A source as its readers see it.
#[derive(Debug, Clone)]
pub struct AttendedSource {
    /// What is read: `[batch, source, memory width]`.
    pub memory: Tensor<3>,
    /// What is compared: `[batch, source, width]`.
    keys: Tensor<3>,
    /// Zero where there is a token, very negative on padding: `[batch, 1, source]`.
    padding: Option<Tensor<3>>,
}

impl AttendedSource {
    /// Some rows of the batch, in this order.
    pub fn select(&self, rows: Tensor<1, Int>) -> Self {
        let select = |x: &Tensor<3>| x.clone().select(0, rows.clone());
        Self {
            memory: select(&self.memory),
            keys: select(&self.keys),
            padding: self.padding.as_ref().map(select),
        }
    }
}

impl SourceAttention {
    /// Attention of a decoder of `decoder` units to memories of `memory` values, with zero weights.
    pub fn new(kind: AttentionKind, decoder: usize, memory: usize, device: &Device) -> Self {
        let linear = |input, output, bias| Some(Linear::zeros(input, output, bias, device));
        match kind {
            AttentionKind::Additive => Self {
                query: linear(decoder, decoder, false),
                key: linear(memory, decoder, true),
                score: linear(decoder, 1, false),
            },
            AttentionKind::General => {
                Self { query: None, key: linear(memory, decoder, false), score: None }
            }
            AttentionKind::Dot => Self { query: None, key: None, score: None },
        }
    }

    /// Prepares `memory` `[batch, source, memory width]`, whose real positions `mask`
    /// `[batch, source]` marks.
    pub fn read(&self, memory: Tensor<3>, mask: Option<Tensor<2, Bool>>) -> AttendedSource {
        let keys = match &self.key {
            Some(key) => key.forward(memory.clone()),
            None => memory.clone(),
        };
        let padding = mask.map(|mask| {
            let nothing = mask.bool_not().float() * NOTHING;
            nothing.unsqueeze_dim::<3>(1) // [batch, 1, source]
        });
        AttendedSource { memory, keys, padding }
    }

    /// Weights `[batch, target, source]` of decoder states `[batch, target, decoder width]`. Each
    /// row sums to one over the source's tokens.
    pub fn weights(&self, states: Tensor<3>, source: &AttendedSource) -> Tensor<3> {
        let scores = match (&self.query, &self.score) {
            (Some(query), Some(score)) => {
                let (queries, keys) = (query.forward(states), source.keys.clone());
                wuji_kernels::additive_scores(queries, keys, score.weight.val())
            }
            _ => states.matmul(source.keys.clone().swap_dims(1, 2)),
        };
        let scores = match &source.padding {
            Some(padding) => scores + padding.clone(),
            None => scores,
        };
        activation::softmax(scores, 2)
    }

    /// What weights `[batch, target, source]` read: `[batch, target, memory width]`.
    pub fn context(&self, weights: Tensor<3>, source: &AttendedSource) -> Tensor<3> {
        weights.matmul(source.memory.clone())
    }
}
