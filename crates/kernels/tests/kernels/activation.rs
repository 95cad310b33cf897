//! GELU and SwiGLU against the plain bodies.

use crate::common::{Leaf, Values, at_every_level, check, flat, numbers};
use burn::tensor::{Device, Tensor, TensorData};
use proptest::prelude::*;
use wuji_kernels::{gelu, gelu_tanh, plain, silu_mul, silu_mul_packed};

/// The first input twice, side by side in each row.
fn pair(x: &[Leaf]) -> Tensor<2> {
    let x = x[0].get::<3>();
    let [a, b, c] = x.dims();
    let x = x.reshape([a * b, c]);
    Tensor::cat(vec![x.clone(), x], 1)
}

fn check_all(shape: [usize; 3], scale: f64, seed: u64) {
    let inputs = [Values::random(&shape, scale, seed), Values::random(&shape, 1.0, seed + 1)];
    let one = &inputs[..1];
    check(
        one,
        |x: &[Leaf]| flat(gelu(x[0].get::<3>())),
        |x| flat(plain::gelu(x[0].get::<3>())),
        3e-6,
    );
    check(
        one,
        |x: &[Leaf]| flat(gelu_tanh(x[0].get::<3>())),
        |x| flat(plain::gelu_tanh(x[0].get::<3>())),
        3e-6,
    );
    check(
        one,
        |x: &[Leaf]| flat(silu_mul_packed(pair(x))),
        |x| {
            let x = pair(x);
            let width = x.dims()[1] / 2;
            flat(plain::silu_mul(x.clone().narrow(1, 0, width), x.narrow(1, width, width)))
        },
        3e-6,
    );
    check(
        &inputs,
        |x: &[Leaf]| flat(silu_mul(x[0].get::<3>(), x[1].get::<3>())),
        |x| flat(plain::silu_mul(x[0].get::<3>(), x[1].get::<3>())),
        3e-6,
    );
}

#[test]
fn values_and_gradients_agree_with_the_plain_body() {
    check_all([2, 3, 5], 4.0, 1);
    check_all([1, 1, 1], 2.0, 2);
    check_all([3, 7, 1023], 8.0, 3);
}

#[test]
fn transposed_inputs_are_read_in_their_own_order() {
    let inputs = [Values::random(&[3, 4, 5], 3.0, 9), Values::random(&[3, 4, 5], 3.0, 10)];
    check(
        &inputs,
        |x: &[Leaf]| {
            flat(silu_mul(x[0].get::<3>().swap_dims(0, 2), x[1].get::<3>().swap_dims(0, 2)))
        },
        |x| flat(plain::silu_mul(x[0].get::<3>().swap_dims(0, 2), x[1].get::<3>().swap_dims(0, 2))),
        3e-6,
    );
    check(
        &inputs[..1],
        |x: &[Leaf]| flat(gelu(x[0].get::<3>().narrow(1, 1, 2))),
        |x| flat(plain::gelu(x[0].get::<3>().narrow(1, 1, 2))),
        3e-6,
    );
}

#[test]
fn large_magnitudes_stay_finite_and_nan_stays_nan() {
    let x = [-1e30f32, -1e4, -90.0, -17.0, -0.0, 0.0, 17.0, 90.0, 1e4, 1e30];
    at_every_level(|level| {
        let device = Device::flex().autodiff();
        for f in [gelu::<1>, gelu_tanh::<1>, |x: Tensor<1>| silu_mul(x.clone(), x.ones_like())] {
            let leaf = Tensor::<1>::from_data(TensorData::from(x), &device).require_grad();
            let y = f(leaf.clone());
            let grads = y.clone().sum().backward();
            let slope = numbers(leaf.grad(&grads).expect("a gradient"));
            for ((&x, y), slope) in x.iter().zip(numbers(y)).zip(slope) {
                let expected = if x > 0.0 { f64::from(x) } else { 0.0 };
                if x.abs() >= 17.0 {
                    assert!((y - expected).abs() < 1e-6 * expected.max(1.0), "{level:?} {x}: {y}");
                    assert!((slope - f64::from(x.signum().max(0.0))).abs() < 1e-6, "{level:?} {x}");
                }
            }
            let nan = f(Tensor::<1>::from_data(TensorData::from([f32::NAN]), &device));
            assert!(numbers(nan)[0].is_nan(), "{level:?}");
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_shape_agrees(a in 1usize..5, b in 1usize..20, c in 1usize..70, seed in 0u64..1000) {
        check_all([a, b, c], 5.0, seed);
    }
}
