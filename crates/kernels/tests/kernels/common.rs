//! One comparison for every operation: fused in `f32` against the plain body in `f64`, forward and
//! gradients, at every instruction set of this machine, and the plain body against differences.

use std::sync::{Mutex, PoisonError};

use burn::tensor::{DType, Device, Tensor, TensorData};
use wuji_kernels::simd::{self, Level};

/// The limit on instruction sets is process-wide; comparisons take turns.
static TURN: Mutex<()> = Mutex::new(());

/// One input: values in row-major order with a shape.
#[derive(Clone, Debug)]
pub struct Values {
    /// The elements.
    pub data: Vec<f64>,
    /// The shape.
    pub shape: Vec<usize>,
}

impl Values {
    /// Pseudo-random values in `-scale..scale`, the same for the same seed.
    pub fn random(shape: &[usize], scale: f64, seed: u64) -> Self {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let data = (0..shape.iter().product())
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                // Rounded to f32, so that both element types start from the same numbers.
                f64::from(((state >> 11) as f64 / (1u64 << 52) as f64 - 1.0) as f32 * scale as f32)
            })
            .collect();
        Self { data, shape: shape.to_vec() }
    }

    fn leaf(&self, dtype: DType, device: &Device) -> Leaf {
        let data = TensorData::new(self.data.clone(), [self.data.len()]).convert_dtype(dtype);
        let flat = Tensor::from_data(data, (device, dtype));
        let flat = if device.is_autodiff() { flat.require_grad() } else { flat };
        Leaf { flat, shape: self.shape.clone() }
    }
}

/// An input as a tensor of any rank whose gradient is kept.
pub struct Leaf {
    flat: Tensor<1>,
    shape: Vec<usize>,
}

impl Leaf {
    /// The tensor in its shape.
    pub fn get<const D: usize>(&self) -> Tensor<D> {
        let shape: [usize; D] = self.shape.clone().try_into().expect("the rank of the input");
        self.flat.clone().reshape(shape)
    }
}

/// Output and gradients of one evaluation.
pub struct Evaluation {
    /// The output, flat.
    pub output: Vec<f64>,
    /// One gradient per input, flat.
    pub gradients: Vec<Vec<f64>>,
}

/// A function under test: from inputs to one flat output.
pub trait Function: Fn(&[Leaf]) -> Tensor<1> {}
impl<F: Fn(&[Leaf]) -> Tensor<1>> Function for F {}

/// Evaluates `f` and the gradients of a fixed random weighting of its output.
pub fn evaluate(f: &impl Function, inputs: &[Values], dtype: DType) -> Evaluation {
    evaluate_on(&Device::flex().autodiff(), f, inputs, dtype)
}

/// The same on a given device with autodiff.
pub fn evaluate_on(
    device: &Device,
    f: &impl Function,
    inputs: &[Values],
    dtype: DType,
) -> Evaluation {
    let leaves: Vec<_> = inputs.iter().map(|values| values.leaf(dtype, device)).collect();
    let output = f(&leaves);
    let weights = Values::random(&[output.dims()[0]], 1.0, 77).leaf(dtype, device);
    let grads = (output.clone() * weights.get::<1>()).sum().backward();
    let gradients =
        leaves.iter().map(|leaf| leaf.flat.grad(&grads).map_or_else(Vec::new, numbers)).collect();
    Evaluation { output: numbers(output), gradients }
}

/// Evaluates `f` on a device without autodiff.
pub fn evaluate_inner(f: &impl Function, inputs: &[Values], dtype: DType) -> Vec<f64> {
    let device = Device::flex();
    let leaves: Vec<_> = inputs.iter().map(|values| values.leaf(dtype, &device)).collect();
    numbers(f(&leaves))
}

/// The tensor as one row.
pub fn flat<const D: usize>(tensor: Tensor<D>) -> Tensor<1> {
    let count = tensor.shape().num_elements();
    tensor.reshape([count])
}

/// The elements as `f64`.
pub fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().convert::<f64>().try_into_vec().expect("f64 data")
}

/// Runs `body` once at every instruction set that this machine has.
pub fn at_every_level(mut body: impl FnMut(Level)) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    simd::limit(None);
    let best = simd::level();
    for level in Level::ALL {
        if level <= best {
            simd::limit(Some(level));
            assert_eq!(simd::level(), level);
            body(level);
        }
    }
    simd::limit(None);
}

/// Checks that `fused` in `f32` agrees with `plain` in `f64` within `tolerance`, relative to the
/// largest element of each result, and that `plain`'s gradients are those of its values.
pub fn check(inputs: &[Values], fused: impl Function, plain: impl Function, tolerance: f64) {
    let truth = evaluate(&plain, inputs, DType::F64);
    // What has no fused body goes to the plain one, through the same function.
    let fallback = evaluate(&fused, inputs, DType::F64);
    compare(&fallback.output, &truth.output, 1e-12, "f64 output");
    for (i, (a, b)) in fallback.gradients.iter().zip(&truth.gradients).enumerate() {
        compare_above(1.0, a, b, 1e-12, &format!("f64 gradient {i}"));
    }
    at_every_level(|level| {
        let found = evaluate(&fused, inputs, DType::F32);
        compare(&found.output, &truth.output, tolerance, &format!("{level:?} output"));
        for (i, (a, b)) in found.gradients.iter().zip(&truth.gradients).enumerate() {
            compare_above(1.0, a, b, tolerance, &format!("{level:?} gradient {i}"));
        }
        let inner = evaluate_inner(&fused, inputs, DType::F32);
        compare(&inner, &found.output, 1e-6, &format!("{level:?} output without autodiff"));
    });
    if inputs.iter().map(|values| values.data.len()).sum::<usize>() <= 150 {
        check_differences(inputs, &plain, &truth.gradients);
    }
}

/// Checks gradients against central differences.
fn check_differences(inputs: &[Values], plain: &impl Function, gradients: &[Vec<f64>]) {
    const STEP: f64 = 1e-5;
    let value = |inputs: &[Values]| -> f64 {
        let output = evaluate_inner(plain, inputs, DType::F64);
        let weights = Values::random(&[output.len()], 1.0, 77).data;
        output.iter().zip(weights).map(|(y, w)| y * w).sum()
    };
    for (i, gradient) in gradients.iter().enumerate() {
        for (j, &g) in gradient.iter().enumerate() {
            let shifted = |by: f64| {
                let mut inputs = inputs.to_vec();
                inputs[i].data[j] += by;
                value(&inputs)
            };
            let difference = (shifted(STEP) - shifted(-STEP)) / (2.0 * STEP);
            let allowed = 1e-5 * (1.0 + g.abs().max(difference.abs()));
            assert!(
                (g - difference).abs() <= allowed,
                "input {i} element {j}: gradient {g}, difference {difference}"
            );
        }
    }
}

/// Checks two results element by element, relative to the largest expected element.
pub fn compare(found: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    compare_above(0.05, found, expected, tolerance, what);
}

/// The same, but nothing is taken as smaller than `floor`: where terms of that size cancel, their
/// rounding remains.
fn compare_above(floor: f64, found: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}: length");
    let scale = expected.iter().fold(floor, |a, b| a.max(b.abs()));
    for (i, (&a, &b)) in found.iter().zip(expected).enumerate() {
        assert!(
            (a - b).abs() <= tolerance * scale || a == b,
            "{what}: element {i} is {a}, expected {b} (tolerance {tolerance} of {scale})"
        );
    }
}
