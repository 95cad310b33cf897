//! Training in this process: batches made up on the spot, and what a run told its observer.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use burn::tensor::Device;
use wuji::data::{IGNORE_INDEX, TokenBatch};
use wuji::model::CausalLm;
use wuji::model::weights::FileTensor;
use wuji::training::{
    BatchSource, CausalLmObjective, EvalEvent, Objective, StepEvent, StopSignal, TrainObserver,
    TrainSummary, TrainableModel, Trainer, TrainingConfig, TrainingError, Validation,
};

use crate::devices::flex;
use crate::tiny_models::VOCAB_SIZE;

/// burn's generator is one per process, and a run seeds it before each micro-batch: of two runs at
/// once, each would draw from the other's dropout.
static GENERATOR: Mutex<()> = Mutex::new(());

/// A run to be made.
pub struct Run<'a, M = CausalLm, B = TokenBatch> {
    config: TrainingConfig,
    model: M,
    device: Device,
    train: &'a dyn BatchSource<B>,
    validation: Option<&'a dyn BatchSource<B>>,
    run_dir: Option<&'a Path>,
    resume: bool,
    stop_after: Option<u64>,
}

/// A run that was made.
pub struct Made<M: TrainableModel = CausalLm> {
    /// The trainer as the run left it.
    pub trainer: Trainer<M>,
    /// How the run ended.
    pub result: Result<TrainSummary, TrainingError>,
    /// Every step.
    pub steps: Vec<StepEvent>,
    /// Every evaluation.
    pub evaluations: Vec<EvalEvent>,
}

impl<'a, M: TrainableModel, B> Run<'a, M, B> {
    /// A run on flex of `model`, which is on an autodiff device.
    pub fn new(config: &TrainingConfig, model: M, train: &'a dyn BatchSource<B>) -> Self {
        Self {
            config: config.clone(),
            model,
            device: flex(),
            train,
            validation: None,
            run_dir: None,
            resume: false,
            stop_after: None,
        }
    }

    /// On another device.
    pub fn on(self, device: &Device) -> Self {
        Self { device: device.clone(), ..self }
    }

    /// Evaluated on one batch of `validation`.
    pub fn validated_on(self, validation: &'a dyn BatchSource<B>) -> Self {
        Self { validation: Some(validation), ..self }
    }

    /// With checkpoints in `run_dir`.
    pub fn in_dir(self, run_dir: &'a Path) -> Self {
        Self { run_dir: Some(run_dir), ..self }
    }

    /// From the newest checkpoint.
    pub fn resumed(self) -> Self {
        Self { resume: true, ..self }
    }

    /// With Ctrl-C after that many steps.
    pub fn stopped_after(self, step: u64) -> Self {
        Self { stop_after: Some(step), ..self }
    }

    /// Makes the run with an objective of its own.
    pub fn make_with(self, objective: &impl Objective<M, Batch = B>) -> Made<M> {
        // A test that failed while it held the lock has said so; the others go on.
        let _alone = GENERATOR.lock().unwrap_or_else(PoisonError::into_inner);
        let log = Log { stop_after: self.stop_after, ..Log::default() };
        let mut trainer = Trainer::new(self.config, self.model, &self.device)
            .unwrap()
            .with_observer(log.clone())
            .with_stop_signal(log.stop.clone());
        if let Some(run_dir) = self.run_dir {
            trainer = trainer.with_run_dir(run_dir).unwrap();
        }
        if self.resume {
            trainer.resume().unwrap();
        }
        let validation = self.validation.map(|source| Validation { source, batches: 1 });
        let result = trainer.run(objective, self.train, validation.as_ref());
        let told = std::mem::take(&mut *log.told.lock().unwrap());
        Made { trainer, result, steps: told.steps, evaluations: told.evaluations }
    }
}

impl Run<'_> {
    /// Makes the run: next tokens are learnt.
    pub fn make(self) -> Made {
        let activation_checkpointing = self.config.activation_checkpointing;
        self.make_with(&CausalLmObjective { activation_checkpointing, ..Default::default() })
    }
}

impl<M: TrainableModel> Made<M> {
    /// The summary of a run that must not have failed.
    pub fn summary(&self) -> &TrainSummary {
        self.result.as_ref().unwrap()
    }
}

