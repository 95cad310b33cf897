//! The AdamW update and the squared norm as a row of element-wise operations.

use burn::tensor::Tensor;

use crate::AdamWStep;

/// One AdamW update; see [`crate::adamw_step`].
pub fn adamw_step<const D: usize>(
    param: Tensor<D>,
    grad: Tensor<D>,
    m: Tensor<D>,
    v: Tensor<D>,
    step: &AdamWStep,
) -> (Tensor<D>, Tensor<D>, Tensor<D>) {
    let grad = if step.grad_scale == 1.0 { grad } else { grad * step.grad_scale };
    let m = m * step.beta1 + grad.clone() * (1.0 - step.beta1);
    let v = v * step.beta2 + grad.clone() * grad * (1.0 - step.beta2);
    let denominator = v.clone().sqrt() / step.bias_correction2().sqrt() + step.epsilon;
    let update = m.clone() / denominator * (step.lr / step.bias_correction1());
    let param = param * (1.0 - step.lr * step.weight_decay) - update;
    (param, m, v)
}

/// Sum of squares of all elements, shape `[1]`.
pub fn squared_norm<const D: usize>(x: &Tensor<D>) -> Tensor<1> {
    (x.clone() * x.clone()).sum()
}
