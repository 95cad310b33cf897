//! LayerNorm and RMSNorm against the plain bodies.

use crate::common::{Leaf, Values, check, flat, numbers};
use burn::tensor::{Device, Tensor};
use proptest::prelude::*;
use wuji_kernels::{head_norm_packed, layer_norm, plain, rms_norm};

fn check_all(shape: [usize; 3], seed: u64) {
    let parameter = |seed| Values::random(&[shape[2]], 2.0, seed);
    let inputs = [Values::random(&shape, 3.0, seed), parameter(seed + 1), parameter(seed + 2)];
    check(
        &inputs,
        |x: &[Leaf]| flat(layer_norm(x[0].get(), x[1].get(), Some(x[2].get()), 1e-3)),
        |x| flat(plain::layer_norm(x[0].get(), x[1].get(), Some(x[2].get()), 1e-3)),
        3e-6,
    );
    check(
        &inputs[..2],
        |x: &[Leaf]| flat(layer_norm(x[0].get(), x[1].get(), None, 1e-3)),
        |x| flat(plain::layer_norm(x[0].get(), x[1].get(), None, 1e-3)),
        3e-6,
    );
    check(
        &inputs[..2],
        |x: &[Leaf]| flat(rms_norm(x[0].get::<3>(), x[1].get(), 1e-3)),
        |x| flat(plain::rms_norm(x[0].get::<3>(), x[1].get(), 1e-3)),
        3e-6,
    );
}

#[test]
fn values_and_gradients_agree_with_the_plain_body() {
    check_all([2, 3, 5], 1);
    check_all([1, 1, 1], 2);
    check_all([3, 41, 67], 3);
    check_all([2, 64, 128], 4);
}

#[test]
fn transposed_inputs_are_read_in_their_own_order() {
    let inputs = [Values::random(&[3, 4, 5], 3.0, 9), Values::random(&[3], 2.0, 10)];
    check(
        &inputs,
        |x: &[Leaf]| flat(layer_norm(x[0].get::<3>().swap_dims(0, 2), x[1].get(), None, 1e-3)),
        |x| flat(plain::layer_norm(x[0].get::<3>().swap_dims(0, 2), x[1].get(), None, 1e-3)),
        3e-6,
    );
}

#[test]
fn a_large_mean_does_not_drown_the_variance() {
    let device = Device::flex();
    let x = Tensor::<1>::from_floats([10_000.0, 10_001.0, 10_002.0, 10_003.0], &device);
    let y = layer_norm(x.reshape([1, 1, 4]), Tensor::ones([4], &device), None, 0.0);
    let expected = [-1.341_640_8, -0.447_213_6, 0.447_213_6, 1.341_640_8];
    for (y, expected) in numbers(y).into_iter().zip(expected) {
        assert!((y - expected).abs() < 1e-5, "{y} for {expected}");
    }
}

#[test]
fn a_constant_row_gives_the_bias() {
    let device = Device::flex();
    let x = Tensor::<3>::full([1, 2, 20], 7.5, &device);
    let bias = Tensor::<1>::full([20], 0.25, &device);
    let y = layer_norm(x, Tensor::ones([20], &device), Some(bias), 1e-5);
    assert_eq!(numbers(y), vec![0.25; 40]);
}

#[test]
fn packed_heads_are_normalised_each_with_its_weight() {
    for (batch, seq, queries, keys, others, head_dim) in
        [(1, 1, 1, 1, 0, 8), (2, 3, 2, 1, 1, 8), (1, 2, 4, 2, 2, 16), (3, 41, 3, 3, 3, 24)]
    {
        let width = (queries + keys + others) * head_dim;
        let inputs = [
            Values::random(&[batch, seq, width], 3.0, 1),
            Values::random(&[head_dim], 2.0, 2),
            Values::random(&[head_dim], 2.0, 3),
        ];
        check(
            &inputs,
            |x: &[Leaf]| {
                let (x, q, k) = (x[0].get(), x[1].get(), x[2].get());
                flat(head_norm_packed(x, q, k, queries, keys, 1e-3))
            },
            |x| {
                let (x, q, k) = (x[0].get(), x[1].get(), x[2].get());
                flat(plain::head_norm_packed(x, q, k, queries, keys, 1e-3))
            },
            3e-6,
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_shape_agrees(a in 1usize..4, b in 1usize..40, c in 8usize..70, seed in 0u64..1000) {
        // Not narrower: two numbers may lie so close that their deviation is mostly rounding.
        check_all([a, b, c], seed);
    }
}
