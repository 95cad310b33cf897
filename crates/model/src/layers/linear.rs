//! `y = x · W + b`.

use std::ops::Range;

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use wuji_kernels::Int8Weight;

/// An affine map of the last dimension.
///
/// The weight is `[input, output]`, as GPT-2's `Conv1D` stores it; files of other families hold the
/// transpose and are turned round when they are read.
#[derive(Module, Debug)]
pub struct Linear {
    /// `[input, output]`; empty where there is one of eight bits.
    pub weight: Param<Tensor<2>>,
    /// `[output]`.
    pub bias: Option<Param<Tensor<1>>>,
    /// The weight in eight bits, `[output, input]`, in its stead.
    #[module(skip)]
    pub(crate) int8: Option<Int8Weight>,
}

impl Linear {
    /// A map with all weights zero; see [`crate::CausalLm::init`] for the values.
    pub fn zeros(input: usize, output: usize, bias: bool, device: &Device) -> Self {
        Self {
            weight: Param::from_tensor(Tensor::zeros([input, output], device)),
            bias: bias.then(|| Param::from_tensor(Tensor::zeros([output], device))),
            int8: None,
        }
    }

    /// Holds the weight in eight bits from now on, if the inputs are whole blocks.
    pub(crate) fn round_to_int8(&mut self) {
        self.int8 = Int8Weight::quantize(self.weight.val().transpose());
        if self.int8.is_some() {
            self.weight = Param::from_tensor(Tensor::empty([0, 0], &self.weight.device()));
        }
    }

    /// Maps `x` of shape `[.., input]` to `[.., output]`.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let bias = self.bias.as_ref().map(Param::val);
        match &self.int8 {
            Some(weight) => wuji_kernels::linear_int8(x, weight, bias),
            None => wuji_kernels::linear(x, self.weight.val(), bias),
        }
    }

    /// The same for some of the outputs: `[.., columns]`.
    pub fn forward_columns<const D: usize>(
        &self,
        x: Tensor<D>,
        columns: Range<usize>,
    ) -> Tensor<D> {
        let (start, width) = (columns.start, columns.len());
        let weight = self.weight.val().narrow(1, start, width);
        let bias = self.bias.as_ref().map(|bias| bias.val().narrow(0, start, width));
        wuji_kernels::linear(x, weight, bias)
    }
}
