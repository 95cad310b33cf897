//! Weights of eight bits.

use std::sync::Arc;

use burn::backend::Dispatch;
use burn::tensor::{Device, Int, Tensor, TensorData};
use rayon::prelude::*;

use crate::fused;
use crate::fused::quantized::QuantizedOps;
use crate::simd::BLOCK;

/// A matrix `[outputs, inputs]` in eight bits: blocks of 32 along the inputs, each an integer in
/// −127..=127 times a scale, the largest magnitude over 127 (as GGUF's Q8_0, with scales of 32 bits): 9
/// bits per weight instead of 32. It lies in the memory of the CPU, and copies share it.
#[derive(Clone)]
pub struct Int8Weight(Arc<Values>);

/// What an [`Int8Weight`] is made of.
pub(crate) struct Values {
    pub values: Vec<i8>,
    /// One for each block.
    pub scales: Vec<f32>,
    pub outputs: usize,
    pub inputs: usize,
}

impl Int8Weight {
    /// `weight` `[outputs, inputs]` rounded; `None` where the inputs are no whole number of blocks.
    pub fn quantize(weight: Tensor<2>) -> Option<Self> {
        let [outputs, inputs] = weight.dims();
        if inputs == 0 || !inputs.is_multiple_of(BLOCK) {
            return None;
        }
        let weight = weight.into_data().convert::<f32>();
        let weight = weight.as_slice::<f32>().ok()?;
        let mut values = vec![0; weight.len()];
        let mut scales = vec![0.0; weight.len() / BLOCK];
        let rows = weight.par_chunks(inputs).zip(values.par_chunks_mut(inputs));
        rows.zip(scales.par_chunks_mut(inputs / BLOCK)).for_each(|((row, values), scales)| {
            fused::quantized::round(row, values, scales);
        });
        Some(Self(Arc::new(Values { values, scales, outputs, inputs })))
    }

    /// Whether there are products of such weights on this device.
    pub fn is_supported_on(device: &Device) -> bool {
        fused::is_flex(device)
    }

    /// Outputs and inputs.
    pub fn dims(&self) -> [usize; 2] {
        [self.0.outputs, self.0.inputs]
    }

    /// What it stands for, `[outputs, inputs]`.
    pub fn dequantize(&self, device: &Device) -> Tensor<2> {
        Tensor::from_data(TensorData::new(self.0.dequantized(), self.dims()), device)
    }

    /// Rows by `ids` `[batch, seq]`, as `[batch, seq, inputs]`.
    ///
    /// # Panics
    /// When an id is not below the number of outputs.
    pub fn rows(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        let ([batch, seq], device) = (ids.dims(), ids.device());
        let ids = ids.into_data();
        let rows: Vec<f32> = ids.iter::<i64>().flat_map(|id| self.0.row(id as usize)).collect();
        Tensor::from_data(TensorData::new(rows, [batch, seq, self.0.inputs]), &device)
    }

    pub(crate) fn values(&self) -> &Values {
        &self.0
    }
}

impl std::fmt::Debug for Int8Weight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Int8Weight{:?}", self.dims())
    }
}

impl Values {
    fn row(&self, output: usize) -> impl Iterator<Item = f32> {
        assert!(output < self.outputs, "row {output} of {}", self.outputs);
        let values = &self.values[output * self.inputs..][..self.inputs];
        let scales = &self.scales[output * (self.inputs / BLOCK)..];
        let blocks = values.as_chunks::<BLOCK>().0.iter().zip(scales);
        blocks.flat_map(|(block, &scale)| block.iter().map(move |&value| f32::from(value) * scale))
    }

    /// All weights, `[outputs, inputs]`.
    pub(crate) fn dequantized(&self) -> Vec<f32> {
        let mut values = vec![0.0; self.values.len()];
        let blocks =
            self.values.par_chunks(self.inputs).zip(self.scales.par_chunks(self.inputs / BLOCK));
        values.par_chunks_mut(self.inputs).zip(blocks).for_each(|(to, (values, scales))| {
            fused::quantized::widen(values, scales, to);
        });
        values
    }
}

/// `x · weightᵀ + bias` over the last dimension of `x` (`[.., inputs]`), for `bias` `[outputs]`.
///
/// Up to eight rows are rounded to eight bits themselves, block by block, which makes reading the
/// weights all the work there is. More rows are multiplied in `f32`. The weight has no gradient.
///
/// # Panics
/// When the shapes do not fit together, or on another backend than Flex.
pub fn linear_int8<const D: usize>(
    x: Tensor<D>,
    weight: &Int8Weight,
    bias: Option<Tensor<1>>,
) -> Tensor<D> {
    let ([outputs, inputs], width) = (weight.dims(), x.dims()[D - 1]);
    let bias_fits = bias.as_ref().is_none_or(|bias| bias.dims() == [outputs]);
    assert!(
        width == inputs && bias_fits,
        "linear_int8: rows of {width} and a weight of {outputs} by {inputs} do not fit, or the bias"
    );
    assert!(fused::applies(&x), "linear_int8: eight-bit weights are for f32 on flex");
    let product = Dispatch::fused_linear_int8(x.into_dispatch(), weight.clone());
    let product = Tensor::<D>::from_dispatch(product);
    match bias {
        Some(bias) => product + bias.unsqueeze(),
        None => product,
    }
}
