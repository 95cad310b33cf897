//! One run: a network is pre-trained, asked for hidden tokens, and fine-tuned on each set.

use burn::module::Module;
use burn::tensor::Device;
use wuji_data::objectives::{ObjectiveBatch, SpecialIds};
use wuji_model::{
    CausalLm, EncoderModel, ModelConfig, Pooling, Seq2SeqLm, SequenceClassifier, TextStates,
};
use wuji_training::{
    BatchSource, CausalLmObjective, ClassificationBatches, ClassificationObjective, Evaluation,
    LoaderBatches, MaskedLmObjective, ObjectiveBatches, PrefixLmObjective, Seq2SeqObjective,
    StopReason, StopSignal, TokenObjective, TrainableModel, Trainer, class_logits, evaluate,
    score_labels,
};

use super::arithmetic::operations_per_window;
use super::hidden_tokens::HiddenTokens;
use super::networks::{matrix_parameters, network};
use super::result::{PretrainingResult, RunResult, TaskResult};
use super::tokens::{Task, Tokens};
use super::{Condition, Objective, ObjectivesSetup, Pretraining};
use crate::WujiError;
use crate::pretrain::Progress;

/// Examples of held-out text are the same for all runs.
const HELD_OUT_SEED: u64 = 0x5eed;

/// Texts that are classified at once.
const CLASSIFIED_ROWS: usize = 64;

/// What all runs share.
pub(super) struct Laboratory<'a> {
    pub setup: &'a ObjectivesSetup,
    pub tokens: Tokens,
    pub hidden: HiddenTokens,
    pub device: Device,
    pub stop: StopSignal,
}

/// One run.
#[derive(Clone, Copy)]
struct Run<'a> {
    condition: Condition,
    seed: u64,
    config: &'a ModelConfig,
    /// Steps of pre-training, and operations of each.
    steps: u64,
    operations_per_step: f64,
}

/// The batches in which an objective is asked for the hidden tokens.
type Ask<B> = fn(&HiddenTokens, &SpecialIds) -> Result<Vec<B>, WujiError>;

