//! Rotary position embedding (RoPE).

use burn::tensor::Tensor;

use crate::plain;

/// Rotates each head of `x` (`[batch, seq, heads, head_dim]`) by angles given as `cos` and `sin`
/// (`[batch or 1, seq, head_dim / 2]`).
///
/// Half-split convention (GPT-NeoX, Llama in Hugging Face): element `i` pairs with
/// `i + head_dim / 2`. The angles are constants: no gradient flows into them.
///
/// # Panics
/// When `head_dim` is odd or the shapes do not fit.
pub fn rotary(x: Tensor<4>, cos: Tensor<3>, sin: Tensor<3>) -> Tensor<4> {
    let [batch, seq, _, head_dim] = x.dims();
    let angles = cos.dims();
    assert!(
        head_dim % 2 == 0
            && angles == sin.dims()
            && (angles[0] == batch || angles[0] == 1)
            && angles[1..] == [seq, head_dim / 2],
        "rotary: x {:?} does not fit angles of shape {angles:?}",
        x.dims()
    );
    plain::rotary(x, cos.detach(), sin.detach())
}
