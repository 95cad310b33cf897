//! Optimisers over a module: which rule each parameter follows, and their states by path.
//!
//! SGD, momentum and AdaGrad are burn-optim's rules; Adam, AdamW and Muon are the fused updates of
//! `wuji-kernels`. Weight decay is for matrices only. All curves are checked against PyTorch's
//! (`shared/golden/training`).

use std::collections::BTreeMap;

use burn::module::{Module, ParamId};
use burn::optim::momentum::MomentumConfig;
use burn::optim::{
    AdaGrad, AdaGradConfig, DynState, Optimizer as BurnRule, RecordState, Sgd, SgdConfig,
    StateSink, StateSource,
};
use burn::tensor::{Device, Tensor, TensorData};
use wuji_kernels::{AdamWStep, MuonMatrix, MuonStep};
use wuji_model::weights::FileTensor;

use crate::parameters::{ParameterChange, ParameterUse, change_parameters, use_parameters};
use crate::{GradientStore, OptimizerKind, Schedule, TrainingConfig};

/// The rules of one run and the state of each parameter.
#[derive(Clone)]
pub struct Optimizer {
    config: TrainingConfig,
    sgd: Sgd,
    adagrad: AdaGrad,
    states: BTreeMap<String, DynState>,
}

impl std::fmt::Debug for Optimizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Optimizer")
            .field("kind", &self.config.optimizer)
            .field("states", &self.states.len())
            .finish()
    }
}

/// What a parameter follows.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Rule {
    Sgd,
    AdaGrad,
    Muon,
    AdamW { weight_decay: f64 },
}

/// First and second moment and number of updates of one parameter.
#[derive(Debug, Clone)]
struct AdamWState<const D: usize> {
    m: Tensor<D>,
    v: Tensor<D>,
    updates: u64,
}

impl Optimizer {
    /// No state yet.
    pub fn new(config: &TrainingConfig) -> Self {
        let with_momentum =
            (config.optimizer == OptimizerKind::Momentum).then_some(MomentumConfig {
                momentum: config.momentum,
                dampening: 0.0, // As torch: velocity = momentum · velocity + gradient.
                nesterov: false,
            });
        Self {
            config: config.clone(),
            sgd: SgdConfig::new().with_momentum(with_momentum).build(),
            adagrad: AdaGradConfig::new().with_epsilon(config.epsilon as f32).build(),
            states: BTreeMap::new(),
        }
    }

    /// Which rule it follows.
    pub fn kind(&self) -> OptimizerKind {
        self.config.optimizer
    }

    /// Makes update number `step` (from 0): every gradient is multiplied by `gradient_scale`
    /// (clipping) and its parameter moved. Parameters without a gradient stay.
    pub fn step<M: Module>(
        &mut self,
        module: M,
        gradients: GradientStore,
        step: u64,
        gradient_scale: f64,
    ) -> M {
        let rate = |peak| Schedule::learning_rate(&self.config, peak, step);
        let learning_rate = rate(self.config.learning_rate);
        let muon_learning_rate = rate(self.config.muon_learning_rate);
        let mut update = Update {
            optimizer: self,
            gradients,
            learning_rate,
            gradient_scale,
            matrices: MuonMatrices::default(),
        };
        let module = change_parameters(module, &mut update);
        let step = MuonStep {
            lr: muon_learning_rate,
            momentum: update.optimizer.config.momentum,
            weight_decay: update.optimizer.config.weight_decay,
            grad_scale: gradient_scale,
        };
        let matrices = std::mem::take(&mut update.matrices);
        self.step_matrices(module, matrices, &step)
    }

    /// Updates all of Muon's matrices together and puts them back into the module.
    fn step_matrices<M: Module>(
        &mut self,
        module: M,
        matrices: MuonMatrices,
        step: &MuonStep,
    ) -> M {
        if matrices.paths.is_empty() {
            return module;
        }
        let updated = wuji_kernels::muon_step(matrices.matrices, step);
        let mut values = BTreeMap::new();
        for (path, (param, velocity)) in matrices.paths.into_iter().zip(updated) {
            let state = DynState::create(MuonState { velocity }, 2);
            self.states.insert(path.clone(), state);
            values.insert(path, param);
        }
        change_parameters(module, &mut PutBack(values))
    }

