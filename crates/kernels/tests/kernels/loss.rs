//! Cross-entropy against the plain body.

use crate::common::{Leaf, Values, at_every_level, check, numbers};
use burn::tensor::{Device, Int, Tensor, TensorData};
use proptest::prelude::*;
use wuji_kernels::{
    CrossEntropy, IGNORED_TARGET, cross_entropy_sum, linear_cross_entropy_sum, plain,
};

fn targets(rows: usize, vocabulary: usize, seed: u64, ignore: bool) -> Vec<i64> {
    let values = Values::random(&[rows], 0.5, seed).data;
    let pick = |(i, v): (usize, &f64)| match (ignore, i % 3) {
        (true, 1) => IGNORED_TARGET,
        _ => ((v + 0.5) * vocabulary as f64) as i64,
    };
    values.iter().enumerate().map(pick).map(|t| t.min(vocabulary as i64 - 1)).collect()
}

fn check_case([rows, vocabulary]: [usize; 2], options: CrossEntropy, scale: f64, seed: u64) {
    for ignore in [false, true] {
        let targets = targets(rows, vocabulary, seed, ignore);
        let targets = |x: &Tensor<2>| {
            let data = TensorData::new(targets.clone(), [rows]);
            Tensor::<1, Int>::from_data(data, &x.device().without_autodiff())
        };
        check(
            &[Values::random(&[rows, vocabulary], scale, seed + 1)],
            |x: &[Leaf]| {
                let x = x[0].get::<2>();
                let targets = targets(&x);
                cross_entropy_sum(x, targets, options)
            },
            |x| {
                let x = x[0].get::<2>();
                let targets = targets(&x);
                plain::cross_entropy_sum(x, targets, options)
            },
            2e-6,
        );
    }
}

#[test]
fn values_and_gradients_agree_with_the_plain_body() {
    let z_loss = CrossEntropy { z_loss: 1e-2, ..CrossEntropy::smoothed(0.1) };
    for options in [CrossEntropy::default(), CrossEntropy::smoothed(0.1), z_loss] {
        check_case([1, 1], options, 3.0, 1);
        check_case([4, 7], options, 3.0, 2);
        check_case([30, 65], options, 5.0, 3);
        check_case([70, 1031], options, 10.0, 4);
    }
}

#[test]
fn logits_of_any_size_give_a_finite_loss() {
    at_every_level(|level| {
        let device = Device::flex().autodiff();
        for shift in [-1e4f32, 1e4, 1e30] {
            let logits = Tensor::<2>::from_data([[shift, shift, 0.0]], &device).require_grad();
            let target = Tensor::<1, Int>::from_data([0], &device.clone().without_autodiff());
            let loss = cross_entropy_sum(logits.clone(), target, CrossEntropy::default());
            let grads = loss.clone().backward();
            let expected = if shift > 0.0 { 2f64.ln() } else { 1e4 };
            assert!((numbers(loss)[0] - expected).abs() < 1e-6 * expected, "{level:?} {shift}");
            let gradient = numbers(logits.grad(&grads).expect("a gradient"));
            assert!(gradient.iter().all(|g| g.is_finite()), "{level:?} {shift}: {gradient:?}");
        }
    });
}

#[test]
fn uniform_logits_cost_the_logarithm_of_the_vocabulary() {
    let device = Device::flex();
    let targets = Tensor::<1, Int>::from_data([3, -100, 64], &device);
    let loss =
        cross_entropy_sum(Tensor::<2>::zeros([3, 65], &device), targets, CrossEntropy::default());
    assert!((numbers(loss)[0] - 2.0 * 65f64.ln()).abs() < 1e-6);
}

#[test]
fn nan_logits_give_a_nan_loss() {
    let device = Device::flex();
    let logits = Tensor::<2>::from_data([[0.0, f32::NAN, 1.0]], &device);
    let targets = Tensor::<1, Int>::from_data([0], &device);
    assert!(numbers(cross_entropy_sum(logits, targets, CrossEntropy::default()))[0].is_nan());
}

#[test]
#[should_panic(expected = "target 7 with a vocabulary of 7")]
fn a_target_outside_the_vocabulary_is_named() {
    let device = Device::flex();
    let targets = Tensor::<1, Int>::from_data([7], &device);
    cross_entropy_sum(Tensor::<2>::zeros([1, 7], &device), targets, CrossEntropy::default());
}

fn check_head([rows, width, vocabulary]: [usize; 3], options: CrossEntropy, ignore: bool) {
    let seed = (rows + 100 * width + 10_000 * vocabulary) as u64;
    let targets = targets(rows, vocabulary, seed, ignore);
    let targets = |x: &Tensor<2>| {
        let data = TensorData::new(targets.clone(), [rows]);
        Tensor::<1, Int>::from_data(data, &x.device().without_autodiff())
    };
    for (is_transposed, is_biased) in [(false, false), (true, false), (false, true), (true, true)] {
        let weight = if is_transposed { [vocabulary, width] } else { [width, vocabulary] };
        let inputs = [
            Values::random(&[rows, width], 1.5, seed + 1),
            Values::random(&weight, 1.5, seed + 2),
            Values::random(&[vocabulary], 1.0, seed + 3),
        ];
        let parts = |x: &[Leaf]| {
            let weight = x[1].get::<2>();
            let weight = if is_transposed { weight.transpose() } else { weight };
            (x[0].get::<2>(), weight, is_biased.then(|| x[2].get::<1>()))
        };
        check(
            &inputs[..2 + usize::from(is_biased)],
            |x: &[Leaf]| {
                let (hidden, weight, bias) = parts(x);
                let targets = targets(&hidden);
                linear_cross_entropy_sum(hidden, weight, bias, targets, options) * 0.5
            },
            |x| {
                let (hidden, weight, bias) = parts(x);
                let targets = targets(&hidden);
                plain::cross_entropy_sum(plain::linear(hidden, weight, bias), targets, options)
                    * 0.5
            },
            5e-6,
        );
    }
}

#[test]
fn a_head_with_its_loss_agrees_with_the_two_apart() {
    let all = CrossEntropy { label_smoothing: 0.1, z_loss: 1e-2 };
    for options in [CrossEntropy::default(), all] {
        for ignore in [false, true] {
            check_head([1, 1, 1], options, false);
            check_head([7, 5, 11], options, ignore);
            check_head([40, 33, 65], options, ignore);
        }
    }
}

#[test]
fn more_rows_than_a_block_holds_are_added_up() {
    // 256 rows at least, and 4 Mi logits: of 300 rows two blocks with 20 000 words.
    check_head([300, 3, 20_000], CrossEntropy::default(), true);
}

#[test]
fn a_head_without_any_target_that_counts_costs_nothing() {
    let device = Device::flex().autodiff();
    let hidden = Tensor::<2>::ones([2, 3], &device).require_grad();
    let weight = Tensor::<2>::ones([3, 5], &device).require_grad();
    let targets = Tensor::<1, Int>::from_data([IGNORED_TARGET; 2], &Device::flex());
    let options = CrossEntropy::default();
    let loss = linear_cross_entropy_sum(hidden.clone(), weight.clone(), None, targets, options);
    let grads = loss.clone().backward();
    assert_eq!(numbers(loss), [0.0]);
    assert_eq!(numbers(hidden.grad(&grads).expect("a gradient")), [0.0; 6]);
    assert_eq!(numbers(weight.grad(&grads).expect("a gradient")), [0.0; 15]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_shape_agrees(rows in 1usize..40, vocabulary in 1usize..90, seed in 0u64..1000) {
        check_case([rows, vocabulary], CrossEntropy::default(), 6.0, seed);
    }
}
