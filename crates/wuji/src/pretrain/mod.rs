//! From raw text to a reported model: the main job.
//!
//! [`pretrain`] makes or loads a tokenizer, shards the text, fits the n-gram baseline, trains,
//! evaluates the whole validation split, continues some prompts and writes the run directory:
//!
//! ```text
//! config.toml        what was asked for, resolved
//! environment.toml   what it ran on and with: versions, device, seed, fingerprints
//! tokenizer/         the tokenizer
//! data/              token shards
//! metrics.jsonl      every step, evaluation and checkpoint
//! checkpoints/       step-N, whole or absent
//! model/             the trained model, as a Hugging Face directory
//! samples.txt        continued prompts
//! translations/      targets of held-out sources, one a line, where pairs were learnt from
//! summary.json       the figures
//! report.html        all of it, for people
//! MODEL_CARD.md      what the model is, for those who get only the model
//! ```

mod baseline;
mod encoder;
mod environment;
mod learning;
mod material;
mod pairs;
mod progress;
mod reconstruction;
mod run_dir;
mod samples;
mod summary;
mod text;
mod translation;

use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::tensor::Device;
use serde_json::json;
use wuji_data::objectives::ObjectiveOptions;
use wuji_data::{BatchLoader, LoaderOptions, Sampling, TokenShards};
use wuji_device::DeviceSpec;
use wuji_model::AnyModel;
use wuji_model::weights::StoredDtype;
use wuji_tokenizer::Tokenizer;
use wuji_training::{
    BatchSource, CausalLmObjective, Evaluation, RunLock, StopReason, StopSignal, TrainSummary,
    evaluate, measure_matmul_peak, peak_rss_mib,
};

pub use baseline::NgramBaseline;
pub use environment::Environment;
pub use progress::{Progress, Silent};
pub use run_dir::RunDir;
pub use samples::Sample;
pub use summary::{DataSummary, PretrainSummary, Throughput};
pub use translation::{TranslatedExample, TranslationScores};

use crate::config::RunConfig;
use crate::inspect::training_flops_per_token;
use crate::{WujiError, report};
use learning::Trained;
use material::Material;

/// What a run needs besides its config.
#[derive(Debug, Clone)]
pub struct PretrainOptions {
    /// Where everything is written.
    pub run_dir: PathBuf,
    /// Where tensors live.
    pub device: DeviceSpec,
    /// Continue the run in `run_dir` instead of beginning one.
    pub resume: bool,
    /// Asks the run to stop.
    pub stop: StopSignal,
    /// Revision of the program, for the record.
    pub revision: String,
}

impl PretrainOptions {
    /// A new run in `run_dir` on the default device.
    pub fn new(run_dir: impl Into<PathBuf>) -> Self {
        Self {
            run_dir: run_dir.into(),
            device: DeviceSpec::default(),
            resume: false,
            stop: StopSignal::default(),
            revision: "unknown".to_string(),
        }
    }
}

/// Runs the main job without a word.
///
/// # Errors
/// Anything that is wrong with config, data, files or numbers; what was checkpointed stays.
pub fn pretrain(
    config: &RunConfig,
    options: &PretrainOptions,
) -> Result<PretrainSummary, WujiError> {
    pretrain_with(config, options, &mut Silent)
}

/// Runs the main job, telling `progress` how it goes.
///
/// # Errors
/// As [`pretrain`].
pub fn pretrain_with(
    config: &RunConfig,
    options: &PretrainOptions,
    progress: &mut dyn Progress,
) -> Result<PretrainSummary, WujiError> {
    let run_dir = if options.resume {
        RunDir::existing(&options.run_dir)?
    } else {
        RunDir::create(&options.run_dir)?
    };
    let _lock = RunLock::acquire(run_dir.path())?;
    if options.resume {
        run_dir.refuse_other_model(config)?;
    } else {
        run_dir.refuse_other_run()?;
    }
    let device = options.device.open()?;
    let text = text::prepare_text(config, options, &run_dir, progress)?;
    if !options.resume {
        // Only now is there a run: a directory whose text could not be read stays free.
        run_dir.write("config.toml", &config.to_toml())?;
    }
    let environment =
        Environment::observe(config, options, &text.tokenizer, text.material.fingerprints());
    environment.record(&run_dir, options.resume)?;
    let baseline = baseline::fit(config, &text, progress)?;
    let mut job = Job { config, options, run_dir: &run_dir, device, text, progress };
    let Trained { model, summary: trained } = job.train()?;
    job.finish_model(&model)?;
    let summary = job.summarise(&model, &trained, baseline)?;
    run_dir.write_json("summary.json", &summary)?;
    if trained.reason != StopReason::Interrupted {
        report::write(&run_dir, config, &environment, &summary)?;
    }
    Ok(summary)
}

