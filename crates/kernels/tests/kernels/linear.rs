//! The linear layer and the embedding against the plain bodies.

use crate::common::{Leaf, Values, at_every_level, check, flat, numbers};
use burn::tensor::{Device, Int, Tensor, TensorData};
use proptest::prelude::*;
use wuji_kernels::{Precision, embedding, linear, plain};

fn check_linear([batch, rows, inputs, outputs]: [usize; 4], seed: u64) {
    let values = [
        Values::random(&[batch, rows, inputs], 1.0, seed),
        Values::random(&[inputs, outputs], 1.0, seed + 1),
        Values::random(&[outputs], 1.0, seed + 2),
    ];
    check(
        &values,
        |x: &[Leaf]| flat(linear(x[0].get::<3>(), x[1].get(), Some(x[2].get()))),
        |x| flat(plain::linear(x[0].get::<3>(), x[1].get(), Some(x[2].get()))),
        5e-6,
    );
    check(
        &values[..2],
        |x: &[Leaf]| flat(linear(x[0].get::<3>(), x[1].get(), None)),
        |x| flat(plain::linear(x[0].get::<3>(), x[1].get(), None)),
        5e-6,
    );
}

#[test]
fn products_agree_with_the_plain_body() {
    check_linear([1, 1, 1, 1], 1);
    check_linear([2, 3, 4, 5], 2);
    check_linear([1, 1, 65, 130], 3);
    check_linear([12, 64, 128, 384], 4);
    check_linear([3, 67, 129, 65], 5);
}

#[test]
fn transposed_operands_are_not_the_same_as_straight_ones() {
    let values = [Values::random(&[2, 4, 3], 1.0, 1), Values::random(&[5, 4], 1.0, 2)];
    check(
        &values,
        |x: &[Leaf]| {
            flat(linear(x[0].get::<3>().swap_dims(1, 2), x[1].get::<2>().transpose(), None))
        },
        |x| flat(plain::linear(x[0].get::<3>().swap_dims(1, 2), x[1].get::<2>().transpose(), None)),
        5e-6,
    );
    check(
        &values[1..],
        |x: &[Leaf]| {
            let x = x[0].get::<2>();
            flat(
                linear(x.clone().transpose().narrow(0, 1, 2), x.narrow(1, 0, 2), None)
                    .narrow(0, 0, 1),
            )
        },
        |x| {
            let x = x[0].get::<2>();
            flat(
                plain::linear(x.clone().transpose().narrow(0, 1, 2), x.narrow(1, 0, 2), None)
                    .narrow(0, 0, 1),
            )
        },
        5e-6,
    );
}

#[test]
fn frozen_operands_get_no_gradient_and_change_nothing() {
    let device = Device::flex().autodiff();
    let tensor = |shape: [usize; 2], seed| {
        let data = Values::random(&shape, 1.0, seed).data;
        Tensor::<2>::from_data(TensorData::new(data, shape).convert::<f32>(), &device)
    };
    let (x, weight) = (tensor([3, 4], 1), tensor([4, 5], 2));
    let bias = Tensor::<1>::zeros([5], &device).require_grad();
    let (x_leaf, w_leaf) = (x.clone().require_grad(), weight.clone().require_grad());
    let both = linear(x_leaf.clone(), w_leaf.clone(), Some(bias.clone())).sum().backward();
    let only_x = linear(x_leaf.clone(), weight, Some(bias.clone())).sum().backward();
    let only_w = linear(x, w_leaf.clone(), None).sum().backward();
    let pair = [x_leaf.grad(&both), x_leaf.grad(&only_x)].map(|g| numbers(g.expect("a gradient")));
    assert_eq!(pair[0], pair[1]);
    let pair = [w_leaf.grad(&both), w_leaf.grad(&only_w)].map(|g| numbers(g.expect("a gradient")));
    assert_eq!(pair[0], pair[1]);
    assert!(w_leaf.grad(&only_x).is_none() && x_leaf.grad(&only_w).is_none());
    assert_eq!(numbers(bias.grad(&only_x).expect("a gradient")), vec![3.0; 5]);
}

