//! AdamW, Muon and the squared norm against the plain bodies and by hand.

use crate::common::{Values, at_every_level, compare, numbers};
use burn::tensor::{DType, Device, Tensor, TensorData};
use wuji_kernels::{AdamWStep, MuonMatrix, MuonStep, adamw_step, muon_step, plain, squared_norm};

fn tensor(values: &Values, dtype: DType) -> Tensor<2> {
    let shape: [usize; 2] = values.shape.clone().try_into().expect("two dimensions");
    let data = TensorData::new(values.data.clone(), shape).convert_dtype(dtype);
    Tensor::from_data(data, (&Device::flex(), dtype))
}

const STEP: AdamWStep = AdamWStep {
    lr: 3e-2,
    beta1: 0.9,
    beta2: 0.99,
    epsilon: 1e-8,
    weight_decay: 0.1,
    step: 1,
    grad_scale: 0.5,
};

#[test]
fn several_steps_agree_with_the_plain_body() {
    for shape in [[1, 1], [3, 5], [257, 129]] {
        at_every_level(|level| {
            let start = Values::random(&shape, 1.0, 1);
            let zeros = Values { data: vec![0.0; start.data.len()], shape: shape.to_vec() };
            let mut fused = [&start, &zeros, &zeros].map(|values| tensor(values, DType::F32));
            let mut truth = [&start, &zeros, &zeros].map(|values| tensor(values, DType::F64));
            for step in 1..=5 {
                let grad = Values::random(&shape, 1.0, 10 + step);
                let options = AdamWStep { step, ..STEP };
                let [p, m, v] = fused;
                fused = adamw_step(p, tensor(&grad, DType::F32), m, v, &options).into();
                let [p, m, v] = truth;
                truth = plain::adamw_step(p, tensor(&grad, DType::F64), m, v, &options).into();
            }
            for (i, (found, expected)) in fused.into_iter().zip(truth).enumerate() {
                let what = format!("{level:?} result {i}");
                compare(&numbers(found), &numbers(expected), 2e-6, &what);
            }
        });
    }
}

#[test]
fn the_first_step_by_hand() {
    // m/bc1 = g, √(v/bc2) = |g|: the step is lr · g / (|g| + ε), after decay of lr · wd.
    let one = |x: f32| Tensor::<1>::from_floats([x], &Device::flex());
    let step = AdamWStep { grad_scale: 1.0, epsilon: 0.25, ..STEP };
    let (param, m, v) = adamw_step(one(2.0), one(-0.5), one(0.0), one(0.0), &step);
    let expected = 2.0 * (1.0 - 3e-2 * 0.1) + 3e-2 * 0.5 / 0.75;
    assert!((numbers(param)[0] - expected).abs() < 1e-6);
    assert!((numbers(m)[0] + 0.05).abs() < 1e-7);
    assert!((numbers(v)[0] - 0.0025).abs() < 1e-8);
}

#[test]
fn tensors_held_elsewhere_keep_their_values() {
    let start = Values::random(&[4, 4], 1.0, 1);
    let param = tensor(&start, DType::F32);
    let kept = param.clone();
    let zeros = param.zeros_like();
    adamw_step(param, zeros.clone().add_scalar(1.0), zeros.clone(), zeros.clone(), &STEP);
    assert_eq!(numbers(kept), start.data);
    assert_eq!(numbers(zeros), vec![0.0; 16]);
}

#[test]
fn transposed_parameters_are_updated_in_their_own_order() {
    let start = Values::random(&[3, 5], 1.0, 1);
    let grad = Values::random(&[5, 3], 1.0, 2);
    let f = |dtype| {
        let zeros = Tensor::<2>::zeros([5, 3], (&Device::flex(), dtype));
        let param = tensor(&start, dtype).transpose();
        adamw_step(param, tensor(&grad, dtype), zeros.clone(), zeros, &STEP).0
    };
    compare(&numbers(f(DType::F32)), &numbers(f(DType::F64)), 2e-6, "param");
}

#[test]
fn the_squared_norm_is_exact_to_one_rounding() {
    at_every_level(|level| {
        for shape in [[1, 1], [7, 13], [300, 1001]] {
            let values = Values::random(&shape, 3.0, 4);
            let exact: f64 = values.data.iter().map(|x| x * x).sum();
            let found = numbers(squared_norm(&tensor(&values, DType::F32)))[0];
            assert!((found - exact).abs() <= exact * 1e-7, "{level:?}: {found} for {exact}");
        }
    });
    let nan = Tensor::<1>::from_floats([1.0, f32::NAN], &Device::flex());
    assert!(numbers(squared_norm(&nan))[0].is_nan());
}

#[test]
fn several_steps_of_muon_agree_with_the_plain_body() {
    const MUON: MuonStep =
        MuonStep { lr: 3e-2, momentum: 0.95, weight_decay: 0.1, grad_scale: 0.5 };
    let shapes = [[1, 1], [3, 5], [5, 3], [48, 17], [17, 48], [64, 192], [192, 64], [33, 33]];
    at_every_level(|level| {
        let start = |dtype| {
            shapes.map(|shape| {
                let param = tensor(&Values::random(&shape, 1.0, 1), dtype);
                let velocity = param.zeros_like();
                (param, velocity)
            })
        };
        let (mut fused, mut truth) = (start(DType::F32).to_vec(), start(DType::F64).to_vec());
        for step in 1..=3 {
            let grad = |i: usize, dtype| tensor(&Values::random(&shapes[i], 1.0, 10 * step), dtype);
            let matrices = |state: Vec<(Tensor<2>, Tensor<2>)>, dtype| {
                let matrices = state.into_iter().enumerate().map(|(i, (param, velocity))| {
                    MuonMatrix { param, velocity, grad: grad(i, dtype) }
                });
                matrices.collect::<Vec<_>>()
            };
            fused = muon_step(matrices(fused, DType::F32), &MUON);
            truth = muon_step(matrices(truth, DType::F64), &MUON);
        }
        for (i, ((p, v), (p_truth, v_truth))) in fused.into_iter().zip(truth).enumerate() {
            compare(&numbers(p), &numbers(p_truth), 2e-5, &format!("{level:?} param {i}"));
            compare(&numbers(v), &numbers(v_truth), 2e-6, &format!("{level:?} velocity {i}"));
        }
    });
}

#[test]
fn an_update_of_muon_has_singular_values_around_one() {
    let param = Tensor::<2>::zeros([8, 24], &Device::flex());
    let grad = tensor(&Values::random(&[8, 24], 1.0, 3), DType::F32);
    let step = MuonStep { lr: 1.0, momentum: 0.9, weight_decay: 0.0, grad_scale: 1.0 };
    let matrix = MuonMatrix { velocity: param.zeros_like(), param, grad };
    let update = muon_step(vec![matrix], &step).remove(0).0 / step.update_scale([8, 24]);
    // The trace of the Gram matrix is the sum of eight squared singular values.
    let trace: f64 = numbers(update.clone() * update).iter().sum();
    assert!((0.6 * 8.0..1.4 * 8.0).contains(&trace), "{trace}");
}
