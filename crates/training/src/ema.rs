//! Exponential moving average of the weights (Polyak averaging): often a better model than the last
//! iterate, at the cost of one copy.

use std::any::Any;
use std::collections::HashMap;

use burn::module::{Module, ParamId};
use burn::tensor::Tensor;

use crate::parameters::{ParameterChange, ParameterUse, change_parameters, use_parameters};

/// A copy of a model whose weights trail the trained ones.
#[derive(Debug, Clone)]
pub struct WeightAverage<M> {
    decay: f64,
    model: M,
}

impl<M: Module> WeightAverage<M> {
    /// Starts from the current weights.
    pub fn new(model: &M, decay: f64) -> Self {
        Self { decay, model: model.valid() }
    }

    /// Continues from a stored average.
    pub fn from_stored(model: &M, decay: f64) -> Self {
        Self { decay, model: model.valid() }
    }

    /// The averaged model, without autodiff.
    pub fn model(&self) -> &M {
        &self.model
    }

    /// Moves the average towards `model`'s weights after update number `step` (from 0).
    ///
    /// Early on the decay is `(1 + step) / (10 + step)`, so that the average forgets the random
    /// start (as TensorFlow's `ExponentialMovingAverage` does).
    #[must_use]
    pub fn updated(self, model: &M, step: u64) -> Self {
        let warm = (1.0 + step as f64) / (10.0 + step as f64);
        let mut current = Values::default();
        use_parameters(model, &mut current);
        let mut mix = Mix { decay: self.decay.min(warm), current };
        Self { decay: self.decay, model: change_parameters(self.model, &mut mix) }
    }
}

/// Weights by path: ids differ between a model and an average read from disk.
#[derive(Default)]
struct Values(HashMap<String, Box<dyn Any>>);

impl ParameterUse for Values {
    fn visit<const D: usize>(&mut self, path: &str, _id: ParamId, value: Tensor<D>) {
        self.0.insert(path.to_string(), Box::new(value.inner()));
    }
}

struct Mix {
    decay: f64,
    current: Values,
}

impl ParameterChange for Mix {
    fn change<const D: usize>(
        &mut self,
        path: &str,
        _id: ParamId,
        average: Tensor<D>,
    ) -> Tensor<D> {
        let current =
            self.current.0.remove(path).and_then(|value| value.downcast::<Tensor<D>>().ok());
        let current = current.unwrap_or_else(|| panic!("no weight for the average of {path}"));
        average * self.decay + *current * (1.0 - self.decay)
    }
}
