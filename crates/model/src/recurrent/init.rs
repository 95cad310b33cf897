//! Initial weights: uniform, as PyTorch draws those of recurrent and linear layers.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Tensor, TensorData};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::init::fnv1a;

/// Draws every matrix from `seed` and its path, so that the same seed gives the same weights on
/// every device: within `±range` where embeddings and heads are, `±1 / sqrt(inputs)` elsewhere.
/// Biases keep what they were made with.
pub(super) fn initialise<M: Module>(module: M, range: f64, seed: u64) -> M {
    module.map(&mut Initialiser { range, seed, path: Vec::new() })
}

struct Initialiser {
    range: f64,
    seed: u64,
    path: Vec<String>,
}

impl Initialiser {
    /// The bound of the matrix at `path` with `inputs` rows.
    fn bound(&self, path: &str, inputs: usize) -> f64 {
        let by_vocabulary = ["embedding.weight", "head.weight", "direct.weight", "padding"];
        if by_vocabulary.iter().any(|name| path.ends_with(name)) {
            self.range
        } else {
            1.0 / (inputs as f64).sqrt()
        }
    }
}

impl ModuleMapper for Initialiser {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if D != 2 {
            return param;
        }
        let path = self.path.join(".");
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed ^ fnv1a(path.as_bytes()));
        param.map(|old| {
            let shape = old.shape();
            let bound = self.bound(&path, shape[0]);
            let draw = |_| ((2.0 * rng.random::<f64>() - 1.0) * bound) as f32;
            let values: Vec<f32> = (0..shape.num_elements()).map(draw).collect();
            let tensor = Tensor::from_data(TensorData::new(values, shape), &old.device());
            if old.is_require_grad() { tensor.require_grad() } else { tensor }
        })
    }
}