    fn rule(&self, path: &str, rank: usize) -> Rule {
        let weight_decay =
            if rank >= 2 || self.config.decay_vectors { self.config.weight_decay } else { 0.0 };
        match self.config.optimizer {
            OptimizerKind::Sgd | OptimizerKind::Momentum => Rule::Sgd,
            OptimizerKind::Adagrad => Rule::AdaGrad,
            OptimizerKind::Adam => Rule::AdamW { weight_decay: 0.0 },
            OptimizerKind::Muon if rank == 2 && path.contains("blocks.") => Rule::Muon,
            OptimizerKind::Adamw | OptimizerKind::Muon => Rule::AdamW { weight_decay },
        }
    }

    /// The state as tensors and counters named by parameter path, for a checkpoint.
    pub fn state<M: Module>(&self, module: &M) -> (Vec<FileTensor>, BTreeMap<String, u64>) {
        let mut writer = StateWriter { optimizer: self, sink: StateSink::default() };
        use_parameters(module, &mut writer);
        let tensors = writer.sink.tensors.into_iter().map(|(name, data)| FileTensor {
            name,
            shape: data.shape().to_vec(),
            values: data.iter::<f32>().collect(),
        });
        let counters = writer
            .sink
            .scalars
            .into_iter()
            .filter_map(|(name, value)| Some((name, u64::try_from(value).ok()?)));
        (tensors.collect(), counters.collect())
    }

    /// Takes up a stored state; parameters without one start afresh.
    pub fn load_state<M: Module>(
        &mut self,
        module: &M,
        tensors: Vec<FileTensor>,
        counters: BTreeMap<String, u64>,
        device: &Device,
    ) {
        let scalars = counters.into_iter().map(|(name, value)| (name, value.into())).collect();
        let mut source = StateSource::new(scalars);
        for FileTensor { name, shape, values } in tensors {
            source.insert_tensor(name, TensorData::new(values, shape));
        }
        let device = device.clone().without_autodiff();
        use_parameters(module, &mut StateReader { optimizer: self, source, device });
    }
}

/// Momentum of one of Muon's matrices.
#[derive(Debug, Clone)]
struct MuonState<const D: usize> {
    velocity: Tensor<D>,
}

/// Muon's matrices, taken out of the module so that they can be updated at once and in place.
#[derive(Default)]
struct MuonMatrices {
    paths: Vec<String>,
    matrices: Vec<MuonMatrix>,
}

impl MuonMatrices {
    /// Takes a matrix; what is left in its place is empty.
    fn take<const D: usize>(
        &mut self,
        path: &str,
        value: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<DynState>,
    ) -> Tensor<D> {
        let dims = value.dims();
        let shape = [dims[0], dims[1]];
        let state = state.map(|state| state.downcast::<MuonState<2>>());
        let empty = Tensor::empty([0; D], &value.device());
        let param = value.reshape(shape);
        let velocity = state.map_or_else(|| param.zeros_like(), |state| state.velocity);
        self.paths.push(path.to_string());
        self.matrices.push(MuonMatrix { param, grad: gradient.reshape(shape), velocity });
        empty
    }
}

/// Puts the matrices back that were taken, by path.
struct PutBack(BTreeMap<String, Tensor<2>>);

impl ParameterChange for PutBack {
    fn change<const D: usize>(&mut self, path: &str, _: ParamId, value: Tensor<D>) -> Tensor<D> {
        match self.0.remove(path) {
            Some(matrix) => {
                let dims: Vec<usize> = matrix.dims().to_vec();
                matrix.reshape::<D, _>(burn::tensor::Shape::from(dims))
            }
            None => value,
        }
    }
}

struct Update<'a> {
    optimizer: &'a mut Optimizer,
    gradients: GradientStore,
    learning_rate: f64,
    gradient_scale: f64,
    matrices: MuonMatrices,
}

impl Update<'_> {
    fn burn_rule<R: BurnRule, const D: usize>(
        &self,
        rule: &R,
        learning_rate: f64,
        value: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<DynState>,
    ) -> (Tensor<D>, Option<DynState>) {
        let gradient = gradient * self.gradient_scale;
        let state = state.map(|state| state.downcast::<R::State<D>>());
        let (value, state) = rule.step(learning_rate, value, gradient, state);
        (value, state.map(|state| DynState::create(state, D)))
    }

    fn adamw<const D: usize>(
        &self,
        weight_decay: f64,
        value: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<DynState>,
    ) -> (Tensor<D>, Option<DynState>) {
        let state = state.map(|state| state.downcast::<AdamWState<D>>());
        let AdamWState { m, v, updates } = state.unwrap_or_else(|| AdamWState {
            m: value.zeros_like(),
            v: value.zeros_like(),
            updates: 0,
        });
        let config = &self.optimizer.config;
        let step = AdamWStep {
            lr: self.learning_rate,
            beta1: config.beta1,
            beta2: config.beta2,
            epsilon: config.epsilon,
            weight_decay,
            step: updates + 1,
            grad_scale: self.gradient_scale,
        };
        let (value, m, v) = wuji_kernels::adamw_step(value, gradient, m, v, &step);
        (value, Some(DynState::create(AdamWState { m, v, updates: updates + 1 }, D)))
    }
}

