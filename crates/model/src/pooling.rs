//! One vector for a text out of one for each token (Reimers & Gurevych 2019, Sentence-BERT).

use burn::tensor::{Bool, Tensor};
use serde::{Deserialize, Serialize};

/// How the vectors of tokens become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pooling {
    /// The mean over real tokens.
    #[default]
    Mean,
    /// The first token.
    Cls,
}

impl Pooling {
    /// Pools `hidden` `[batch, seq, hidden_size]` to `[batch, hidden_size]`; `mask` `[batch, seq]`
    /// says which tokens are real. A text without tokens gets zeros.
    pub fn pool(self, hidden: Tensor<3>, mask: Tensor<2, Bool>) -> Tensor<2> {
        match self {
            Self::Cls => hidden.narrow(1, 0, 1).squeeze_dim::<2>(1),
            Self::Mean => {
                let weights = mask.float().unsqueeze_dim::<3>(2); // [batch, seq, 1]
                let count = weights.clone().sum_dim(1).clamp_min(1e-9);
                ((hidden * weights).sum_dim(1) / count).squeeze_dim::<2>(1)
            }
        }
    }
}

/// Scales each row of `x` `[batch, width]` to length one; a row of zeros stays.
pub fn normalise(x: Tensor<2>) -> Tensor<2> {
    let length = x.clone().powf_scalar(2.0).sum_dim(1).sqrt().clamp_min(1e-12);
    x / length
}