impl Laboratory<'_> {
    /// Carries out one run; nothing if it was interrupted.
    pub(super) fn run(
        &self,
        condition: Condition,
        seed: u64,
        progress: &mut dyn Progress,
    ) -> Result<Option<RunResult>, WujiError> {
        let config = self.network(condition.objective)?;
        let (steps, operations_per_step) = self.steps(condition)?;
        let run = Run { condition, seed, config: &config, steps, operations_per_step };
        let device = self.device.clone().autodiff();
        match condition.objective {
            Objective::CausalLm => {
                let model = CausalLm::init(&config, seed, &device)?;
                let objective = CausalLmObjective::default();
                self.learn(run, model, &objective, HiddenTokens::next_tokens, progress)
            }
            Objective::MaskedLm => {
                let model = EncoderModel::init(&config, seed, &device)?;
                self.learn(run, model, &MaskedLmObjective, HiddenTokens::masks, progress)
            }
            Objective::SpanCorruption => {
                let model = Seq2SeqLm::init(&config, seed, &device)?;
                let objective = Seq2SeqObjective::default();
                self.learn(run, model, &objective, HiddenTokens::spans, progress)
            }
            Objective::BlankInfilling => {
                let model = CausalLm::init(&config, seed, &device)?;
                self.learn(run, model, &PrefixLmObjective, HiddenTokens::blanks, progress)
            }
        }
    }

    fn network(&self, objective: Objective) -> Result<ModelConfig, WujiError> {
        network(objective, self.setup, self.tokens.tokenizer.vocab_size())
    }

    /// Steps of a row's pre-training, and floating-point operations of one.
    fn steps(&self, condition: Condition) -> Result<(u64, f64), WujiError> {
        let windows = self.tokens.training_windows(self.setup, 0)?;
        let per_step = |objective| -> Result<f64, WujiError> {
            let config = self.network(objective)?;
            let window = operations_per_window(objective, &config, &windows, &self.tokens.special)?;
            Ok(window * self.setup.windows_per_step as f64)
        };
        let own = per_step(condition.objective)?;
        let same_tokens = self.setup.pretraining_steps;
        let steps = match condition.pretraining {
            Pretraining::None => 0,
            Pretraining::SameTokens => same_tokens,
            Pretraining::SameCompute => {
                let budget = same_tokens as f64 * per_step(Objective::CausalLm)?;
                (budget / own).round().max(1.0) as u64
            }
        };
        Ok((steps, own))
    }

    fn learn<M, O>(
        &self,
        run: Run,
        model: M,
        objective: &O,
        ask: Ask<O::Batch>,
        progress: &mut dyn Progress,
    ) -> Result<Option<RunResult>, WujiError>
    where
        M: TrainableModel + TextStates,
        O: TokenObjective<M>,
        O::Batch: TryFrom<ObjectiveBatch>,
    {
        let parameters = Module::num_params(&model);
        let (model, pretraining) = if run.steps == 0 {
            (model.valid(), None)
        } else {
            let Some((model, result)) = self.pretrain(run, model, objective, progress)? else {
                return Ok(None);
            };
            let batches = ask(&self.hidden, &self.tokens.special)?.into_iter().map(Ok);
            let scores = score_labels(&model, objective, batches, &self.device)?;
            (model, Some(result.with_hidden(&scores)))
        };
        let mut tasks = Vec::new();
        for task in &self.tokens.tasks {
            match self.fine_tune(&model, task, run.seed)? {
                Some(result) => tasks.push(result),
                None => return Ok(None),
            }
        }
        Ok(Some(RunResult {
            condition: run.condition,
            seed: run.seed,
            model_type: run.config.model_type().to_string(),
            parameters,
            matrix_parameters: matrix_parameters(run.config)?,
            pretraining,
            tasks,
        }))
    }

    fn pretrain<M, O>(
        &self,
        run: Run,
        model: M,
        objective: &O,
        progress: &mut dyn Progress,
    ) -> Result<Option<(M, PretrainingResult)>, WujiError>
    where
        M: TrainableModel,
        O: TokenObjective<M>,
        O::Batch: TryFrom<ObjectiveBatch>,
    {
        let bar = progress.training(model.num_params(), 0, run.steps);
        let config = self.setup.pretraining(run.steps, run.seed);
        let windows = LoaderBatches::new(self.tokens.training_windows(self.setup, run.seed)?);
        let options = run.condition.objective.options();
        let special = self.tokens.special.clone();
        let train = ObjectiveBatches::new(windows, options, special, run.seed)?;
        let mut trainer = Trainer::new(config, model, &self.device)?
            .with_stop_signal(self.stop.clone())
            .with_boxed_observer(bar);
        let summary = trainer.run(objective, &train, None)?;
        if summary.reason == StopReason::Interrupted {
            return Ok(None);
        }
        let model = trainer.trained_model();
        let own_loss = self.own_loss(run.condition.objective, &model, objective)?;
        let window_tokens = self.setup.windows_per_step * self.setup.context_length;
        let result = PretrainingResult {
            steps: run.steps,
            text_tokens: run.steps * window_tokens as u64,
            operations: run.steps as f64 * run.operations_per_step,
            train_seconds: summary.train_seconds,
            own_loss,
            hidden_log_probs: Vec::new(),
            hidden_right: Vec::new(),
        };
        Ok(Some((model, result)))
    }

    /// The objective's own loss on as much held-out text as tokens are hidden in.
    fn own_loss<M, O>(
        &self,
        objective: Objective,
        model: &M,
        loss: &O,
    ) -> Result<Evaluation, WujiError>
    where
        M: Module,
        O: TokenObjective<M>,
        O::Batch: TryFrom<ObjectiveBatch>,
    {
        let rows = self.setup.windows_per_step;
        let windows = LoaderBatches::new(self.tokens.held_out_windows(self.setup, rows)?);
        let all = windows.batches_per_epoch();
        let wanted = (self.setup.probed_windows.div_ceil(rows) as u64).min(all);
        let special = self.tokens.special.clone();
        let batches: ObjectiveBatches<O::Batch> =
            ObjectiveBatches::new(windows, objective.options(), special, HELD_OUT_SEED)?;
        let chosen = (0..wanted).map(|index| batches.batch(index * all / wanted, 0));
        Ok(evaluate(model, loss, chosen, &self.device)?)
    }

    /// Fine-tunes all weights with a new head, and classifies the texts that were kept apart.
    fn fine_tune<M: TrainableModel + TextStates>(
        &self,
        backbone: &M,
        task: &Task,
        seed: u64,
    ) -> Result<Option<TaskResult>, WujiError> {
        let (classes, padding) = (task.classes, self.tokens.special.padding());
        let model =
            SequenceClassifier::new(backbone.clone(), classes, Pooling::Mean, seed, &self.device);
        let rows = self.setup.texts_per_step;
        let train = ClassificationBatches::shuffled(task.train.clone(), padding, (rows, 1), seed);
        let mut trainer = Trainer::new(self.setup.fine_tuning(seed), model, &self.device)?
            .with_stop_signal(self.stop.clone());
        let summary = trainer.run(&ClassificationObjective::default(), &train, None)?;
        if summary.reason == StopReason::Interrupted {
            return Ok(None);
        }
        let right = self.classify(&trainer.trained_model(), task)?;
        let train_seconds = summary.train_seconds;
        Ok(Some(TaskResult { task: task.name.clone(), train_seconds, right }))
    }

    /// Whether each text is given its class.
    fn classify<M: TextStates>(
        &self,
        model: &SequenceClassifier<M>,
        task: &Task,
    ) -> Result<Vec<bool>, WujiError> {
        let padding = self.tokens.special.padding();
        let batches = ClassificationBatches::in_order(task.test.clone(), padding, CLASSIFIED_ROWS);
        let mut right = Vec::new();
        for batch in batches.stream(0..batches.batches_per_epoch(), 1)? {
            let batch = batch?;
            let said = class_logits(model, &batch, &self.device).argmax(1).into_data();
            right.extend(said.iter::<i64>().zip(&batch.labels).map(|(said, class)| said == *class));
        }
        Ok(right)
    }
}
