//! What an optimiser does to every parameter: the AdamW update and the gradient's norm.

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use crate::fused::optimizer::OptimizerOps;
use crate::{fused, plain};

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
/// All four have one shape and are on a device without autodiff. Buffers that nobody else holds are reused.
///
/// # Panics
/// When the shapes differ.
pub fn adamw_step<const D: usize>(
    param: Tensor<D>,
    grad: Tensor<D>,
    m: Tensor<D>,
    v: Tensor<D>,
    step: &AdamWStep,
) -> (Tensor<D>, Tensor<D>, Tensor<D>) {
    let dims = param.dims();
    assert!(
        grad.dims() == dims && m.dims() == dims && v.dims() == dims,
        "adamw_step: shapes differ: param {dims:?}, grad {:?}, m {:?}, v {:?}",
        grad.dims(),
        m.dims(),
        v.dims()
    );
    if ![&param, &grad, &m, &v].into_iter().all(inner) {
        return plain::adamw_step(param, grad, m, v, step);
    }
    let (param, m, v) = Dispatch::fused_adamw(
        param.into_dispatch(),
        grad.into_dispatch(),
        m.into_dispatch(),
        v.into_dispatch(),
        *step,
    );
    (Tensor::from_dispatch(param), Tensor::from_dispatch(m), Tensor::from_dispatch(v))
}

/// Sum of the squares of all elements, shape `[1]`, for the norm of a whole gradient.
pub fn squared_norm<const D: usize>(x: &Tensor<D>) -> Tensor<1> {
    if !inner(x) {
        return plain::squared_norm(x);
    }
    Tensor::from_dispatch(Dispatch::fused_squared_norm(x.clone().into_dispatch()))
}

/// Whether the fused bodies take this tensor: they have no gradients of their own.
fn inner<const D: usize>(tensor: &Tensor<D>) -> bool {
    fused::applies(tensor) && !tensor.device().is_autodiff()
}
