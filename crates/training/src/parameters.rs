//! Walking a module's float parameters with their paths (`decoder.blocks.0.mlp.up.weight`).

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;

/// What is to be read from each parameter.
pub(crate) trait ParameterUse {
    /// Looks at the parameter at `path`; `value` may be on the tape.
    fn visit<const D: usize>(&mut self, path: &str, id: ParamId, value: Tensor<D>);
}

/// Shows each float parameter to `visitor`, in the order of the module's fields.
pub(crate) fn use_parameters<M: Module>(module: &M, visitor: &mut impl ParameterUse) {
    module.visit(&mut User { path: Vec::new(), visitor });
}

struct User<'a, U> {
    path: Vec<String>,
    visitor: &'a mut U,
}

impl<U: ParameterUse> ModuleVisitor for User<'_, U> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.visitor.visit(&self.path.join("."), param.id, param.val());
    }
}

/// What is to be done with each parameter.
pub(crate) trait ParameterChange {
    /// The new value of the parameter at `path`, off the tape.
    fn change<const D: usize>(&mut self, path: &str, id: ParamId, value: Tensor<D>) -> Tensor<D>;
}

/// Applies `change` to each float parameter, keeping identity and gradient requirement.
pub(crate) fn change_parameters<M: Module>(module: M, change: &mut impl ParameterChange) -> M {
    module.map(&mut Changer { path: Vec::new(), change })
}

struct Changer<'a, C> {
    path: Vec<String>,
    change: &'a mut C,
}

impl<C: ParameterChange> ModuleMapper for Changer<'_, C> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let path = self.path.join(".");
        // Taking the value out of the parameter leaves it the only owner, so that an update can
        // reuse its memory.
        let (id, value, mapper) = param.consume();
        let (tracked, autodiff) = (value.is_require_grad(), value.is_autodiff());
        let value = self.change.change(&path, id, value.inner());
        let value = if autodiff { Tensor::from_inner(value) } else { value };
        let value = if tracked { value.require_grad() } else { value };
        Param::from_mapped_value(id, value, mapper)
    }
}
