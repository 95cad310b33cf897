//! The `[training]` section.

use serde::{Deserialize, Serialize};

use crate::{Precision, Schedule, TrainingError};

/// How a model is trained. Every key has a default; unknown keys are errors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainingConfig {
    /// Optimiser steps in all.
    pub max_steps: u64,
    /// Rows of a micro-batch.
    pub micro_batch_size: usize,
    /// Micro-batches per optimiser step; their gradients are summed, weighted by labels, so that
    /// the step equals one of the full batch.
    pub gradient_accumulation_steps: u32,
    /// Which optimiser.
    pub optimizer: OptimizerKind,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Learning rate at the end of the schedule.
    pub min_learning_rate: f64,
    /// Shape of the decay after warm-up.
    pub schedule: Schedule,
    /// Steps of linear warm-up.
    pub warmup_steps: u64,
    /// Where warm-up begins.
    pub warmup_rule: WarmupRule,
    /// Steps of the final decay of `schedule = "wsd"`.
    pub decay_steps: u64,
    /// Decoupled weight decay (AdamW, Muon), applied to matrices.
    pub weight_decay: f64,
    /// Whether vectors (norms, biases) decay too.
    pub decay_vectors: bool,
    /// First moment's decay (Adam, AdamW).
    pub beta1: f64,
    /// Second moment's decay (Adam, AdamW).
    pub beta2: f64,
    /// Term that keeps Adam's denominator from zero.
    pub epsilon: f64,
    /// Momentum (`momentum` and `muon`).
    pub momentum: f64,
    /// Peak learning rate of Muon's matrices; the other parameters use `learning_rate` with AdamW.
    pub muon_learning_rate: f64,
    /// Gradients whose global L2 norm exceeds this are scaled down to it; 0 turns clipping off.
    pub max_grad_norm: f64,
    /// Mass of the target moved to the uniform distribution while training.
    pub label_smoothing: f64,
    /// Factor of the squared logarithm of the softmax's denominator, added to the loss of a decoder
    /// while training, which keeps logits from drifting; PaLM has 1e-4.
    pub z_loss: f64,
    /// `f32`, or `bf16`: matrix products take operands rounded to bfloat16, while weights, sums and
    /// everything else stay `f32`. Held-out losses are always computed in `f32`.
    pub precision: Precision,
    /// Decay of an exponential moving average of the weights, which is then what is evaluated and
    /// saved; 0 turns it off.
    pub ema_decay: f64,
    /// Recompute each block in the backward pass instead of keeping its activations.
    pub activation_checkpointing: bool,
    /// Steps between evaluations; 0 evaluates only at the end.
    pub eval_interval_steps: u64,
    /// Batches of an evaluation during training; 0 takes the whole validation split.
    pub eval_batches: u64,
    /// Evaluations without improvement after which training stops; 0 never stops early.
    pub early_stopping_patience: u32,
    /// Steps between checkpoints; 0 writes one only at the end (and on Ctrl-C). Otherwise one is
    /// also written after each evaluation that is the best so far.
    pub checkpoint_interval_steps: u64,
    /// Newest checkpoints to keep; the best is kept besides.
    pub keep_checkpoints: usize,
    /// What to do when a loss or gradient is not finite.
    pub on_non_finite: NonFinitePolicy,
    /// Seed of weights, data order and dropout.
    pub seed: u64,
}

/// The optimisers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptimizerKind {
    /// Plain gradient descent.
    Sgd,
    /// Gradient descent with heavy-ball momentum.
    Momentum,
    /// AdaGrad (Duchi et al. 2011).
    Adagrad,
    /// Adam (Kingma & Ba 2015), without weight decay.
    Adam,
    /// Adam with decoupled weight decay (Loshchilov & Hutter 2019).
    Adamw,
    /// Muon for the blocks' matrices (Jordan 2024; update scale of Liu et al. 2025), AdamW for
    /// embeddings, head and vectors.
    Muon,
}

impl std::fmt::Display for OptimizerKind {
    /// The word that the config uses.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Sgd => "sgd",
            Self::Momentum => "momentum",
            Self::Adagrad => "adagrad",
            Self::Adam => "adam",
            Self::Adamw => "adamw",
            Self::Muon => "muon",
        })
    }
}

