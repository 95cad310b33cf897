//! Cross-entropy against the plain body.

use crate::common::{Leaf, Values, at_every_level, check, numbers};
use burn::tensor::{Device, Int, Tensor, TensorData};
use proptest::prelude::*;
use wuji_kernels::{IGNORED_TARGET, cross_entropy_sum, plain};

fn targets(rows: usize, vocabulary: usize, seed: u64, ignore: bool) -> Vec<i64> {
    let values = Values::random(&[rows], 0.5, seed).data;
    let pick = |(i, v): (usize, &f64)| match (ignore, i % 3) {
        (true, 1) => IGNORED_TARGET,
        _ => ((v + 0.5) * vocabulary as f64) as i64,
    };
    values.iter().enumerate().map(pick).map(|t| t.min(vocabulary as i64 - 1)).collect()
}

fn check_case([rows, vocabulary]: [usize; 2], smoothing: f64, scale: f64, seed: u64) {
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
                cross_entropy_sum(x, targets, smoothing)
            },
            |x| {
                let x = x[0].get::<2>();
                let targets = targets(&x);
                plain::cross_entropy_sum(x, targets, smoothing)
            },
            2e-6,
        );
    }
}

#[test]
fn values_and_gradients_agree_with_the_plain_body() {
    for smoothing in [0.0, 0.1] {
        check_case([1, 1], smoothing, 3.0, 1);
        check_case([4, 7], smoothing, 3.0, 2);
        check_case([30, 65], smoothing, 5.0, 3);
        check_case([70, 1031], smoothing, 10.0, 4);
    }
}

#[test]
fn logits_of_any_size_give_a_finite_loss() {
    at_every_level(|level| {
        let device = Device::flex().autodiff();
        for shift in [-1e4f32, 1e4, 1e30] {
            let logits = Tensor::<2>::from_data([[shift, shift, 0.0]], &device).require_grad();
            let target = Tensor::<1, Int>::from_data([0], &device.clone().without_autodiff());
            let loss = cross_entropy_sum(logits.clone(), target, 0.0);
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
    let loss = cross_entropy_sum(Tensor::<2>::zeros([3, 65], &device), targets, 0.0);
    assert!((numbers(loss)[0] - 2.0 * 65f64.ln()).abs() < 1e-6);
}

#[test]
fn nan_logits_give_a_nan_loss() {
    let device = Device::flex();
    let logits = Tensor::<2>::from_data([[0.0, f32::NAN, 1.0]], &device);
    let targets = Tensor::<1, Int>::from_data([0], &device);
    assert!(numbers(cross_entropy_sum(logits, targets, 0.0))[0].is_nan());
}

#[test]
#[should_panic(expected = "target 7 with a vocabulary of 7")]
fn a_target_outside_the_vocabulary_is_named() {
    let device = Device::flex();
    let targets = Tensor::<1, Int>::from_data([7], &device);
    cross_entropy_sum(Tensor::<2>::zeros([1, 7], &device), targets, 0.0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_shape_agrees(rows in 1usize..40, vocabulary in 1usize..90, seed in 0u64..1000) {
        check_case([rows, vocabulary], 0.0, 6.0, seed);
    }
}
