//! LayerNorm and RMSNorm.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

use crate::NormKind;

/// Normalises the last dimension, then scales it (and shifts it, where LayerNorm has a bias).
#[derive(Module, Debug)]
pub struct Norm {
    /// The scale, `[width]`.
    pub weight: Param<Tensor<1>>,
    /// The shift, `[width]`.
    pub bias: Option<Param<Tensor<1>>>,
    epsilon: f64,
    subtract_mean: bool,
}

impl Norm {
    /// A norm over `width` values with scale one.
    pub fn new(kind: NormKind, width: usize, epsilon: f64, device: &Device) -> Self {
        let bias = matches!(kind, NormKind::LayerNorm { bias: true });
        Self {
            weight: Param::from_tensor(Tensor::ones([width], device)),
            bias: bias.then(|| Param::from_tensor(Tensor::zeros([width], device))),
            epsilon,
            subtract_mean: matches!(kind, NormKind::LayerNorm { .. }),
        }
    }

    /// What is added to the variance or mean square.
    pub fn epsilon(&self) -> f64 {
        self.epsilon
    }

    /// Normalises `x` of shape `[batch, seq, width]`.
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let weight = self.weight.val();
        if self.subtract_mean {
            let bias = self.bias.as_ref().map(Param::val);
            wuji_kernels::layer_norm(x, weight, bias, self.epsilon)
        } else {
            wuji_kernels::rms_norm(x, weight, self.epsilon)
        }
    }

    /// Normalises each head of `x` of shape `[batch, seq, heads, width]` (QK-norm; RMSNorm only).
    pub fn forward_heads(&self, x: Tensor<4>) -> Tensor<4> {
        debug_assert!(!self.subtract_mean, "QK-norm is an RMSNorm");
        wuji_kernels::rms_norm(x, self.weight.val(), self.epsilon)
    }
}
