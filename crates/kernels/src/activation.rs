//! GELU and SwiGLU.

use burn::tensor::Tensor;

use crate::plain;

/// GELU with the error function, `x · Φ(x)` (PyTorch's default, BERT, T5).
pub fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    plain::gelu(x)
}

/// GELU in its tanh approximation (`gelu_new`: GPT-2, nanoGPT, Gemma).
pub fn gelu_tanh<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    plain::gelu_tanh(x)
}

/// SwiGLU's element-wise part: `silu(gate) · up` for two tensors of one shape (Llama).
pub fn silu_mul<const D: usize>(gate: Tensor<D>, up: Tensor<D>) -> Tensor<D> {
    plain::silu_mul(gate, up)
}
