//! Muon as a row of burn operations.

use burn::tensor::Tensor;

use crate::muon::{COEFFICIENTS, ITERATIONS, MIN_NORM};
use crate::{MuonMatrix, MuonStep};

/// One Muon update; see [`crate::muon_step`].
pub fn muon_step(matrix: MuonMatrix, step: &MuonStep) -> (Tensor<2>, Tensor<2>) {
    let MuonMatrix { param, grad, velocity } = matrix;
    let grad = if step.grad_scale == 1.0 { grad } else { grad * step.grad_scale };
    let velocity = velocity * step.momentum + grad.clone();
    let update = orthogonalized(grad + velocity.clone() * step.momentum);
    let scale = step.update_scale(param.dims());
    let param = param * (1.0 - step.lr * step.weight_decay) - update * scale;
    (param, velocity)
}

/// The nearest semi-orthogonal matrix, roughly: singular values end up between 0.7 and 1.2.
fn orthogonalized(x: Tensor<2>) -> Tensor<2> {
    let [rows, columns] = x.dims();
    let tall = rows > columns;
    let x = if tall { x.transpose() } else { x };
    let norm = (x.clone() * x.clone()).sum().sqrt().clamp_min(MIN_NORM);
    let mut x = x / norm.unsqueeze();
    let [a, b, c] = COEFFICIENTS;
    for _ in 0..ITERATIONS {
        let gram = x.clone().matmul(x.clone().transpose());
        let polynomial = gram.clone() * b + gram.clone().matmul(gram) * c;
        x = x.clone() * a + polynomial.matmul(x);
    }
    if tall { x.transpose() } else { x }
}
