//! The loop.

use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use crate::checkpoint::{Checkpoints, TrainState, TrainableModel};
use crate::evaluate::LossSums;
use crate::{
    BatchSource, CheckpointEvent, EvalEvent, Evaluation, GradientStore, LossScale, NonFinitePolicy,
    Objective, Optimizer, RunEnd, Schedule, StepEvent, StopReason, StopSignal, TrainObserver,
    TrainingBatch, TrainingConfig, TrainingError, WeightAverage, evaluate,
};

/// Steps that may be left out in a row before a run gives up.
const MAX_SKIPPED_IN_A_ROW: u32 = 10;

/// A model being trained.
pub struct Trainer<M: TrainableModel> {
    config: TrainingConfig,
    /// Only ever absent inside `update`, where the optimiser owns it to reuse its memory.
    model: Option<M>,
    optimizer: Optimizer,
    average: Option<WeightAverage<M>>,
    state: TrainState,
    checkpoints: Option<Checkpoints>,
    run_dir: Option<PathBuf>,
    observers: Vec<Box<dyn TrainObserver>>,
    stop: StopSignal,
    device: Device,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainSummary {
    /// Steps made, over all resumptions.
    pub steps: u64,
    /// Tokens read.
    pub tokens: u64,
    /// Seconds in training steps, waiting for their batches included.
    pub train_seconds: f64,
    /// Seconds of these spent waiting for batches.
    pub data_seconds: f64,
    /// Why it ended.
    pub reason: StopReason,
    /// Loss over the whole validation split, if the run was not interrupted.
    pub validation: Option<Evaluation>,
    /// Lowest validation loss seen during training, with that of sentence pairs where there are any,
    /// and its step.
    pub best: Option<(f64, u64)>,
}

/// Held-out batches: a source read sequentially, and how many batches one pass takes.
pub struct Validation<'a, B> {
    /// Its step `i` is the split's batch `i`.
    pub source: &'a dyn BatchSource<B>,
    /// Batches in the whole split.
    pub batches: u64,
}

impl<M: TrainableModel> Trainer<M> {
    /// A run at step 0. `device` is where batches go; autodiff is switched on here.
    ///
    /// # Errors
    /// A config that makes no sense.
    pub fn new(config: TrainingConfig, model: M, device: &Device) -> Result<Self, TrainingError> {
        config.validate()?;
        if !config.precision.is_supported_on(device) {
            return Err(TrainingError::InvalidConfig {
                key: "precision",
                found: "bf16".to_string(),
                expected: "f32 on this device; only flex has bf16".to_string(),
            });
        }
        let average =
            (config.ema_decay > 0.0).then(|| WeightAverage::new(&model, config.ema_decay));
        Ok(Self {
            optimizer: Optimizer::new(&config),
            model: Some(model.train()),
            average,
            state: TrainState::default(),
            checkpoints: None,
            run_dir: None,
            observers: Vec::new(),
            stop: StopSignal::default(),
            device: device.clone().autodiff(),
            config,
        })
    }

    /// Writes checkpoints below `run_dir`; without this the run leaves nothing behind.
    ///
    /// # Errors
    /// The directory cannot be created.
    pub fn with_run_dir(mut self, run_dir: &Path) -> Result<Self, TrainingError> {
        let checkpoints =
            Checkpoints::open(&run_dir.join("checkpoints"), self.config.keep_checkpoints)?;
        self.checkpoints = Some(checkpoints);
        self.run_dir = Some(run_dir.into());
        Ok(self)
    }

    /// Adds an observer; observers are told in the order they were added.
    #[must_use]
    pub fn with_observer(self, observer: impl TrainObserver + 'static) -> Self {
        self.with_boxed_observer(Box::new(observer))
    }

    /// Adds an observer chosen at run time.
    #[must_use]
    pub fn with_boxed_observer(mut self, observer: Box<dyn TrainObserver>) -> Self {
        self.observers.push(observer);
        self
    }

    /// Looks at `stop` between steps.
    #[must_use]
    pub fn with_stop_signal(mut self, stop: StopSignal) -> Self {
        self.stop = stop;
        self
    }

    /// Continues from the newest checkpoint of the run directory, if there is one. Returns the
    /// steps already made.
    ///
    /// # Errors
    /// A checkpoint that cannot be used, named with what to do.
    pub fn resume(&mut self) -> Result<u64, TrainingError> {
        let Some(checkpoints) = &self.checkpoints else { return Ok(0) };
        let Some(info) = checkpoints.latest()? else { return Ok(0) };
        let fresh = Optimizer::new(&self.config);
        let restored =
            checkpoints.read(&info, self.model(), fresh, self.config.ema_decay, &self.device)?;
        self.model = Some(restored.model);
        self.optimizer = restored.optimizer;
        self.average = match (restored.average, self.config.ema_decay > 0.0) {
            (None, true) => Some(WeightAverage::new(self.model(), self.config.ema_decay)),
            (average, _) => average,
        };
        self.state = restored.state;
        Ok(self.state.step)
    }

