//! The gradients of one optimiser step, summed over micro-batches.

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Gradients, Tensor};

/// One gradient per parameter, off the tape.
#[derive(Debug, Default)]
pub struct GradientStore {
    gradients: GradientsParams,
}

impl GradientStore {
    /// Adds what `gradients` holds for `module`'s parameters.
    pub fn add<M: Module>(&mut self, module: &M, mut gradients: Gradients) {
        module.visit(&mut Adder { from: &mut gradients, to: &mut self.gradients });
    }

    /// Square of the global L2 norm, summed in f64 over parameters.
    pub fn squared_norm<M: Module>(&self, module: &M) -> f64 {
        let mut norm = Norm { gradients: &self.gradients, sum: 0.0 };
        module.visit(&mut norm);
        norm.sum
    }

    /// Takes the gradient of one parameter out.
    pub(crate) fn take<const D: usize>(&mut self, id: ParamId) -> Option<Tensor<D>> {
        self.gradients.remove(id)
    }
}

struct Adder<'a> {
    from: &'a mut Gradients,
    to: &'a mut GradientsParams,
}

impl ModuleVisitor for Adder<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(new) = param.val().grad_remove(self.from) else { return };
        let sum = match self.to.remove::<D>(param.id) {
            Some(old) => old + new,
            None => new,
        };
        self.to.register(param.id, sum);
    }
}

struct Norm<'a> {
    gradients: &'a GradientsParams,
    sum: f64,
}

impl ModuleVisitor for Norm<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            self.sum += f64::from(wuji_kernels::squared_norm(&gradient).into_scalar::<f32>());
        }
    }
}