fn check_embedding(vocabulary: usize, width: usize, shape: [usize; 2], seed: u64) {
    let count = shape[0] * shape[1];
    let ids: Vec<i64> = Values::random(&[count], 0.499, seed)
        .data
        .iter()
        .map(|v| ((v + 0.5) * vocabulary as f64) as i64)
        .collect();
    let ids = |x: &Tensor<2>| {
        let data = TensorData::new(ids.clone(), shape);
        Tensor::<2, Int>::from_data(data, &x.device().without_autodiff())
    };
    check(
        &[Values::random(&[vocabulary, width], 1.0, seed)],
        |x: &[Leaf]| {
            let weight = x[0].get::<2>();
            let ids = ids(&weight);
            flat(embedding(weight, ids))
        },
        |x| {
            let weight = x[0].get::<2>();
            let ids = ids(&weight);
            flat(plain::embedding(weight, ids))
        },
        3e-6,
    );
}

#[test]
fn embeddings_agree_with_the_plain_body() {
    check_embedding(1, 1, [1, 1], 1);
    check_embedding(5, 3, [2, 9], 2);
    check_embedding(65, 128, [12, 64], 3);
    check_embedding(2000, 33, [4, 256], 4);
}

#[test]
#[should_panic(expected = "id 5 with a vocabulary of 5")]
fn an_id_outside_the_vocabulary_is_named() {
    let device = Device::flex();
    let ids = Tensor::<2, Int>::from_data([[5]], &device);
    embedding(Tensor::zeros([5, 2], &device), ids);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_product_agrees(
        batch in 1usize..4,
        rows in 1usize..30,
        inputs in 1usize..70,
        outputs in 1usize..70,
        seed in 0u64..1000,
    ) {
        check_linear([batch, rows, inputs, outputs], seed);
    }
}

/// Rounded to bfloat16 by another library.
fn rounded(values: &[f64]) -> Vec<f64> {
    values.iter().map(|&x| f64::from(half::bf16::from_f32(x as f32).to_f32())).collect()
}

/// A product and both gradients in bfloat16 against `f64` products of rounded numbers.
fn check_bf16([rows, inputs, outputs]: [usize; 3], is_transposed: [bool; 2], seed: u64) {
    let transposed = |values: &[f64], [rows, columns]: [usize; 2]| -> Vec<f64> {
        (0..rows * columns).map(|i| values[i % rows * columns + i / rows]).collect()
    };
    let product = |a: &[f64], b: &[f64], [m, k, n]: [usize; 3]| -> Vec<f64> {
        let at = |i: usize, j: usize| (0..k).map(|p| a[i * k + p] * b[p * n + j]).sum::<f64>();
        (0..m * n).map(|i| at(i / n, i % n)).collect()
    };
    let (x_values, w_values) = (
        Values::random(&[rows, inputs], 1.0, seed),
        Values::random(&[inputs, outputs], 1.0, seed + 1),
    );
    let g_values = Values::random(&[rows, outputs], 1.0, seed + 2);
    let [x, w, g] = [&x_values, &w_values, &g_values].map(|values| rounded(&values.data));
    let (x_t, w_t) = (transposed(&x, [rows, inputs]), transposed(&w, [inputs, outputs]));
    let expected = [
        product(&x, &w, [rows, inputs, outputs]),
        product(&g, &w_t, [rows, outputs, inputs]),
        product(&x_t, &g, [inputs, rows, outputs]),
    ];
    at_every_level(|level| {
        let device = Device::flex().autodiff();
        let leaf = |values: &[f64], [rows, columns]: [usize; 2], is_transposed: bool| {
            let shape = if is_transposed { [columns, rows] } else { [rows, columns] };
            let values =
                if is_transposed { transposed(values, [rows, columns]) } else { values.to_vec() };
            Tensor::<2>::from_data(TensorData::new(values, shape).convert::<f32>(), &device)
                .require_grad()
        };
        let x = leaf(&x_values.data, [rows, inputs], is_transposed[0]);
        let w = leaf(&w_values.data, [inputs, outputs], is_transposed[1]);
        let g = leaf(&g_values.data, [rows, outputs], false);
        let turn = |tensor: Tensor<2>, is: bool| if is { tensor.transpose() } else { tensor };
        let output = Precision::Bf16.scope(|| {
            linear(turn(x.clone(), is_transposed[0]), turn(w.clone(), is_transposed[1]), None)
        });
        let grads = (output.clone() * g).sum().backward();
        let gradient =
            |leaf: Tensor<2>, is| numbers(turn(leaf.grad(&grads).expect("a gradient"), is));
        let found = [numbers(output), gradient(x, is_transposed[0]), gradient(w, is_transposed[1])];
        for (found, expected) in found.iter().zip(&expected) {
            for (found, expected) in found.iter().zip(expected) {
                let tolerance = 2e-6 * (inputs + outputs + rows) as f64;
                assert!(
                    (found - expected).abs() < tolerance,
                    "{level:?}: {found}, expected {expected}"
                );
            }
        }
    });
}

