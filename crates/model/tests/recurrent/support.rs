//! What the tests of this folder share.

use burn::module::{Module, ModuleMapper, Param};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use wuji_device::DeviceSpec;
use wuji_model::weights::FileTensor;

use crate::reference::Weights;

pub fn flex() -> Device {
    DeviceSpec::default().open().unwrap()
}

pub fn ids<const N: usize>(rows: &[[i64; N]], device: &Device) -> Tensor<2, Int> {
    Tensor::from_data(TensorData::new(rows.concat(), [rows.len(), N]), device)
}

pub fn mask<const N: usize>(rows: &[[bool; N]], device: &Device) -> Tensor<2, Bool> {
    Tensor::from_data(TensorData::new(rows.concat(), [rows.len(), N]), device)
}

pub fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

/// Largest difference of two results of one length.
pub fn difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

pub fn assert_near(what: &str, found: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}: length");
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (f64::from(*found) - expected).abs();
        assert!(
            error <= tolerance * (1.0 + expected.abs()),
            "{what}[{index}]: found {found}, expected {expected}"
        );
    }
}

/// The model with biases that are not zero, so that each has its place and no ReLU its kink.
pub fn with_biases<M: Module>(model: M) -> M {
    struct Biases(usize);
    impl ModuleMapper for Biases {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            if D != 1 {
                return param;
            }
            self.0 += 1;
            param.map(|old| {
                let shape = old.shape();
                let value = |k: usize| ((self.0 * 31 + k * 17) % 23) as f32 / 23.0 - 0.45;
                let values: Vec<f32> = (0..shape.num_elements()).map(value).collect();
                let tensor = Tensor::from_data(TensorData::new(values, shape), &old.device());
                if old.is_require_grad() { tensor.require_grad() } else { tensor }
            })
        }
    }
    model.map(&mut Biases(0))
}

/// Sum of the cross-entropies of `logits` `[batch, seq, vocabulary]`.
pub fn loss(logits: Tensor<3>, targets: Tensor<2, Int>) -> Tensor<1> {
    let [batch, seq, vocab] = logits.dims();
    let logits = logits.reshape([batch * seq, vocab]);
    wuji_kernels::cross_entropy_sum(
        logits,
        targets.reshape([batch * seq]),
        wuji_kernels::CrossEntropy::default(),
    )
}

/// Checks every gradient against central differences of the reference's loss.
pub fn check_gradients(
    what: &str,
    tensors: &[FileTensor],
    gradients: &[FileTensor],
    loss: impl Fn(&Weights) -> f64,
) {
    const STEP: f64 = 1e-5;
    let names = |tensors: &[FileTensor]| -> Vec<String> {
        tensors.iter().map(|tensor| tensor.name.clone()).collect()
    };
    assert_eq!(names(tensors), names(gradients), "{what}: parameters with a gradient");
    let mut weights = Weights::new(tensors);
    for gradient in gradients {
        let expected: Vec<f64> = (0..gradient.values.len())
            .map(|index| {
                let mut at = |by: f64| {
                    weights.shift(&gradient.name, index, by);
                    let value = loss(&weights);
                    weights.shift(&gradient.name, index, -by);
                    value
                };
                (at(STEP) - at(-STEP)) / (2.0 * STEP)
            })
            .collect();
        assert_near(&format!("{what} {}", gradient.name), &gradient.values, &expected, 2e-5);
    }
}

/// Trains with Adam until the loss is below 0.1 and returns the number of steps, at most `limit`.
pub fn steps_to_overfit<M: Module>(
    mut model: M,
    rate: f64,
    limit: usize,
    loss: impl Fn(&M) -> Tensor<1>,
) -> usize {
    let mut adam = AdamConfig::new().init();
    for step in 0..limit {
        let loss = loss(&model);
        if values(loss.clone())[0] < 0.1 {
            return step;
        }
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        model = adam.step(rate, model, gradients);
    }
    limit
}
