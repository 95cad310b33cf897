//! A learned vector per id.

use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor};
use wuji_kernels::Int8Weight;

use crate::Predictions;

/// A table of vectors, `[ids, hidden_size]`.
#[derive(Module, Debug)]
pub struct Embedding {
    /// The table; empty where there is one of eight bits.
    pub weight: Param<Tensor<2>>,
    /// The table in eight bits, in its stead.
    #[module(skip)]
    pub(crate) int8: Option<Int8Weight>,
}

impl Embedding {
    /// A table of zeros; see [`crate::CausalLm::init`] for the values.
    pub fn zeros(ids: usize, hidden_size: usize, device: &Device) -> Self {
        let weight = Param::from_tensor(Tensor::zeros([ids, hidden_size], device));
        Self { weight, int8: None }
    }

    /// The table's transpose as the last layer.
    pub(crate) fn as_head(&self, hidden: Tensor<3>) -> Predictions {
        match &self.int8 {
            Some(weight) => Predictions::Int8 { hidden, weight: weight.clone() },
            None => {
                let weight = self.weight.val().transpose();
                Predictions::Projection { hidden, weight, bias: None }
            }
        }
    }

    /// Holds the table in eight bits from now on, if its rows are whole blocks.
    pub(crate) fn round_to_int8(&mut self) {
        self.int8 = Int8Weight::quantize(self.weight.val());
        if self.int8.is_some() {
            self.weight = Param::from_tensor(Tensor::empty([0, 0], &self.weight.device()));
        }
    }

    /// Vectors of `ids` `[batch, seq]`, as `[batch, seq, hidden_size]`.
    pub fn forward(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        match &self.int8 {
            Some(table) => table.rows(ids),
            None => wuji_kernels::embedding(self.weight.val(), ids),
        }
    }
}
