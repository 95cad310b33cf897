//! Additive attention against the plain body.

use burn::tensor::{Device, Tensor};
use proptest::prelude::*;
use wuji_kernels::{additive_scores, plain};

use crate::common::{Leaf, Values, check, flat};

fn check_scores([batch, query, key, width]: [usize; 4], seed: u64) {
    let values = [
        Values::random(&[batch, query, width], 1.5, seed),
        Values::random(&[batch, key, width], 1.5, seed + 1),
        Values::random(&[width, 1], 1.0, seed + 2),
    ];
    check(
        &values,
        |x: &[Leaf]| flat(additive_scores(x[0].get(), x[1].get(), x[2].get())),
        |x| flat(plain::additive_scores(x[0].get(), x[1].get(), x[2].get())),
        5e-6,
    );
}

#[test]
fn scores_agree_with_the_plain_body() {
    check_scores([1, 1, 1, 1], 1);
    check_scores([2, 3, 4, 5], 2);
    check_scores([70, 1, 14, 40], 3);
    check_scores([3, 7, 5, 129], 4);
}

#[test]
#[should_panic(expected = "do not fit")]
fn keys_of_another_width_are_refused() {
    let device = Device::flex();
    let zeros = |shape| Tensor::<3>::zeros(shape, &device);
    additive_scores(zeros([1, 1, 2]), zeros([1, 1, 3]), Tensor::zeros([2, 1], &device));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_scores_agree(
        batch in 1usize..4,
        query in 1usize..5,
        key in 1usize..9,
        width in 1usize..50,
        seed in 0u64..1000,
    ) {
        check_scores([batch, query, key, width], seed);
    }
}
