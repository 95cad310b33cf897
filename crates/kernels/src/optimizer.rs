//! What an optimiser does to every parameter: the AdamW update and the gradient's norm.

use burn::tensor::Tensor;

use crate::plain;

/// One step of AdamW (decoupled weight decay, as `torch.optim.AdamW`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamWStep {
    /// Learning rate of this step.
    pub lr: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// Decoupled weight decay; the parameter shrinks by `lr * weight_decay` of itself.
    pub weight_decay: f64,
    /// Number of this step, from 1, for the bias corrections.
    pub step: u64,
    /// The gradient is multiplied by this first: clipping, loss scaling or averaging.
    pub grad_scale: f64,
}

impl AdamWStep {
    /// `1 - beta1^step`.
    pub fn bias_correction1(&self) -> f64 {
        1.0 - self.beta1.powf(self.step as f64)
    }

    /// `1 - beta2^step`.
    pub fn bias_correction2(&self) -> f64 {
        1.0 - self.beta2.powf(self.step as f64)
    }
}

/// Updates one tensor and its moments; returns the new `(param, m, v)`.
///
/// All four are on a device without autodiff. Buffers that nobody else holds are reused.
pub fn adamw_step<const D: usize>(
    param: Tensor<D>,
    grad: Tensor<D>,
    m: Tensor<D>,
    v: Tensor<D>,
    step: &AdamWStep,
) -> (Tensor<D>, Tensor<D>, Tensor<D>) {
    plain::adamw_step(param, grad, m, v, step)
}

/// Sum of the squares of all elements, shape `[1]`, for the norm of a whole gradient.
pub fn squared_norm<const D: usize>(x: &Tensor<D>) -> Tensor<1> {
    plain::squared_norm(x)
}
