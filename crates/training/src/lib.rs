//! One training loop for every objective: optimisers, schedules, checkpoints and observers.
//!
//! A [`Trainer`] owns a model, an [`Optimizer`] and a [`TrainingConfig`]; an [`Objective`] turns a
//! model and a batch into a loss; a [`BatchSource`] is a pure function from (step, micro-step) to a
//! batch. Because batches and dropout masks depend on nothing but seed, step and micro-step, a run
//! that is interrupted — by Ctrl-C, or by `kill -9` in the middle of a checkpoint — and resumed
//! computes exactly what it would have computed undisturbed.
//!
//! [`search`] is the other loop, over whole runs: it proposes hyper-parameters, stops runs that are not worth
//! their time, and knows of a run only the values that it reports.
//!
//! This crate knows nothing about text or about how a run is described in a file, and prints
//! nothing: progress goes to [`TrainObserver`]s.

pub mod search;

mod batch;
mod causal_lm;
mod checkpoint;
mod classification;
mod config;
mod ema;
mod error;
mod evaluate;
mod example_order;
mod gradients;
mod interrupt;
mod label_scores;
mod masked_lm;
mod matmul_peak;
mod memory;
mod objective;
mod observer;
mod optimizer;
mod parameters;
mod prefix_lm;
mod run_lock;
mod schedule;
mod sentence_pair_batches;
mod seq2seq;
mod tensors;
mod trainer;

pub use batch::{BatchSource, BatchStream, LoaderBatches, ObjectiveBatches, PairBatches};
pub use causal_lm::CausalLmObjective;
pub use checkpoint::{CheckpointInfo, Checkpoints, TrainState, TrainableModel};
pub use classification::{ClassificationBatches, ClassificationObjective, class_logits};
pub use config::{NonFinitePolicy, OptimizerKind, TrainingConfig, WarmupRule};
pub use ema::WeightAverage;
pub use error::TrainingError;
pub use evaluate::{Evaluation, SentenceScore, evaluate};
pub use gradients::GradientStore;
pub use interrupt::StopSignal;
pub use label_scores::{LabelScore, TokenObjective, score_labels};
pub use masked_lm::MaskedLmObjective;
pub use matmul_peak::measure_matmul_peak;
pub use memory::peak_rss_mib;
pub use objective::{LossScale, Objective, SentenceOutput, StepOutput, TrainingBatch};
pub use observer::{
    CheckpointEvent, EvalEvent, JsonlObserver, RunEnd, StepEvent, StopReason, TrainObserver,
};
pub use optimizer::Optimizer;
pub use prefix_lm::PrefixLmObjective;
pub use run_lock::RunLock;
pub use schedule::Schedule;
pub use sentence_pair_batches::SentencePairBatches;
pub use seq2seq::Seq2SeqObjective;
pub use trainer::{TrainSummary, Trainer, Validation};
pub use wuji_kernels::Precision;
