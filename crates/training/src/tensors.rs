//! Batches, which are flat vectors, as tensors.

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};

/// Ids as `[rows, columns]`.
pub(crate) fn ids(values: &[u32], shape: [usize; 2], device: &Device) -> Tensor<2, Int> {
    let values: Vec<i64> = values.iter().map(|id| i64::from(*id)).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// Ones as true, `[rows, columns]`.
pub(crate) fn mask(values: &[u32], shape: [usize; 2], device: &Device) -> Tensor<2, Bool> {
    let values: Vec<bool> = values.iter().map(|value| *value != 0).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// Labels as a vector.
pub(crate) fn labels(values: &[i64], device: &Device) -> Tensor<1, Int> {
    Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), device)
}

/// The label smoothing of a loss: none where nothing is learnt, so that a held-out loss is the
/// cross-entropy.
pub(crate) fn smoothing<const D: usize>(rate: f64, logits: &Tensor<D>) -> f64 {
    if logits.device().is_autodiff() { rate } else { 0.0 }
}