/// Where linear warm-up begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WarmupRule {
    /// Step `t` uses `lr · t / warmup`, so the first step changes nothing (transformers).
    FromZero,
    /// Step `t` uses `lr · (t + 1) / (warmup + 1)` (nanoGPT).
    FromFirstStep,
}

/// What to do with a step whose loss or gradient is not finite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NonFinitePolicy {
    /// Stop with an error; the weights stay as they were before the step.
    Stop,
    /// Leave the step out, up to ten in a row.
    Skip,
}

impl Default for TrainingConfig {
    fn default() -> Self {
        Self {
            max_steps: 1000,
            micro_batch_size: 16,
            gradient_accumulation_steps: 1,
            optimizer: OptimizerKind::Adamw,
            learning_rate: 1e-3,
            min_learning_rate: 1e-4,
            schedule: Schedule::Cosine,
            warmup_steps: 100,
            warmup_rule: WarmupRule::FromFirstStep,
            decay_steps: 0,
            weight_decay: 0.1,
            decay_vectors: false,
            beta1: 0.9,
            beta2: 0.95,
            epsilon: 1e-8,
            momentum: 0.95,
            muon_learning_rate: 0.01,
            max_grad_norm: 1.0,
            label_smoothing: 0.0,
            z_loss: 0.0,
            precision: Precision::F32,
            ema_decay: 0.0,
            activation_checkpointing: false,
            eval_interval_steps: 250,
            eval_batches: 20,
            early_stopping_patience: 0,
            checkpoint_interval_steps: 500,
            keep_checkpoints: 2,
            on_non_finite: NonFinitePolicy::Stop,
            seed: 1337,
        }
    }
}

impl TrainingConfig {
    /// Checks every value.
    ///
    /// # Errors
    /// [`TrainingError::InvalidConfig`] for the first that makes no sense.
    pub fn validate(&self) -> Result<(), TrainingError> {
        let numbers = [
            ("learning_rate", self.learning_rate, "a positive number", self.learning_rate > 0.0),
            (
                "min_learning_rate",
                self.min_learning_rate,
                "a number between 0 and learning_rate",
                (0.0..=self.learning_rate).contains(&self.min_learning_rate),
            ),
            (
                "muon_learning_rate",
                self.muon_learning_rate,
                "a positive number",
                self.muon_learning_rate > 0.0,
            ),
            ("weight_decay", self.weight_decay, "a number of at least 0", self.weight_decay >= 0.0),
            ("beta1", self.beta1, "a number in [0, 1)", (0.0..1.0).contains(&self.beta1)),
            ("beta2", self.beta2, "a number in [0, 1)", (0.0..1.0).contains(&self.beta2)),
            ("epsilon", self.epsilon, "a positive number", self.epsilon > 0.0),
            ("momentum", self.momentum, "a number in [0, 1)", (0.0..1.0).contains(&self.momentum)),
            (
                "max_grad_norm",
                self.max_grad_norm,
                "a number of at least 0",
                self.max_grad_norm >= 0.0,
            ),
            (
                "label_smoothing",
                self.label_smoothing,
                "a number in [0, 1)",
                (0.0..1.0).contains(&self.label_smoothing),
            ),
            ("z_loss", self.z_loss, "a number of at least 0", self.z_loss >= 0.0),
            (
                "ema_decay",
                self.ema_decay,
                "a number in [0, 1)",
                (0.0..1.0).contains(&self.ema_decay),
            ),
        ];
        for (key, value, expected, fits) in numbers {
            if !value.is_finite() || !fits {
                return Err(invalid(key, value, expected));
            }
        }
        let counts = [
            ("max_steps", self.max_steps),
            ("micro_batch_size", self.micro_batch_size as u64),
            ("gradient_accumulation_steps", u64::from(self.gradient_accumulation_steps)),
            ("keep_checkpoints", self.keep_checkpoints as u64),
        ];
        for (key, value) in counts {
            if value == 0 {
                return Err(invalid(key, value, "at least 1"));
            }
        }
        if self.schedule == Schedule::Wsd && self.warmup_steps + self.decay_steps > self.max_steps {
            return Err(invalid(
                "decay_steps",
                self.decay_steps,
                &format!("warmup_steps + decay_steps at most max_steps = {}", self.max_steps),
            ));
        }
        Ok(())
    }
}

fn invalid(key: &'static str, found: impl ToString, expected: &str) -> TrainingError {
    TrainingError::InvalidConfig { key, found: found.to_string(), expected: expected.to_string() }
}
