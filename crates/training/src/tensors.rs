//! Batches, which are flat vectors, as tensors.

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use wuji_kernels::CrossEntropy;

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

/// What is added to a cross-entropy that is learnt from: nothing where nothing is learnt, so that a
/// held-out loss is the cross-entropy.
pub(crate) fn learnt(options: CrossEntropy, device: &Device) -> CrossEntropy {
    if device.is_autodiff() { options } else { CrossEntropy::default() }
}
