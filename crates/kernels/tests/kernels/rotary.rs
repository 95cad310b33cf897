//! Rotary embedding against the plain body.

use crate::common::{Leaf, Values, at_every_level, check, evaluate_inner, flat};
use burn::tensor::Tensor;
use wuji_kernels::{plain, rotary, rotary_packed};

/// Angles as `cos` and `sin`; constants, so made inside the function under test.
fn angles(shape: [usize; 3], like: &Tensor<4>) -> [Tensor<3>; 2] {
    let values = Values::random(&shape, 3.0, 5).data;
    let device = like.device().without_autodiff();
    [f64::cos, f64::sin].map(|f| {
        let data = values.iter().map(|&x| f(x)).collect::<Vec<_>>();
        let data = burn::tensor::TensorData::new(data, shape).convert_dtype(like.dtype());
        Tensor::from_data(data, (&device, like.dtype()))
    })
}

#[test]
fn values_and_gradients_agree_with_the_plain_body() {
    for (batch, angle_batch, seq, heads, head_dim) in
        [(1, 1, 1, 1, 2), (2, 2, 3, 2, 6), (2, 1, 3, 2, 4), (3, 1, 64, 4, 32), (2, 2, 100, 3, 50)]
    {
        let shape = [angle_batch, seq, head_dim / 2];
        check(
            &[Values::random(&[batch, seq, heads, head_dim], 2.0, 1)],
            |x: &[Leaf]| {
                let x = x[0].get::<4>();
                let [cos, sin] = angles(shape, &x);
                flat(rotary(x, cos, sin))
            },
            |x| {
                let x = x[0].get::<4>();
                let [cos, sin] = angles(shape, &x);
                flat(plain::rotary(x, cos, sin))
            },
            1e-6,
        );
    }
}

#[test]
fn packed_heads_behind_the_rotated_ones_stay() {
    let [batch, seq, rotated, all, head_dim] = [2, 5, 3, 4, 6];
    let shape = [1, seq, head_dim / 2];
    check(
        &[Values::random(&[batch, seq, all * head_dim], 2.0, 1)],
        |x: &[Leaf]| {
            let x = x[0].get::<3>();
            let [cos, sin] = angles(shape, &x.clone().unsqueeze());
            flat(rotary_packed(x, rotated, cos, sin))
        },
        |x| {
            let x = x[0].get::<3>().reshape([batch, seq, all, head_dim]);
            let [cos, sin] = angles(shape, &x);
            let turned = plain::rotary(x.clone().narrow(2, 0, rotated), cos, sin);
            flat(Tensor::cat(vec![turned, x.narrow(2, rotated, all - rotated)], 2))
        },
        1e-6,
    );
}

#[test]
fn an_operand_that_is_used_again_is_left_alone() {
    at_every_level(|level| {
        let f = |x: &[Leaf]| {
            let x = x[0].get::<4>();
            let [cos, sin] = angles([1, 3, 2], &x);
            let turned = rotary(x.clone(), cos, sin);
            flat(Tensor::cat(vec![x, turned], 3))
        };
        let values = Values::random(&[1, 3, 1, 4], 2.0, 1);
        let y = evaluate_inner(&f, std::slice::from_ref(&values), burn::tensor::DType::F32);
        for (row, x) in y.chunks(8).zip(values.data.chunks(4)) {
            assert_eq!(row[..4], *x, "{level:?}");
        }
    });
}