#[test]
fn bf16_products_are_exact_products_of_rounded_numbers() {
    let sizes = [[1, 1, 1], [2, 3, 5], [13, 31, 33], [25, 257, 65], [130, 40, 530], [64, 600, 70]];
    for (seed, sizes) in sizes.into_iter().enumerate() {
        for is_transposed in [[false, false], [true, false], [false, true], [true, true]] {
            check_bf16(sizes, is_transposed, 10 * seed as u64);
        }
    }
}

#[test]
fn bf16_takes_empty_operands_and_adds_a_bias() {
    let device = Device::flex();
    let zeros = |shape| Tensor::<2>::zeros(shape, &device);
    let bias = Tensor::<1>::from_data([1.0, 2.0], &device);
    Precision::Bf16.scope(|| {
        assert_eq!(linear(zeros([0, 3]), zeros([3, 2]), None).dims(), [0, 2]);
        assert_eq!(numbers(linear(zeros([2, 0]), zeros([0, 2]), None)), [0.0; 4]);
        assert_eq!(
            numbers(linear(zeros([2, 0]), zeros([0, 2]), Some(bias.clone()))),
            [1.0, 2.0, 1.0, 2.0]
        );
        let x = Tensor::<2>::from_data([[f32::NAN, 1.0], [f32::MAX, 0.0]], &device);
        let y = numbers(linear(x, Tensor::<2>::eye(2, &device), Some(bias)));
        assert!(y[0].is_nan() && y[2] == f64::INFINITY, "{y:?}");
    });
}

#[test]
fn few_rows_agree_with_the_plain_body_whichever_way_the_weight_lies() {
    // One to five rows: those of decoding, and the first that are not.
    for rows in 1..=5 {
        for [inputs, outputs] in [[1, 1], [3, 70], [130, 65], [96, 2100], [65, 4100]] {
            let seed = (rows * inputs * outputs) as u64;
            let x = Values::random(&[rows, inputs], 1.0, seed);
            let product = |x: &[Leaf]| flat(linear(x[0].get::<2>(), x[1].get(), None));
            let turned =
                |x: &[Leaf]| flat(linear(x[0].get::<2>(), x[1].get::<2>().transpose(), None));
            let weight = Values::random(&[inputs, outputs], 1.0, seed + 1);
            check(
                &[x.clone(), weight],
                product,
                |x| flat(plain::linear(x[0].get::<2>(), x[1].get(), None)),
                5e-6,
            );
            let weight = Values::random(&[outputs, inputs], 1.0, seed + 2);
            check(
                &[x.clone(), weight],
                turned,
                |x| flat(plain::linear(x[0].get::<2>(), x[1].get::<2>().transpose(), None)),
                5e-6,
            );
        }
    }
}