    fn model(&self) -> &M {
        self.model.as_ref().expect("the model is there between updates")
    }

    /// Steps made so far.
    pub fn steps(&self) -> u64 {
        self.state.step
    }

    /// The trained model without autodiff: the average of the weights where one is kept.
    pub fn trained_model(&self) -> M {
        match &self.average {
            Some(average) => average.model().clone(),
            None => self.model().valid(),
        }
    }

    /// Trains until `max_steps`, a stop request, or no more improvement; then evaluates the whole
    /// validation split.
    ///
    /// # Errors
    /// Data, files or numbers that the run cannot go on with. What was checkpointed stays.
    pub fn run<O: Objective<M>>(
        &mut self,
        objective: &O,
        train: &dyn BatchSource<O::Batch>,
        validation: Option<&Validation<O::Batch>>,
    ) -> Result<TrainSummary, TrainingError> {
        let micro_steps = self.config.gradient_accumulation_steps;
        let mut stream = train.stream(self.state.step..self.config.max_steps, micro_steps)?;
        let mut reason = StopReason::Finished;
        while self.state.step < self.config.max_steps {
            if self.stop.is_requested() {
                reason = StopReason::Interrupted;
                break;
            }
            let start = Instant::now();
            let batches =
                stream.by_ref().take(micro_steps as usize).collect::<Result<Vec<_>, _>>()?;
            self.one_step(objective, &batches, start)?;
            if self.state.step == self.config.max_steps {
                break; // `finish` evaluates the whole split and writes the last checkpoint.
            }
            let mut is_best = false;
            if let Some(validation) = validation
                && is_due(self.state.step, self.config.eval_interval_steps)
            {
                let evaluated =
                    self.evaluate_now(objective, validation, self.config.eval_batches)?;
                if evaluated.is_stale {
                    reason = StopReason::EarlyStopping;
                    break;
                }
                is_best = evaluated.is_best;
            }
            let interval = self.config.checkpoint_interval_steps;
            // The best weights can only be kept if they are written when they are seen.
            if is_due(self.state.step, interval) || (is_best && interval > 0) {
                self.checkpoint()?;
            }
        }
        drop(stream);
        self.finish(objective, validation, reason)
    }

    fn finish<O: Objective<M>>(
        &mut self,
        objective: &O,
        validation: Option<&Validation<O::Batch>>,
        reason: StopReason,
    ) -> Result<TrainSummary, TrainingError> {
        let evaluation = match validation {
            Some(validation) if reason != StopReason::Interrupted => {
                Some(self.evaluate_now(objective, validation, 0)?.evaluation)
            }
            _ => None,
        };
        self.checkpoint()?;
        let end = RunEnd { step: self.state.step, reason, train_seconds: self.state.train_seconds };
        self.tell(|observer| observer.on_end(&end))?;
        Ok(TrainSummary {
            steps: self.state.step,
            tokens: self.state.tokens,
            train_seconds: self.state.train_seconds,
            data_seconds: self.state.data_seconds,
            reason,
            validation: evaluation,
            best: self.state.best,
        })
    }

    /// Forward, backward and update for all micro-batches of one step, which was begun at `start`.
    fn one_step<O: Objective<M>>(
        &mut self,
        objective: &O,
        batches: &[O::Batch],
        start: Instant,
    ) -> Result<(), TrainingError> {
        let data_seconds = start.elapsed().as_secs_f64();
        let step = self.state.step;
        let learning_rate = Schedule::learning_rate(&self.config, self.config.learning_rate, step);
        let scale = LossScale::of(batches);
        let mut gradients = GradientStore::default();
        let mut sums = LossSums::default();
        for (micro, batch) in batches.iter().enumerate() {
            let seed = mix(self.config.seed, step, micro as u64);
            self.device.seed(seed);
            let model = self.model();
            let sink = &mut |new| gradients.add(model, new);
            let pass = || objective.backward(model, batch, &self.device, scale, seed, sink);
            sums.add(self.config.precision.scope(pass));
        }
        let means = sums.means();
        // A step without any label learns nothing and says so.
        let loss = if scale.labels > 0.0 { means.loss } else { 0.0 };
        let sentence_loss = means.sentences.map(|sentences| sentences.loss);
        let grad_norm = gradients.squared_norm(self.model()).sqrt();
        let total = loss + sentence_loss.unwrap_or_default();
        let finite = total.is_finite() && grad_norm.is_finite();
        if finite {
            self.update(gradients, step, grad_norm);
            self.state.skipped_in_a_row = 0;
        } else {
            self.non_finite(batches, total, grad_norm)?;
        }
        let tokens: u64 = batches.iter().map(|batch| batch.tokens()).sum();
        let seconds = start.elapsed().as_secs_f64();
        self.state.step += 1;
        self.state.tokens += tokens;
        self.state.train_seconds += seconds;
        self.state.data_seconds += data_seconds;
        let event = StepEvent {
            step: self.state.step,
            loss,
            sentence_loss,
            learning_rate,
            grad_norm,
            tokens: self.state.tokens,
            tokens_per_second: tokens as f64 / seconds,
            data_seconds,
            skipped: !finite,
        };
        self.tell(|observer| observer.on_step(&event))
    }

