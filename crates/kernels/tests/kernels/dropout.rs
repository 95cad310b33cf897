//! Dropout: how much of it, where, and that the gradient sees the same mask.

use burn::tensor::{Device, Tensor};
use wuji_kernels::{dropout, plain};

const COUNT: usize = 200_000;

fn masks(device: &Device, rate: f64, seed: u64) -> (Vec<f32>, Vec<f32>) {
    device.seed(seed);
    let x = Tensor::<1>::ones([COUNT], &device.clone().autodiff()).require_grad();
    let y = dropout(x.clone(), rate);
    let gradient = x.grad(&y.clone().sum().backward()).unwrap();
    (y.into_data().try_to_vec().unwrap(), gradient.into_data().try_to_vec().unwrap())
}

#[test]
fn the_gradient_has_the_mask_of_the_values() {
    let (values, gradient) = masks(&Device::flex(), 0.3, 5);
    assert_eq!(values, gradient);
    assert!(values.iter().all(|&value| value == 0.0 || value == 1.0 / 0.7_f64 as f32));
}

#[test]
fn the_share_of_zeroes_is_the_rate() {
    for rate in [0.0, 0.05, 0.1, 0.5, 0.9] {
        let (values, _) = masks(&Device::flex(), rate, 7);
        let zeroes = values.iter().filter(|value| **value == 0.0).count() as f64;
        // Five standard deviations of a binomial.
        let bound = 5.0 * (COUNT as f64 * rate * (1.0 - rate)).sqrt();
        assert!((zeroes - COUNT as f64 * rate).abs() <= bound, "rate {rate}: {zeroes} zeroes");
    }
}

#[test]
fn a_seed_gives_one_mask_and_another_seed_an_unrelated_one() {
    let kept = |seed| masks(&Device::flex(), 0.5, seed).0;
    let (first, again, other) = (kept(1), kept(1), kept(2));
    assert_eq!(first, again);
    // Neighbours in place, in seed, and in both: each pair agrees by chance only, in half of all.
    for (shift_by, second) in [(1, &first), (0, &other), (1, &other), (64, &other)] {
        let pairs = first.iter().zip(&second[shift_by..]);
        let agreements = pairs.filter(|(a, b)| a == b).count() as f64;
        let expected = (COUNT - shift_by) as f64 / 2.0;
        assert!(
            (agreements - expected).abs() <= 5.0 * (expected / 2.0).sqrt(),
            "shifted by {shift_by}: {agreements} agree"
        );
    }
}

#[test]
fn the_plain_body_drops_at_the_same_rate() {
    let device = Device::flex();
    device.seed(3);
    let x = Tensor::<1>::ones([COUNT], &device);
    let values: Vec<f32> = plain::dropout(x, 0.25).into_data().try_to_vec().unwrap();
    let zeroes = values.iter().filter(|value| **value == 0.0).count() as f64;
    assert!((zeroes / COUNT as f64 - 0.25).abs() < 0.01, "{zeroes} zeroes");
}
