//! Eight-bit weights against products of what they stand for.

use crate::common::{Values, at_every_level, numbers};
use burn::tensor::{Device, Int, Tensor, TensorData};
use wuji_kernels::{Int8Weight, linear, linear_int8};

fn tensor(values: &Values, device: &Device) -> Tensor<2> {
    let shape = [values.shape[0], values.shape[1]];
    Tensor::from_data(TensorData::new(values.data.clone(), shape).convert::<f32>(), device)
}

#[test]
fn a_weight_is_within_half_a_step_of_its_block() {
    let device = Device::flex();
    let weight = tensor(&Values::random(&[5, 96], 2.0, 1), &device);
    let quantized = Int8Weight::quantize(weight.clone()).unwrap();
    let (weight, back) = (numbers(weight), numbers(quantized.dequantize(&device)));
    for (weight, back) in weight.chunks(32).zip(back.chunks(32)) {
        let largest = weight.iter().fold(0.0f64, |largest, w| largest.max(w.abs()));
        let step = largest / 127.0 * 1.000_001;
        for (weight, back) in weight.iter().zip(back) {
            assert!((weight - back).abs() <= 0.5 * step, "{weight} {back}");
        }
    }
}

#[test]
fn rows_that_are_no_whole_blocks_stay_as_they_are() {
    let device = Device::flex();
    for inputs in [0, 1, 33] {
        assert!(Int8Weight::quantize(Tensor::zeros([2, inputs], &device)).is_none());
    }
}

#[test]
fn products_of_few_and_of_many_rows_are_those_of_the_weights() {
    for (rows, outputs, inputs) in
        [(1, 1, 32), (1, 70, 96), (3, 130, 64), (8, 65, 1024), (9, 40, 64)]
    {
        let (x, w) =
            (Values::random(&[rows, inputs], 1.0, 7), Values::random(&[outputs, inputs], 1.0, 8));
        let b = Values::random(&[1, outputs], 1.0, 9);
        at_every_level(|level| {
            let device = Device::flex();
            let quantized = Int8Weight::quantize(tensor(&w, &device)).unwrap();
            let bias = tensor(&b, &device).flatten::<1>(0, 1);
            let x = tensor(&x, &device);
            let exact =
                linear(x.clone(), quantized.dequantize(&device).transpose(), Some(bias.clone()));
            let (found, exact) = (numbers(linear_int8(x, &quantized, Some(bias))), numbers(exact));
            // Few rows are rounded as well: errors of at most half a step of 1/127, of random sign.
            let tolerance =
                if rows > 8 { 1e-4 } else { 5.0 * (inputs as f64).sqrt() / 127.0 * 0.29 * 0.58 };
            for (found, exact) in found.iter().zip(&exact) {
                assert!(
                    (found - exact).abs() < tolerance,
                    "{level:?} {rows}x{inputs}: {found} {exact}"
                );
            }
        });
    }
}

#[test]
fn every_level_computes_the_same_integers() {
    let (x, w) = (Values::random(&[2, 160], 1.0, 3), Values::random(&[9, 160], 1.0, 4));
    let mut first: Option<Vec<f64>> = None;
    at_every_level(|level| {
        let device = Device::flex();
        let weight = Int8Weight::quantize(tensor(&w, &device)).unwrap();
        let found = numbers(linear_int8(tensor(&x, &device), &weight, None));
        let first = first.get_or_insert_with(|| found.clone());
        for (a, b) in first.iter().zip(&found) {
            assert!((a - b).abs() < 1e-5, "{level:?}: {a} {b}");
        }
    });
}

#[test]
fn extremes_keep_their_sign_and_what_is_not_finite_shows() {
    let device = Device::flex();
    let weight = Tensor::<2>::from_data(TensorData::new(vec![-3.0f32; 64], [2, 32]), &device);
    let weight = Int8Weight::quantize(weight).unwrap();
    let x = Tensor::<2>::from_data(TensorData::new(vec![-5.0f32; 32], [1, 32]), &device);
    for y in numbers(linear_int8(x.clone(), &weight, None)) {
        assert!((y - 480.0).abs() < 0.5, "{y}");
    }
    let broken = x.slice_assign([0..1, 3..4], Tensor::from_data([[f32::NAN]], &device));
    assert!(numbers(linear_int8(broken, &weight, None))[0].is_nan());
    assert_eq!(numbers(linear_int8(Tensor::<2>::zeros([1, 32], &device), &weight, None)), [0.0; 2]);
}

#[test]
fn the_gradient_goes_through_to_what_came_in() {
    let device = Device::flex().autodiff();
    let inner = Device::flex();
    let quantized =
        Int8Weight::quantize(tensor(&Values::random(&[6, 64], 1.0, 1), &inner)).unwrap();
    let weight = quantized.dequantize(&inner);
    let values = Values::random(&[3, 64], 1.0, 2);
    let grad_of = |f: &dyn Fn(Tensor<2>) -> Tensor<2>| {
        let x = tensor(&values, &device).require_grad();
        let grads = f(x.clone()).powi_scalar(2).sum().backward();
        numbers(x.grad(&grads).expect("a gradient"))
    };
    let found = grad_of(&|x| linear_int8(x, &quantized, None));
    let exact = grad_of(&|x| linear(x, Tensor::from_inner(weight.clone()).transpose(), None));
    for (found, exact) in found.iter().zip(&exact) {
        assert!((found - exact).abs() < 0.3, "{found} {exact}");
    }
}

#[test]
fn an_embedding_of_eight_bits_gives_its_rows() {
    let device = Device::flex();
    let weight = Int8Weight::quantize(tensor(&Values::random(&[7, 64], 1.0, 5), &device)).unwrap();
    let ids = Tensor::<2, Int>::from_data([[6, 0], [3, 3]], &device);
    let all = numbers(weight.dequantize(&device));
    let expected: Vec<f64> =
        [6, 0, 3, 3].iter().flat_map(|&id| &all[id * 64..][..64]).copied().collect();
    assert_eq!(numbers(weight.rows(ids)), expected);
}
