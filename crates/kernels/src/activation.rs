//! GELU and SwiGLU.

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use crate::fused::activation::{Activation, ActivationOps};
use crate::fused::swiglu::SwigluOps;
use crate::{fused, plain};

/// GELU with the error function, `x · Φ(x)` (PyTorch's default, BERT, T5).
pub fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    if !fused::applies(&x) {
        return plain::gelu(x);
    }
    let x = x.into_dispatch();
    Tensor::from_dispatch(Dispatch::fused_activation(x, Activation::Gelu))
}

/// GELU in its tanh approximation (`gelu_new`: GPT-2, nanoGPT, Gemma).
pub fn gelu_tanh<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    if !fused::applies(&x) {
        return plain::gelu_tanh(x);
    }
    let x = x.into_dispatch();
    Tensor::from_dispatch(Dispatch::fused_activation(x, Activation::GeluTanh))
}

/// SwiGLU's element-wise part: `silu(gate) · up` for two tensors of one shape (Llama).
///
/// # Panics
/// When the shapes differ.
pub fn silu_mul<const D: usize>(gate: Tensor<D>, up: Tensor<D>) -> Tensor<D> {
    assert_eq!(gate.dims(), up.dims(), "silu_mul: gate and up differ in shape");
    if !fused::applies(&gate) || !fused::applies(&up) {
        return plain::silu_mul(gate, up);
    }
    let (gate, up) = (gate.into_dispatch(), up.into_dispatch());
    Tensor::from_dispatch(Dispatch::fused_silu_mul(gate, up))
}

/// The same for gate and up side by side in each row, as one projection produces them:
/// `[.., 2 * width]` to `[.., width]`.
///
/// # Panics
/// When the last dimension is odd.
pub fn silu_mul_packed<const D: usize>(gate_up: Tensor<D>) -> Tensor<D> {
    let columns = gate_up.dims()[D - 1];
    assert!(columns.is_multiple_of(2), "silu_mul_packed: rows of {columns} have no two halves");
    if fused::applies(&gate_up) {
        return Tensor::from_dispatch(Dispatch::fused_silu_mul_packed(gate_up.into_dispatch()));
    }
    let width = columns / 2;
    let gate = gate_up.clone().narrow(D - 1, 0, width);
    plain::silu_mul(gate, gate_up.narrow(D - 1, width, width))
}