impl Made {
    /// The weights as they would be saved.
    pub fn weights(&self) -> Vec<FileTensor> {
        self.trainer.trained_model().file_tensors()
    }
}

#[derive(Clone, Default)]
struct Log {
    told: Arc<Mutex<Told>>,
    stop: StopSignal,
    stop_after: Option<u64>,
}

#[derive(Default)]
struct Told {
    steps: Vec<StepEvent>,
    evaluations: Vec<EvalEvent>,
}

impl TrainObserver for Log {
    fn on_step(&mut self, event: &StepEvent) -> Result<(), TrainingError> {
        if Some(event.step) == self.stop_after {
            self.stop.request();
        }
        self.told.lock().unwrap().steps.push(event.clone());
        Ok(())
    }

    fn on_eval(&mut self, event: &EvalEvent) -> Result<(), TrainingError> {
        self.told.lock().unwrap().evaluations.push(event.clone());
        Ok(())
    }
}

/// What a step computed, without how long it took.
pub fn figures(steps: &[StepEvent]) -> Vec<(u64, u64, u64, u64, u64)> {
    let bits = |step: &StepEvent| {
        let (loss, norm) = (step.loss.to_bits(), step.grad_norm.to_bits());
        (step.step, loss, norm, step.learning_rate.to_bits(), step.tokens)
    };
    steps.iter().map(bits).collect()
}

/// The usual config here: AdamW at a constant rate, without anything that a test has not asked for.
pub fn plain(max_steps: u64) -> TrainingConfig {
    TrainingConfig {
        max_steps,
        learning_rate: 1e-2,
        min_learning_rate: 0.0,
        schedule: wuji::training::Schedule::Constant,
        warmup_steps: 0,
        weight_decay: 0.0,
        max_grad_norm: 0.0,
        eval_interval_steps: 0,
        eval_batches: 0,
        checkpoint_interval_steps: 0,
        ..TrainingConfig::default()
    }
}

/// Rows in which each token is the one before it plus `stride`, begun anywhere: a language that is
/// learnt at once, and of which another stride is another language.
#[derive(Clone, Copy)]
pub struct Counting {
    /// Rows of a micro-batch.
    pub rows: usize,
    /// Micro-batches of a step. Steps of as many rows in all hold the same rows.
    pub micro_steps: u32,
    /// Tokens of a row.
    pub context: usize,
    /// From one token to the next.
    pub stride: u32,
    /// Whether labels are ignored: in each row another number of them, in every fourth row all.
    pub uneven: bool,
}

impl Counting {
    /// Two micro-batches of two rows.
    pub const PLAIN: Self = Self { rows: 2, micro_steps: 2, context: 16, stride: 5, uneven: false };

    fn row(&self, number: u64, batch: &mut TokenBatch) {
        let first = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        let token = |at: usize| (first as u32 + at as u32 * self.stride) % VOCAB_SIZE as u32;
        let ignored = match number % 4 {
            _ if !self.uneven => 0,
            3 => self.context,
            _ => (number as usize * 5) % self.context,
        };
        batch.input_ids.extend((0..self.context).map(token));
        batch.labels.extend(
            (0..self.context)
                .map(|at| if at < ignored { IGNORE_INDEX } else { i64::from(token(at + 1)) }),
        );
    }
}

impl BatchSource<TokenBatch> for Counting {
    fn batch(&self, step: u64, micro_step: u32) -> Result<TokenBatch, TrainingError> {
        let mut batch = TokenBatch {
            batch: self.rows,
            context: self.context,
            input_ids: Vec::new(),
            labels: Vec::new(),
            segment_ids: None,
            position_ids: None,
        };
        let first = (step * u64::from(self.micro_steps) + u64::from(micro_step)) * self.rows as u64;
        for number in first..first + self.rows as u64 {
            self.row(number, &mut batch);
        }
        Ok(batch)
    }
}

/// The same batch at every step.
pub struct Same<B = TokenBatch>(pub B);

impl<B: Clone> BatchSource<B> for Same<B> {
    fn batch(&self, _step: u64, _micro_step: u32) -> Result<B, TrainingError> {
        Ok(self.0.clone())
    }
}
