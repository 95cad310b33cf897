//! The linear layer and the embedding against the plain bodies.

use crate::common::{Leaf, Values, check, flat, numbers};
use burn::tensor::{Device, Int, Tensor, TensorData};
use proptest::prelude::*;
use wuji_kernels::{embedding, linear, plain};

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
