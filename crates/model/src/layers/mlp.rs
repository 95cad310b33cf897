//! The feed-forward half of a block, plain or gated.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::Linear;
use crate::{Activation, Architecture, MlpKind};

/// `down(act(up(x)))`, or `down(act(gate(x)) · up(x))` when gated.
///
/// A gated MLP holds gate and up side by side in one projection, so that both are one matrix
/// product: columns `0..intermediate` are the gate.
#[derive(Module, Debug)]
pub struct Mlp {
    /// `[hidden, intermediate]`, or `[hidden, 2 · intermediate]` when gated.
    pub up: Linear,
    /// `[intermediate, hidden]`.
    pub down: Linear,
    #[module(skip)]
    kind: MlpKind,
    #[module(skip)]
    activation: Activation,
}

impl Mlp {
    /// An MLP of width `inner` inside, with zero weights.
    pub fn new(architecture: &Architecture, inner: usize, device: &Device) -> Self {
        let hidden = architecture.hidden_size;
        let columns = match architecture.mlp {
            MlpKind::Plain => inner,
            MlpKind::Gated => 2 * inner,
        };
        Self {
            up: Linear::zeros(hidden, columns, architecture.mlp_bias, device),
            down: Linear::zeros(inner, hidden, architecture.mlp_bias, device),
            kind: architecture.mlp,
            activation: architecture.activation,
        }
    }

    /// Maps `x` `[batch, seq, hidden]` to the same shape.
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let inner = self.up.forward(x);
        let activated = match self.kind {
            MlpKind::Plain => activate(self.activation, inner),
            MlpKind::Gated if self.activation == Activation::Silu => {
                wuji_kernels::silu_mul_packed(inner)
            }
            MlpKind::Gated => {
                let width = inner.dims()[2] / 2;
                let gate = inner.clone().narrow(2, 0, width);
                activate(self.activation, gate) * inner.narrow(2, width, width)
            }
        };
        self.down.forward(activated)
    }
}

/// Applies a non-linearity to each value.
pub(crate) fn activate<const D: usize>(activation: Activation, x: Tensor<D>) -> Tensor<D> {
    match activation {
        Activation::Gelu => wuji_kernels::gelu(x),
        Activation::GeluNew => wuji_kernels::gelu_tanh(x),
        Activation::Silu => burn::tensor::activation::silu(x),
        Activation::Relu => burn::tensor::activation::relu(x),
        Activation::Tanh => x.tanh(),
        Activation::Sigmoid => burn::tensor::activation::sigmoid(x),
    }
}
