//! A learned vector per id.

use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor};

/// A table of vectors, `[ids, hidden_size]`.
#[derive(Module, Debug)]
pub struct Embedding {
    /// The table.
    pub weight: Param<Tensor<2>>,
}

impl Embedding {
    /// A table of zeros; see [`crate::CausalLm::init`] for the values.
    pub fn zeros(ids: usize, hidden_size: usize, device: &Device) -> Self {
        Self { weight: Param::from_tensor(Tensor::zeros([ids, hidden_size], device)) }
    }

    /// Vectors of `ids` `[batch, seq]`, as `[batch, seq, hidden_size]`.
    pub fn forward(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        wuji_kernels::embedding(self.weight.val(), ids)
    }
}