    fn update(&mut self, gradients: GradientStore, step: u64, grad_norm: f64) {
        let limit = self.config.max_grad_norm;
        // torch.nn.utils.clip_grad_norm_'s rule, epsilon included.
        let scale = if limit > 0.0 { (limit / (grad_norm + 1e-6)).min(1.0) } else { 1.0 };
        let model = self.model.take().expect("only this function takes the model out");
        let model = self.optimizer.step(model, gradients, step, scale);
        self.average = self.average.take().map(|average| average.updated(&model, step));
        self.model = Some(model);
    }

    fn non_finite<B: TrainingBatch>(
        &mut self,
        batches: &[B],
        loss: f64,
        grad_norm: f64,
    ) -> Result<(), TrainingError> {
        let step = self.state.step;
        let what = if loss.is_finite() { "gradient norm" } else { "loss" };
        tracing::warn!(step, loss, grad_norm, "{what} is not finite");
        if self.config.on_non_finite == NonFinitePolicy::Stop {
            let batch = self.write_batch(batches)?;
            return Err(TrainingError::NonFinite { step, what, loss, grad_norm, batch });
        }
        self.state.skipped_in_a_row += 1;
        let skipped = self.state.skipped_in_a_row;
        if skipped > MAX_SKIPPED_IN_A_ROW {
            return Err(TrainingError::TooManySkipped { step, skipped });
        }
        Ok(())
    }

    fn write_batch<B: TrainingBatch>(
        &self,
        batches: &[B],
    ) -> Result<Option<PathBuf>, TrainingError> {
        let Some(dir) = &self.run_dir else { return Ok(None) };
        let path = dir.join(format!("non-finite-step-{}.json", self.state.step));
        let described: Vec<_> = batches.iter().map(|batch| batch.describe()).collect();
        let text = serde_json::Value::from(described).to_string();
        std::fs::write(&path, text)
            .map_err(|source| TrainingError::io("writing", &path, source))?;
        Ok(Some(path))
    }

    /// Evaluates on `limit` batches spread evenly over the split; 0 takes all.
    fn evaluate_now<O: Objective<M>>(
        &mut self,
        objective: &O,
        validation: &Validation<O::Batch>,
        limit: u64,
    ) -> Result<Evaluated, TrainingError> {
        let start = Instant::now();
        let model = self.trained_model();
        let device = self.device.clone().without_autodiff();
        let complete = limit == 0 || limit >= validation.batches;
        let evaluation = if complete {
            let stream = validation.source.stream(0..validation.batches, 1)?;
            evaluate(&model, objective, stream, &device)?
        } else {
            let places = (0..limit).map(|i| i * validation.batches / limit);
            let batches = places.map(|place| validation.source.batch(place, 0));
            evaluate(&model, objective, batches, &device)?
        };
        let total = evaluation.total();
        let best = self.state.best.is_none_or(|(loss, _)| total < loss);
        if best {
            self.state.best = Some((total, self.state.step));
            self.state.evaluations_without_improvement = 0;
        } else {
            self.state.evaluations_without_improvement += 1;
        }
        let event = EvalEvent {
            step: self.state.step,
            validation_loss: evaluation.loss,
            labels: evaluation.labels,
            sentences: evaluation.sentences,
            complete,
            best,
            seconds: start.elapsed().as_secs_f64(),
        };
        self.tell(|observer| observer.on_eval(&event))?;
        let patience = self.config.early_stopping_patience;
        let is_stale = patience > 0 && self.state.evaluations_without_improvement >= patience;
        Ok(Evaluated { evaluation, is_best: best, is_stale })
    }

    fn checkpoint(&mut self) -> Result<(), TrainingError> {
        let Some(checkpoints) = &self.checkpoints else { return Ok(()) };
        let start = Instant::now();
        let average = self.average.as_ref();
        let info = checkpoints.write(self.model(), &self.optimizer, average, &self.state)?;
        let seconds = start.elapsed().as_secs_f64();
        let event = CheckpointEvent { step: info.step, path: info.path, seconds };
        self.tell(|observer| observer.on_checkpoint(&event))
    }

    fn tell(
        &mut self,
        mut what: impl FnMut(&mut dyn TrainObserver) -> Result<(), TrainingError>,
    ) -> Result<(), TrainingError> {
        self.observers.iter_mut().try_for_each(|observer| what(observer.as_mut()))
    }
}

struct Evaluated {
    evaluation: Evaluation,
    is_best: bool,
    is_stale: bool,
}

fn is_due(step: u64, interval: u64) -> bool {
    interval > 0 && step.is_multiple_of(interval)
}

/// One number from three, well spread (SplitMix64's finaliser over a weighted sum).
fn mix(seed: u64, step: u64, micro: u64) -> u64 {
    let mut z = seed
        .wrapping_add(step.wrapping_mul(0x9e37_79b9_7f4a_7c15))
        .wrapping_add(micro.wrapping_mul(0xd1b5_4a32_d192_ed03));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
