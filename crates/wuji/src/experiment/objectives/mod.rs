//! Four ways of learning from plain text, compared: next tokens (GPT-2), masked tokens (BERT), spans
//! (T5) and blanks (GLM), with networks of the same number of parameters in matrix products, one
//! vocabulary, and the same windows of text in the same order.
//!
//! The same tokens and the same compute cannot be had at once: a masked language model scores a
//! seventh of its tokens, and a token passes only one of T5's two stacks. So there are rows for
//! each: [`Pretraining::SameTokens`], and [`Pretraining::SameCompute`], in which every objective has
//! the operations that next-token prediction took. [`Pretraining::None`] is each network fine-tuned
//! from random weights.
//!
//! Afterwards all are asked the same: tokens of held-out text, hidden one at a time, and
//! the classes of texts, after fine-tuning with the same head (the mean of the last hidden states and
//! a linear layer; of T5 the encoder's states), the same steps and the same learning rate.
//!
//! ```text
//! settings.json   the numbers of the experiment, and fingerprints of what it reads
//! rows/           one file per row and seed, written when its run is over
//! summary.json    the figures
//! table.md        the same for people
//! ```

mod arithmetic;
mod hidden_tokens;
mod learning;
mod networks;
mod plan;
mod result;
mod setup;
mod summary;
mod table;
mod texts;
mod tokens;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use wuji_device::DeviceSpec;
use wuji_training::{RunLock, StopSignal};

pub use plan::{Condition, Objective, Pretraining};
pub use setup::ObjectivesSetup;
pub use summary::{
    Baselines, Figure, HiddenBaseline, MajorityBaseline, ObjectivesRow, ObjectivesSummary,
    PretrainingFigures, TaskFigures,
};
pub use texts::{LabelledTask, ObjectivesTexts};

use crate::WujiError;
use crate::pretrain::{Progress, RunDir};
use hidden_tokens::HiddenTokens;
use learning::Laboratory;
use summary::Runs;
use tokens::{TokenFingerprints, Tokens};

/// What the comparison needs besides its texts.
#[derive(Debug, Clone)]
pub struct ObjectivesOptions {
    /// Where everything is written.
    pub out: PathBuf,
    /// Where tensors live.
    pub device: DeviceSpec,
    /// Seeds of each row: 0, 1, …
    pub seeds: u64,
    /// The numbers of the experiment.
    pub setup: ObjectivesSetup,
    /// Keep the runs that are in `out`, and carry out the others.
    pub resume: bool,
    /// Asks the experiment to stop.
    pub stop: StopSignal,
}

impl ObjectivesOptions {
    /// The whole experiment in `out`, on the default device.
    pub fn new(out: impl Into<PathBuf>) -> Self {
        Self {
            out: out.into(),
            device: DeviceSpec::default(),
            seeds: 3,
            setup: ObjectivesSetup::default(),
            resume: false,
            stop: StopSignal::default(),
        }
    }
}

/// `settings.json`: two runs belong to one table if they agree in it.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Settings {
    setup: ObjectivesSetup,
    fingerprints: TokenFingerprints,
}

const SETTINGS: &str = "settings.json";

/// Carries out the comparison on `texts`, or what is left of it. After a stop request the summary
/// has the rows that are whole, and says that it is not complete.
///
/// # Errors
/// A directory that holds another experiment, and anything that is wrong with texts, files or
/// numbers; the runs that are over stay.
pub fn compare_objectives(
    texts: &ObjectivesTexts,
    options: &ObjectivesOptions,
    progress: &mut dyn Progress,
) -> Result<ObjectivesSummary, WujiError> {
    let setup = &options.setup;
    let device = options.device.open()?;
    let out = RunDir::create(&options.out)?;
    let _lock = RunLock::acquire(out.path())?;
    refuse_other_experiment(out.path(), options.resume)?;
    let tokens = Tokens::prepare(texts, setup, &out, progress)?;
    begin(&out, &Settings { setup: setup.clone(), fingerprints: tokens.fingerprints() })?;
    let windows = tokens.held_out_windows(setup, 1)?;
    let per_window = setup.hidden_tokens_per_window;
    let hidden = HiddenTokens::choose(&windows, &tokens.special, setup.probed_windows, per_window)?;
    progress.stage("counting n-grams and classes");
    let baselines = Baselines::measure(&tokens, &hidden)?;
    let stop = options.stop.clone();
    let laboratory = Laboratory { setup, tokens, hidden, device, stop };
    carry_out(&laboratory, &out, options.seeds, progress)?;
    let runs = Runs::load(out.path(), &laboratory.hidden, options.seeds)?;
    let planned_runs = Condition::all().len() * options.seeds as usize;
    let summary = ObjectivesSummary {
        out: options.out.clone(),
        complete: runs.count() == planned_runs,
        runs: runs.count(),
        planned_runs,
        seeds: options.seeds,
        setup: setup.clone(),
        vocab_size: laboratory.tokens.tokenizer.vocab_size(),
        train_tokens: laboratory.tokens.prepared.train.token_count(),
        rows: runs.rows()?,
        baselines,
    };
    out.write_json("summary.json", &summary)?;
    out.write("table.md", &format!("{}\n", summary.to_markdown()))?;
    Ok(summary)
}

/// All runs that are not there yet, seed by seed, so that an interrupted experiment has whole tables
/// of fewer seeds.
fn carry_out(
    laboratory: &Laboratory,
    out: &RunDir,
    seeds: u64,
    progress: &mut dyn Progress,
) -> Result<(), WujiError> {
    for seed in 0..seeds {
        for condition in Condition::all() {
            let file = condition.file(seed);
            if out.path().join(&file).is_file() {
                continue;
            }
            let (objective, pretraining) =
                (condition.objective.name(), condition.pretraining.name());
            progress.stage(&format!("{objective}, pre-training {pretraining}, seed {seed}"));
            let Some(result) = laboratory.run(condition, seed, progress)? else { return Ok(()) };
            for task in &result.tasks {
                let right = task.right.iter().filter(|right| **right).count();
                progress.note(&format!("{}: {right} of {} right", task.task, task.right.len()));
            }
            out.write_json(&file, &result)?;
        }
    }
    Ok(())
}

/// A directory with results is only gone on with when that is asked for.
fn refuse_other_experiment(out: &Path, resume: bool) -> Result<(), WujiError> {
    let exists = out.join(SETTINGS).is_file();
    let problem = match (exists, resume) {
        (true, false) => {
            "already holds an experiment; go on with it by --resume, or choose another --out"
        }
        (false, true) => "holds no experiment to resume: no settings.json",
        _ => return Ok(()),
    };
    Err(WujiError::input(out, problem))
}

/// Writes the settings, or checks that the runs that are there were made with the same.
fn begin(out: &RunDir, settings: &Settings) -> Result<(), WujiError> {
    let path = out.path().join(SETTINGS);
    if path.is_file() {
        let text = std::fs::read_to_string(&path)
            .map_err(|source| WujiError::io("reading", &path, source))?;
        let before: Settings = serde_json::from_str(&text)
            .map_err(|error| WujiError::input(&path, error.to_string()))?;
        if before != *settings {
            let problem =
                "the experiment was begun with other numbers or texts; choose another --out";
            return Err(WujiError::input(&path, problem));
        }
        return Ok(());
    }
    let rows = out.path().join("rows");
    std::fs::create_dir_all(&rows).map_err(|source| WujiError::io("creating", &rows, source))?;
    out.write_json(SETTINGS, settings)
}
