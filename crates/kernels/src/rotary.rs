//! Rotary position embedding (RoPE).

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use crate::fused::rotary::RotaryOps;
use crate::{fused, plain};

/// Rotates each head of `x` (`[batch, seq, heads, head_dim]`) by angles given as `cos` and `sin`
/// (`[batch or 1, seq, head_dim / 2]`).
///
/// Half-split convention (GPT-NeoX, Llama in Hugging Face): element `i` pairs with
/// `i + head_dim / 2`. The angles are constants: no gradient flows into them.
///
/// # Panics
/// When `head_dim` is odd or the shapes do not fit.
pub fn rotary(x: Tensor<4>, cos: Tensor<3>, sin: Tensor<3>) -> Tensor<4> {
    check_shapes(x.dims(), cos.dims(), sin.dims());
    let heads = x.dims()[2];
    rotate(x, heads, cos.detach(), sin.detach())
}

/// The same for heads packed side by side, `x` `[batch, seq, all_heads * head_dim]`: the first
/// `heads` heads turn, those behind them stay as they are. For the output of one projection to
/// queries, keys and values, which need not be taken apart.
///
/// # Panics
/// When the shapes do not fit.
pub fn rotary_packed(x: Tensor<3>, heads: usize, cos: Tensor<3>, sin: Tensor<3>) -> Tensor<3> {
    let ([batch, seq, width], head_dim) = (x.dims(), 2 * cos.dims()[2]);
    assert!(
        head_dim > 0 && width.is_multiple_of(head_dim) && heads * head_dim <= width,
        "rotary_packed: {heads} heads of {head_dim} do not fit a width of {width}"
    );
    let apart = x.reshape([batch, seq, width / head_dim, head_dim]);
    check_shapes(apart.dims(), cos.dims(), sin.dims());
    rotate(apart, heads, cos.detach(), sin.detach()).reshape([batch, seq, width])
}

fn rotate(x: Tensor<4>, heads: usize, cos: Tensor<3>, sin: Tensor<3>) -> Tensor<4> {
    if fused::applies(&x) && fused::applies(&cos) && fused::applies(&sin) {
        let (x, cos, sin) = (x.into_dispatch(), cos.into_dispatch(), sin.into_dispatch());
        return Tensor::from_dispatch(Dispatch::fused_rotary(x, cos, sin, heads));
    }
    let all = x.dims()[2];
    if heads == all {
        return plain::rotary(x, cos, sin);
    }
    let turned = plain::rotary(x.clone().narrow(2, 0, heads), cos, sin);
    Tensor::cat(vec![turned, x.narrow(2, heads, all - heads)], 2)
}

fn check_shapes(x: [usize; 4], cos: [usize; 3], sin: [usize; 3]) {
    let [batch, seq, _, head_dim] = x;
    assert!(
        head_dim.is_multiple_of(2)
            && cos == sin
            && (cos[0] == batch || cos[0] == 1)
            && cos[1..] == [seq, head_dim / 2],
        "rotary: x {x:?} does not fit angles of shapes {cos:?} and {sin:?}"
    );
}
