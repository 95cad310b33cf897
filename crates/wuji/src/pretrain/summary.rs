//! The figures of a run: what `train --json` prints and `summary.json` holds.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use wuji_data::PreparedCorpus;
use wuji_training::{Evaluation, SentenceScore, StopReason};

use super::{NgramBaseline, Sample, TranslationScores};

/// Everything worth quoting about a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PretrainSummary {
    /// Where it is.
    pub run_dir: PathBuf,
    /// Why it ended.
    pub reason: StopReason,
    /// Optimiser steps.
    pub steps: u64,
    /// Tokens read in training.
    pub tokens: u64,
    /// Parameters of the model.
    pub parameters: usize,
    /// What of the text was to be predicted.
    #[serde(default = "causal_lm")]
    pub objective: String,
    /// Nats per predicted token over the whole validation split; absent after an interruption.
    pub validation_loss: Option<f64>,
    /// The same in bits per byte of the original text, where every token was predicted.
    pub bits_per_byte: Option<f64>,
    /// Tokens that the validation loss is a mean over.
    pub validation_labels: Option<u64>,
    /// How questions about sentence pairs of the validation split were answered, where they were asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sentences: Option<SentenceScore>,
    /// nanoGPT's estimate on random batches, where asked for.
    pub random_batches_estimate: Option<Evaluation>,
    /// Lowest validation loss during training, with that of sentence pairs where there are any, and its step.
    pub best: Option<(f64, u64)>,
    /// The n-gram baseline on the same tokens.
    pub ngram: Option<NgramBaseline>,
    /// Seconds in training steps.
    pub train_seconds: f64,
    /// Seconds of these spent waiting for batches, which are read ahead.
    #[serde(default)]
    pub data_seconds: f64,
    /// Tokens per second of training.
    pub tokens_per_second: f64,
    /// Arithmetic rate and what the machine could do.
    pub throughput: Throughput,
    /// Most memory used, MiB, where the system says.
    pub peak_rss_mib: Option<u64>,
    /// What it was trained on.
    pub data: DataSummary,
    /// Continued prompts.
    pub samples: Vec<Sample>,
    /// Scores of translations, where pairs were learnt from.
    #[serde(default)]
    pub translations: Vec<TranslationScores>,
}

/// What runs learnt before there were other objectives.
fn causal_lm() -> String {
    "causal-lm".to_string()
}

/// Floating-point rates.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Throughput {
    /// Useful floating-point operations per second of training, in units of 10⁹.
    pub gflops: f64,
    /// The same machine's f32 matrix-product rate, measured after the run.
    pub peak_gflops: f64,
    /// Their ratio.
    pub peak_fraction: f64,
}

/// Sizes of the two sides of the text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataSummary {
    /// Names of the sources.
    pub sources: Vec<String>,
    /// Vocabulary of the tokenizer.
    pub vocab_size: usize,
    /// Training tokens.
    pub train_tokens: u64,
    /// Training documents.
    pub train_documents: u64,
    /// Bytes of training text.
    pub train_bytes: u64,
    /// Validation tokens.
    pub validation_tokens: u64,
    /// Validation documents.
    pub validation_documents: u64,
    /// Bytes of validation text.
    pub validation_bytes: u64,
}

impl DataSummary {
    /// Reads the sizes off prepared shards.
    pub fn of(prepared: &PreparedCorpus) -> Self {
        let names = prepared.manifest.sources.iter().map(|source| source.card.name.clone());
        Self {
            sources: names.collect(),
            vocab_size: prepared.train.vocab_size(),
            train_tokens: prepared.train.token_count(),
            train_documents: prepared.train.document_count(),
            train_bytes: prepared.train.source_bytes(),
            validation_tokens: prepared.validation.token_count(),
            validation_documents: prepared.validation.document_count(),
            validation_bytes: prepared.validation.source_bytes(),
        }
    }
}
