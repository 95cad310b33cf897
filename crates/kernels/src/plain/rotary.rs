//! Rotary embedding by slicing and concatenation.

use burn::tensor::Tensor;

/// Rotates the two halves of each head; see [`crate::rotary`].
pub fn rotary(x: Tensor<4>, cos: Tensor<3>, sin: Tensor<3>) -> Tensor<4> {
    let half = x.dims()[3] / 2;
    let cos = cos.unsqueeze_dim::<4>(2); // [batch|1, seq, 1, half]
    let sin = sin.unsqueeze_dim::<4>(2);
    let first = x.clone().narrow(3, 0, half);
    let second = x.narrow(3, half, half);
    let rotated_first = first.clone() * cos.clone() - second.clone() * sin.clone();
    let rotated_second = second * cos + first * sin;
    Tensor::cat(vec![rotated_first, rotated_second], 3)
}