/// The text of a run, tokenized.
struct TokenizedText {
    tokenizer: Tokenizer,
    material: Material,
}

struct Job<'a> {
    config: &'a RunConfig,
    options: &'a PretrainOptions,
    run_dir: &'a RunDir,
    device: Device,
    text: TokenizedText,
    progress: &'a mut dyn Progress,
}

impl Job<'_> {
    fn loader(
        &self,
        shards: &TokenShards,
        options: LoaderOptions,
    ) -> Result<BatchLoader, WujiError> {
        Ok(BatchLoader::new(shards.clone(), options)?)
    }

    /// The trained model, written to `model/` with its tokenizer.
    fn finish_model(&mut self, model: &AnyModel) -> Result<(), WujiError> {
        let dir = self.run_dir.path().join("model");
        model.save(&dir, StoredDtype::F32)?;
        self.text.tokenizer.save(&dir)?;
        let tokenizer = &self.text.tokenizer;
        let generation = json!({
            "bos_token_id": tokenizer.bos_token_id().or(tokenizer.eos_token_id()),
            "eos_token_id": tokenizer.eos_token_id(),
            "pad_token_id": tokenizer.pad_token_id(),
        });
        self.run_dir.write_json("model/generation_config.json", &generation)
    }

    fn summarise(
        &mut self,
        model: &AnyModel,
        trained: &TrainSummary,
        ngram: Option<NgramBaseline>,
    ) -> Result<PretrainSummary, WujiError> {
        let samples = if trained.reason == StopReason::Interrupted {
            Vec::new()
        } else {
            self.progress.stage("sampling");
            self.write_samples(model)?
        };
        let translations = self.write_translations(model, trained)?;
        let material = &self.text.material;
        let validation_loss = trained.validation.map(|evaluation| evaluation.loss);
        Ok(PretrainSummary {
            run_dir: self.run_dir.path().to_path_buf(),
            reason: trained.reason,
            steps: trained.steps,
            tokens: trained.tokens,
            parameters: model.num_params(),
            validation_loss,
            bits_per_byte: validation_loss
                .filter(|_| self.predicts_every_token())
                .map(|loss| material.bits_per_byte(loss)),
            objective: self.config.objective.kind().to_string(),
            validation_labels: trained.validation.map(|evaluation| evaluation.labels),
            sentences: trained.validation.and_then(|evaluation| evaluation.sentences),
            random_batches_estimate: self.random_batches_estimate(model, trained)?,
            best: trained.best,
            ngram,
            train_seconds: trained.train_seconds,
            data_seconds: trained.data_seconds,
            throughput: self.throughput(model, trained)?,
            tokens_per_second: trained.tokens as f64 / trained.train_seconds.max(1e-9),
            peak_rss_mib: peak_rss_mib(),
            data: material.summary(self.text.tokenizer.vocab_size()),
            samples,
            translations,
        })
    }

    /// nanoGPT's estimate of the validation loss: the mean over a few random batches.
    fn random_batches_estimate(
        &self,
        model: &AnyModel,
        trained: &TrainSummary,
    ) -> Result<Option<Evaluation>, WujiError> {
        let count = self.config.evaluation.random_batches;
        let AnyModel::CausalLm(model) = model else { return Ok(None) };
        let is_asked_for = count > 0 && self.predicts_every_token();
        if !is_asked_for || trained.reason == StopReason::Interrupted {
            return Ok(None);
        }
        let rows = self.config.training.micro_batch_size;
        let source = self.validation_batches(Sampling::RandomOffset, rows)?;
        let stream = source.stream(0..count, 1)?;
        let plain = CausalLmObjective::default();
        Ok(Some(evaluate(model, &plain, stream, &self.device)?))
    }

    /// Whether the loss is over all of the text, so that it can be had per byte.
    fn predicts_every_token(&self) -> bool {
        matches!(
            self.config.objective,
            ObjectiveOptions::CausalLm(_) | ObjectiveOptions::SequenceToSequence(_)
        )
    }

    fn throughput(
        &self,
        model: &AnyModel,
        trained: &TrainSummary,
    ) -> Result<Throughput, WujiError> {
        let context = self.config.data.context_length;
        let per_token = training_flops_per_token(&model.config(), context)?;
        let start = Instant::now();
        let peak = measure_matmul_peak(self.plain_device());
        tracing::debug!(peak, seconds = start.elapsed().as_secs_f64(), "measured the matmul peak");
        let flops = per_token * trained.tokens as f64 / trained.train_seconds.max(1e-9);
        Ok(Throughput { gflops: flops / 1e9, peak_gflops: peak / 1e9, peak_fraction: flops / peak })
    }
}

/// Where a path in a run directory would be, for callers that only have the directory.
pub fn model_dir(run_dir: &Path) -> PathBuf {
    run_dir.join("model")
}
