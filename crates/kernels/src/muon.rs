//! Muon: momentum, orthogonalised by Newton–Schulz iterations.

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use crate::fused::muon::MuonOps;
use crate::{fused, plain};

/// Coefficients of the quintic iteration (Jordan 2024).
pub(crate) const COEFFICIENTS: [f32; 3] = [3.4445, -4.775, 2.0315];

/// Number of iterations.
pub(crate) const ITERATIONS: usize = 5;

/// Smallest Frobenius norm that is divided by.
pub(crate) const MIN_NORM: f32 = 1e-7;

/// One step of Muon with Nesterov momentum (Jordan 2024), its update as large as AdamW's whatever
/// the shape: `0.2 · √(max(rows, columns))` times the orthogonalised momentum (Liu et al. 2025).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MuonStep {
    /// Learning rate of this step.
    pub lr: f64,
    /// Decay of the momentum.
    pub momentum: f64,
    /// Decoupled weight decay; the parameter shrinks by `lr * weight_decay` of itself.
    pub weight_decay: f64,
    /// The gradient is multiplied by this first: clipping, loss scaling or averaging.
    pub grad_scale: f64,
}

impl MuonStep {
    /// What the orthogonalised momentum is multiplied by.
    pub fn update_scale(&self, [rows, columns]: [usize; 2]) -> f64 {
        self.lr * 0.2 * (rows.max(columns) as f64).sqrt()
    }
}

/// One matrix to be updated; all three have one shape.
#[derive(Clone, Debug)]
pub struct MuonMatrix {
    /// The parameter.
    pub param: Tensor<2>,
    /// Its gradient.
    pub grad: Tensor<2>,
    /// Its momentum, zero before the first step.
    pub velocity: Tensor<2>,
}

/// Updates matrices and their momenta; returns the new `(param, velocity)` of each.
///
/// Tensors are on a device without autodiff. Buffers that nobody else holds are reused. On Flex
/// the matrices are spread over the threads, one thread for each: together that is faster than
/// many threads for each small product.
///
/// # Panics
/// When the shapes of a matrix differ.
pub fn muon_step(matrices: Vec<MuonMatrix>, step: &MuonStep) -> Vec<(Tensor<2>, Tensor<2>)> {
    for MuonMatrix { param, grad, velocity } in &matrices {
        assert!(
            grad.dims() == param.dims() && velocity.dims() == param.dims(),
            "muon_step: shapes differ: param {:?}, grad {:?}, velocity {:?}",
            param.dims(),
            grad.dims(),
            velocity.dims()
        );
    }
    let all_fused = matrices
        .iter()
        .flat_map(|matrix| [&matrix.param, &matrix.grad, &matrix.velocity])
        .all(|tensor| fused::applies(tensor) && !tensor.device().is_autodiff());
    if !all_fused {
        return matrices.into_iter().map(|matrix| plain::muon_step(matrix, step)).collect();
    }
    fused::in_parallel(matrices, |MuonMatrix { param, grad, velocity }| {
        let (param, velocity) = Dispatch::fused_muon(
            param.into_dispatch(),
            grad.into_dispatch(),
            velocity.into_dispatch(),
            *step,
        );
        (Tensor::from_dispatch(param), Tensor::from_dispatch(velocity))
    })
}
