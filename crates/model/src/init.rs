//! Initial weights, drawn on the host from a seed and a parameter's path.
//!
//! Drawing by path makes the values independent of the device, of the order of traversal and of
//! the number of layers before a parameter.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Tensor, TensorData};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::Architecture;

/// Draws all weights: normal with the architecture's standard deviation for matrices; norms keep
/// their ones and biases their zeros.
pub(crate) fn initialise<M: Module>(module: M, architecture: &Architecture, seed: u64) -> M {
    module.map(&mut Initialiser { architecture, seed, path: Vec::new() })
}

struct Initialiser<'a> {
    architecture: &'a Architecture,
    seed: u64,
    path: Vec<String>,
}

impl Initialiser<'_> {
    fn standard_deviation(&self, path: &str) -> f64 {
        let range = self.architecture.initializer_range;
        let to_residual =
            path.ends_with("attention.output.weight") || path.ends_with("mlp.down.weight");
        if to_residual && self.architecture.scale_residual_init {
            range / (2.0 * self.architecture.num_hidden_layers as f64).sqrt()
        } else {
            range
        }
    }
}

impl ModuleMapper for Initialiser<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let path = self.path.join(".");
        // Vectors start as they were built, and so does a bias that has the shape of a matrix.
        if D != 2 || path == "logits_bias" {
            return param;
        }
        let deviation = self.standard_deviation(&path);
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed ^ fnv1a(path.as_bytes()));
        param.map(|old| {
            let shape = old.shape();
            let values = normal(&mut rng, shape.num_elements(), deviation);
            let tensor = Tensor::from_data(TensorData::new(values, shape), &old.device());
            if old.is_require_grad() { tensor.require_grad() } else { tensor }
        })
    }
}

/// `count` draws from a normal distribution with mean zero (Box–Muller).
pub(crate) fn normal(rng: &mut ChaCha8Rng, count: usize, deviation: f64) -> Vec<f32> {
    let mut values = Vec::with_capacity(count + 1);
    while values.len() < count {
        // 1 - u is in (0, 1], where the logarithm is finite.
        let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt() * deviation;
        let (sin, cos) = (std::f64::consts::TAU * rng.random::<f64>()).sin_cos();
        values.push((radius * cos) as f32);
        values.push((radius * sin) as f32);
    }
    values.truncate(count);
    values
}

/// FNV-1a: a stable hash of a path, so that a model's initial weights never change with a library.
pub(crate) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