impl ParameterChange for Update<'_> {
    fn change<const D: usize>(&mut self, path: &str, id: ParamId, value: Tensor<D>) -> Tensor<D> {
        let Some(gradient) = self.gradients.take::<D>(id) else { return value };
        let state = self.optimizer.states.remove(path);
        let (value, state) = match self.optimizer.rule(path, D) {
            Rule::Sgd => {
                self.burn_rule(&self.optimizer.sgd, self.learning_rate, value, gradient, state)
            }
            Rule::AdaGrad => {
                self.burn_rule(&self.optimizer.adagrad, self.learning_rate, value, gradient, state)
            }
            Rule::Muon => return self.matrices.take(path, value, gradient, state),
            Rule::AdamW { weight_decay } => self.adamw(weight_decay, value, gradient, state),
        };
        if let Some(state) = state {
            self.optimizer.states.insert(path.to_string(), state);
        }
        value
    }
}

impl<const D: usize> RecordState for AdamWState<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        out.push_tensor(prefix, "m", self.m.to_data());
        out.push_tensor(prefix, "v", self.v.to_data());
        out.push_scalar(prefix, "updates", self.updates.into());
    }

    fn state_unflatten(prefix: &str, src: &mut StateSource, device: &Device) -> Option<Self> {
        Some(Self {
            m: Tensor::from_data(src.take_tensor(prefix, "m")?, device),
            v: Tensor::from_data(src.take_tensor(prefix, "v")?, device),
            updates: u64::try_from(src.take_scalar(prefix, "updates")?).ok()?,
        })
    }
}

impl<const D: usize> RecordState for MuonState<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        out.push_tensor(prefix, "velocity", self.velocity.to_data());
    }

    fn state_unflatten(prefix: &str, src: &mut StateSource, device: &Device) -> Option<Self> {
        let velocity = src.take_tensor(prefix, "velocity")?;
        Some(Self { velocity: Tensor::from_data(velocity, device) })
    }
}

struct StateWriter<'a> {
    optimizer: &'a Optimizer,
    sink: StateSink,
}

impl ParameterUse for StateWriter<'_> {
    fn visit<const D: usize>(&mut self, path: &str, _id: ParamId, _value: Tensor<D>) {
        let Some(state) = self.optimizer.states.get(path) else { return };
        let sink = &mut self.sink;
        match self.optimizer.rule(path, D) {
            Rule::Sgd => {
                state.downcast_ref::<<Sgd as BurnRule>::State<D>>().state_flatten(path, sink)
            }
            Rule::AdaGrad => {
                state.downcast_ref::<<AdaGrad as BurnRule>::State<D>>().state_flatten(path, sink);
            }
            Rule::Muon => {
                state.downcast_ref::<MuonState<D>>().state_flatten(path, sink);
            }
            Rule::AdamW { .. } => state.downcast_ref::<AdamWState<D>>().state_flatten(path, sink),
        }
    }
}

struct StateReader<'a> {
    optimizer: &'a mut Optimizer,
    source: StateSource,
    device: Device,
}

impl StateReader<'_> {
    fn read<S: RecordState, const D: usize>(&mut self, path: &str) -> Option<DynState> {
        let state = S::state_unflatten(path, &mut self.source, &self.device)?;
        Some(DynState::create(state, D))
    }
}

impl ParameterUse for StateReader<'_> {
    fn visit<const D: usize>(&mut self, path: &str, _id: ParamId, _value: Tensor<D>) {
        let state = match self.optimizer.rule(path, D) {
            Rule::Sgd => self.read::<<Sgd as BurnRule>::State<D>, D>(path),
            Rule::AdaGrad => self.read::<<AdaGrad as BurnRule>::State<D>, D>(path),
            Rule::Muon => self.read::<MuonState<D>, D>(path),
            Rule::AdamW { .. } => self.read::<AdamWState<D>, D>(path),
        };
        if let Some(state) = state {
            self.optimizer.states.insert(path.to_string(), state);
        }
    }
}
