//! What a model says of tokens, before it is known what is asked of it: logits, or their loss.

use burn::tensor::{Int, Tensor};
use wuji_kernels::{CrossEntropy, Int8Weight};

/// Predictions of tokens at `[batch, seq]` positions. A loss needs no logits of the whole batch,
/// which with a large vocabulary are most of the memory of a training step; so they are only made
/// when they are asked for.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "tensors are large to the eye; one exists per pass")]
pub enum Predictions {
    /// As they came out of the model, `[batch, seq, vocab_size]`.
    Logits(Tensor<3>),
    /// The last layer, yet to be applied.
    Projection {
        /// `[batch, seq, hidden_size]`.
        hidden: Tensor<3>,
        /// `[hidden_size, vocab_size]`.
        weight: Tensor<2>,
        /// `[vocab_size]`.
        bias: Option<Tensor<1>>,
    },
    /// The same with a weight `[vocab_size, hidden_size]` of eight bits.
    Int8 {
        /// `[batch, seq, hidden_size]`.
        hidden: Tensor<3>,
        /// The head.
        weight: Int8Weight,
    },
}

impl Predictions {
    /// `[batch, seq, vocab_size]`.
    pub fn logits(self) -> Tensor<3> {
        match self {
            Self::Logits(logits) => logits,
            Self::Projection { hidden, weight, bias } => wuji_kernels::linear(hidden, weight, bias),
            Self::Int8 { hidden, weight } => wuji_kernels::linear_int8(hidden, &weight, None),
        }
    }

    /// The summed cross-entropy, `[1]`, of one label per position, row by row, −100 where none
    /// counts.
    pub fn cross_entropy_sum(self, labels: Tensor<1, Int>, options: CrossEntropy) -> Tensor<1> {
        match self {
            Self::Logits(logits) => {
                wuji_kernels::cross_entropy_sum(logits.flatten::<2>(0, 1), labels, options)
            }
            Self::Projection { hidden, weight, bias } => {
                let hidden = hidden.flatten::<2>(0, 1);
                wuji_kernels::linear_cross_entropy_sum(hidden, weight, bias, labels, options)
            }
            Self::Int8 { .. } => Self::Logits(self.logits()).cross_entropy_sum(labels, options),
        }
    }
}
