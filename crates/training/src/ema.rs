//! Exponential moving average of the weights (Polyak averaging): often a better model than the last
//! iterate, at the cost of one copy.

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;
use std::collections::HashMap;
use std::any::Any;

use crate::parameters::{ParameterChange, change_parameters};

/// A copy of a model whose weights trail the trained ones.
#[derive(Debug, Clone)]
pub struct WeightAverage<M: Module> {
    decay: f64,
    model: M,
}

impl<M: Module> WeightAverage<M> {
    /// Starts from the current weights.
    pub fn new(model: &M, decay: f64) -> Self {
        Self { decay, model: model.valid() }
    }

    /// Continues from a stored average.
    pub fn from_stored(model: M, decay: f64) -> Self {
        Self { decay, model }
    }

    /// The averaged model, without autodiff.
    pub fn model(&self) -> &M {
        &self.model
    }

    /// Moves the average towards `model`'s weights after update number `step` (from 0).
    ///
    /// Early on the decay is `(1 + step) / (10 + step)`, so that the average forgets the random
    /// start (as in TensorFlow's `ExponentialMovingAverage`).
    pub fn update(&mut self, model: &M, step: u64) {
        let warm = (1.0 + step as f64) / (10.0 + step as f64);
        let decay = self.decay.min(warm);
        let mut collector = Values::default();
        model.visit(&mut collector);
        let mut mix = Mix { decay, values: collector.values };
        self.model = change_parameters(self.model.clone(), &mut mix);
    }
}

#[derive(Default)]
struct Values {
    values: HashMap<ParamId, Box<dyn Any>>,
}

impl ModuleVisitor for Values {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.values.insert(param.id, Box::new(param.val().inner()));
    }
}

struct Mix {
    decay: f64,
    values: HashMap<ParamId, Box<dyn Any>>,
}

impl ParameterChange for Mix {
    fn change<const D: usize>(&mut self, path: &str, id: ParamId, average: Tensor<D>) -> Tensor<D> {
        let current = self.values.remove(&id).and_then(|value| value.downcast::<Tensor<D>>().ok());
        let current = current.unwrap_or_else(|| panic!("no weight for the average of {path}"));
        average * self.decay + *current * (1.0 - self.decay)
    }
}
