//! The numbers of the experiment: sizes, steps and samples.

use serde::{Deserialize, Serialize};
use wuji_training::{OptimizerKind, TrainingConfig};

/// Everything that decides what is computed, beside the data and the seeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObjectivesSetup {
    /// Tokens of the shared vocabulary.
    pub vocab_size: usize,
    /// Width of all networks.
    pub hidden_size: usize,
    /// Blocks of each network; an encoder–decoder has half of them in each stack.
    pub layers: usize,
    /// Heads of each attention.
    pub heads: usize,
    /// Tokens of a window of text.
    pub context_length: usize,
    /// Windows in a step of pre-training.
    pub windows_per_step: usize,
    /// Steps of pre-training on the same tokens.
    pub pretraining_steps: u64,
    /// Peak learning rate of the blocks' matrices in pre-training, by Muon.
    pub matrix_learning_rate: f64,
    /// Peak learning rate of everything else in pre-training, by AdamW.
    pub learning_rate: f64,
    /// Tokens of a labelled text that are read.
    pub text_length: usize,
    /// Texts in a step of fine-tuning.
    pub texts_per_step: usize,
    /// Steps of fine-tuning.
    pub fine_tuning_steps: u64,
    /// Peak learning rate of fine-tuning, by AdamW.
    pub fine_tuning_learning_rate: f64,
    /// Windows of held-out text in which tokens are hidden.
    pub probed_windows: usize,
    /// Tokens hidden in each of them, one at a time.
    pub hidden_tokens_per_window: usize,
    /// Labelled texts that are classified, at most; a sample where a set has more.
    pub evaluated_texts: usize,
}

impl Default for ObjectivesSetup {
    fn default() -> Self {
        Self {
            vocab_size: 4096,
            hidden_size: 96,
            layers: 4,
            heads: 3,
            context_length: 128,
            windows_per_step: 8,
            pretraining_steps: 400,
            matrix_learning_rate: 1e-2,
            learning_rate: 2e-3,
            text_length: 64,
            texts_per_step: 16,
            fine_tuning_steps: 150,
            fine_tuning_learning_rate: 1e-3,
            probed_windows: 256,
            hidden_tokens_per_window: 4,
            evaluated_texts: 2000,
        }
    }
}

impl ObjectivesSetup {
    /// The same with `scale` times the steps and samples, and at least a few of each; sizes stay.
    #[must_use]
    pub fn scaled(self, scale: f64) -> Self {
        let steps = |count: u64| ((count as f64 * scale).round() as u64).max(3);
        let samples = |count: usize| ((count as f64 * scale).round() as usize).max(8);
        Self {
            pretraining_steps: steps(self.pretraining_steps),
            fine_tuning_steps: steps(self.fine_tuning_steps),
            probed_windows: samples(self.probed_windows),
            evaluated_texts: samples(self.evaluated_texts),
            ..self
        }
    }

    /// How a network is pre-trained in `steps`.
    pub(super) fn pretraining(&self, steps: u64, seed: u64) -> TrainingConfig {
        TrainingConfig {
            optimizer: OptimizerKind::Muon,
            micro_batch_size: self.windows_per_step,
            learning_rate: self.learning_rate,
            min_learning_rate: self.learning_rate / 20.0,
            muon_learning_rate: self.matrix_learning_rate,
            ..once(steps, seed)
        }
    }

    /// How a classifier is fine-tuned.
    pub(super) fn fine_tuning(&self, seed: u64) -> TrainingConfig {
        TrainingConfig {
            optimizer: OptimizerKind::Adamw,
            micro_batch_size: self.texts_per_step,
            learning_rate: self.fine_tuning_learning_rate,
            min_learning_rate: 0.0,
            weight_decay: 0.01,
            ..once(self.fine_tuning_steps, seed)
        }
    }
}

/// A run that is neither evaluated nor kept on the way.
fn once(max_steps: u64, seed: u64) -> TrainingConfig {
    TrainingConfig {
        max_steps,
        warmup_steps: max_steps / 10,
        eval_interval_steps: 0,
        checkpoint_interval_steps: 0,
        seed,
        ..TrainingConfig::default()
    }
}
