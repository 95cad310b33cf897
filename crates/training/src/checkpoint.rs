//! Checkpoints that survive `kill -9`.
//!
//! A checkpoint is a directory `step-N` with the model (as a model directory), `optimizer.safetensors`,
//! optionally `ema/`, and `state.json`. It is written under a name that starts with a dot, flushed,
//! and renamed: a directory called `step-N` is therefore always whole. What a killed process left
//! half-written is removed when the run is next opened.
//!
//! `state.json` holds the SHA-256 of every other file, so that a disk that gave back other bytes than
//! it was given is found before a run goes on from them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use wuji_data::Fingerprint;
use wuji_model::recurrent::{FeedForwardLm, RecurrentLm, RecurrentSeq2Seq};
use wuji_model::weights::{FileTensor, StoredDtype, TensorFiles, save_tensor_file};
use wuji_model::{CausalLm, EncoderModel, Seq2SeqLm};

use crate::{Optimizer, OptimizerKind, TrainingError, WeightAverage};

/// A model that can be written to and read from a directory, bit for bit.
pub trait TrainableModel: Module {
    /// Writes the model into `dir`.
    ///
    /// # Errors
    /// A file that cannot be written.
    fn save_model(&self, dir: &Path) -> Result<(), TrainingError>;

    /// Reads the model from `dir` onto `device`.
    ///
    /// # Errors
    /// A file that is missing or malformed.
    fn load_model(&self, dir: &Path, device: &Device) -> Result<Self, TrainingError>;
}

/// A model that writes and reads its own directory.
macro_rules! trainable {
    ($($model:ty),+ $(,)?) => {
        $(impl TrainableModel for $model {
            fn save_model(&self, dir: &Path) -> Result<(), TrainingError> {
                Ok(self.save(dir, StoredDtype::F32)?)
            }

            fn load_model(&self, dir: &Path, device: &Device) -> Result<Self, TrainingError> {
                Ok(Self::from_dir(dir, device)?)
            }
        })+
    };
}
trainable!(CausalLm, EncoderModel, Seq2SeqLm, RecurrentLm, FeedForwardLm, RecurrentSeq2Seq);

/// Where a run stands, beside weights and optimiser.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainState {
    /// Steps made.
    pub step: u64,
    /// Tokens read.
    pub tokens: u64,
    /// Seconds spent in training steps, waiting for their batches included.
    pub train_seconds: f64,
    /// Those of them that were spent waiting for batches.
    #[serde(default)]
    pub data_seconds: f64,
    /// Lowest validation loss, with that of sentence pairs where there are any, and the step it was seen at.
    pub best: Option<(f64, u64)>,
    /// Evaluations since then.
    pub evaluations_without_improvement: u32,
    /// Steps left out in a row because something was not finite.
    pub skipped_in_a_row: u32,
}

/// `state.json`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StateFile {
    state: TrainState,
    optimizer: OptimizerKind,
    optimizer_counters: BTreeMap<String, u64>,
    /// SHA-256 of each file, by its path in the checkpoint.
    sha256: BTreeMap<String, Fingerprint>,
}

/// A checkpoint on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointInfo {
    /// Steps made when it was written.
    pub step: u64,
    /// Its directory.
    pub path: PathBuf,
}

/// The checkpoints of one run.
#[derive(Debug)]
pub struct Checkpoints {
    dir: PathBuf,
    keep: usize,
}

/// What a checkpoint holds, read back.
#[derive(Debug)]
pub(crate) struct Restored<M> {
    pub model: M,
    pub optimizer: Optimizer,
    pub average: Option<WeightAverage<M>>,
    pub state: TrainState,
}

const PARTIAL_PREFIX: &str = ".step-";

const STATE: &str = "state.json";

impl Checkpoints {
    /// Opens `dir`, creating it, and removes what a killed process left half-written. Keeps the
    /// newest `keep` checkpoints, and the best.
    ///
    /// # Errors
    /// The directory cannot be created or read.
    pub fn open(dir: &Path, keep: usize) -> Result<Self, TrainingError> {
        fs::create_dir_all(dir).map_err(|source| TrainingError::io("creating", dir, source))?;
        let checkpoints = Self { dir: dir.into(), keep };
        for (name, path) in entries(&checkpoints.dir)? {
            if name.starts_with(PARTIAL_PREFIX) {
                tracing::info!(path = %path.display(), "removing a checkpoint that was never finished");
                remove(&path)?;
            }
        }
        Ok(checkpoints)
    }

    /// All finished checkpoints, oldest first.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn list(&self) -> Result<Vec<CheckpointInfo>, TrainingError> {
        let mut found: Vec<CheckpointInfo> = entries(&self.dir)?
            .into_iter()
            .filter_map(|(name, path)| {
                let step = name.strip_prefix("step-")?.parse().ok()?;
                Some(CheckpointInfo { step, path })
            })
            .collect();
        found.sort_by_key(|info| info.step);
        Ok(found)
    }

    /// The newest checkpoint.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn latest(&self) -> Result<Option<CheckpointInfo>, TrainingError> {
        Ok(self.list()?.pop())
    }

    /// Writes a checkpoint and removes those that are neither new nor best.
    pub(crate) fn write<M: TrainableModel>(
        &self,
        model: &M,
        optimizer: &Optimizer,
        average: Option<&WeightAverage<M>>,
        state: &TrainState,
    ) -> Result<CheckpointInfo, TrainingError> {
        let step = state.step;
        let partial = self.dir.join(format!("{PARTIAL_PREFIX}{step}.partial"));
        let path = self.dir.join(format!("step-{step}"));
        remove(&partial)?;
        create(&partial)?;
        model.save_model(&partial.join("model"))?;
        if let Some(average) = average {
            average.model().save_model(&partial.join("ema"))?;
        }
        let (tensors, optimizer_counters) = optimizer.state(model);
        save_tensor_file(&partial.join("optimizer.safetensors"), &tensors, StoredDtype::F32)?;
        let sha256 = fingerprints(&partial)?;
        let file = StateFile {
            state: state.clone(),
            optimizer: optimizer.kind(),
            optimizer_counters,
            sha256,
        };
        write_json(&partial.join(STATE), &file)?;
        remove(&path)?;
        fs::rename(&partial, &path)
            .map_err(|source| TrainingError::io("renaming", &partial, source))?;
        sync_dir(&self.dir)?;
        self.prune(state)?;
        Ok(CheckpointInfo { step, path })
    }

    fn prune(&self, state: &TrainState) -> Result<(), TrainingError> {
        let all = self.list()?;
        let best = state.best.map(|(_, step)| step);
        let old = all.len().saturating_sub(self.keep);
        for info in all.into_iter().take(old).filter(|info| Some(info.step) != best) {
            remove(&info.path)?;
        }
        Ok(())
    }

    /// Reads a checkpoint; `template` says what kind of model to build.
    pub(crate) fn read<M: TrainableModel>(
        &self,
        info: &CheckpointInfo,
        template: &M,
        mut optimizer: Optimizer,
        ema_decay: f64,
        device: &Device,
    ) -> Result<Restored<M>, TrainingError> {
        let explain = |error: TrainingError| self.explain(info, error);
        let file = read_state(&info.path).map_err(explain)?;
        check_fingerprints(&info.path, &file.sha256).map_err(explain)?;
        if file.optimizer != optimizer.kind() {
            return Err(TrainingError::OtherOptimizer {
                path: info.path.clone(),
                stored: file.optimizer,
                configured: optimizer.kind(),
            });
        }
        let model = template.load_model(&info.path.join("model"), device).map_err(explain)?;
        let tensors = read_tensors(&info.path.join("optimizer.safetensors")).map_err(explain)?;
        optimizer.load_state(&model, tensors, file.optimizer_counters, device);
        let ema = info.path.join("ema");
        let average = if ema_decay > 0.0 && ema.is_dir() {
            let plain = device.clone().without_autodiff();
            let stored = template.load_model(&ema, &plain).map_err(explain)?;
            Some(WeightAverage::from_stored(&stored, ema_decay))
        } else {
            None
        };
        Ok(Restored { model, optimizer, average, state: file.state })
    }

    /// Says which checkpoint is unusable and what to do about it.
    fn explain(&self, info: &CheckpointInfo, error: TrainingError) -> TrainingError {
        let older =
            self.list().unwrap_or_default().into_iter().rfind(|other| other.step < info.step);
        let advice = match older {
            Some(older) => format!("remove this directory to resume from step {}", older.step),
            None => "there is no older checkpoint to resume from".to_string(),
        };
        TrainingError::BadCheckpoint {
            path: info.path.clone(),
            reason: format!("{error}; {advice}"),
        }
    }
}

/// Names and paths in a directory.
fn entries(dir: &Path) -> Result<Vec<(String, PathBuf)>, TrainingError> {
    let io = |source| TrainingError::io("reading", dir, source);
    let mut entries = Vec::new();
    for entry in fs::read_dir(dir).map_err(io)? {
        let entry = entry.map_err(io)?;
        entries.push((entry.file_name().to_string_lossy().into_owned(), entry.path()));
    }
    Ok(entries)
}

fn read_state(dir: &Path) -> Result<StateFile, TrainingError> {
    let path = dir.join(STATE);
    let text =
        fs::read_to_string(&path).map_err(|source| TrainingError::io("reading", &path, source))?;
    serde_json::from_str(&text)
        .map_err(|error| TrainingError::BadCheckpoint { path, reason: error.to_string() })
}

/// The SHA-256 of every file below the directory of a checkpoint that is being written.
fn fingerprints(checkpoint: &Path) -> Result<BTreeMap<String, Fingerprint>, TrainingError> {
    let mut found = BTreeMap::new();
    let mut folders = vec![checkpoint.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for (_, path) in entries(&folder)? {
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(checkpoint).unwrap_or(&path).to_string_lossy();
                found.insert(name.into_owned(), Fingerprint::of_file(&path)?.0);
            }
        }
    }
    Ok(found)
}

/// Refuses files that are not what was written.
fn check_fingerprints(
    dir: &Path,
    written: &BTreeMap<String, Fingerprint>,
) -> Result<(), TrainingError> {
    for (part, written) in written {
        let path = dir.join(part);
        let (found, _) = Fingerprint::of_file(&path)?;
        if found != *written {
            let reason = format!("its SHA-256 is {found}, but {written} was written");
            return Err(TrainingError::BadCheckpoint { path, reason });
        }
    }
    Ok(())
}

fn read_tensors(path: &Path) -> Result<Vec<FileTensor>, TrainingError> {
    let files = TensorFiles::open(path)?;
    let mut tensors = Vec::new();
    for name in files.names() {
        let shape = files.shape(name).unwrap_or_default().to_vec();
        tensors.push(FileTensor { name: name.to_string(), shape, values: files.read_f32(name)? });
    }
    Ok(tensors)
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), TrainingError> {
    let io = |source| TrainingError::io("writing", path, source);
    let mut file = File::create(path).map_err(io)?;
    serde_json::to_writer_pretty(&mut file, value).map_err(|error| io(error.into()))?;
    file.sync_all().map_err(io)
}

fn create(dir: &Path) -> Result<(), TrainingError> {
    fs::create_dir_all(dir).map_err(|source| TrainingError::io("creating", dir, source))
}

fn remove(dir: &Path) -> Result<(), TrainingError> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(TrainingError::io("removing", dir, error))
        }
        _ => Ok(()),
    }
}

/// A rename is only on disk once its directory is.
fn sync_dir(dir: &Path) -> Result<(), TrainingError> {
    File::open(dir)
        .and_then(|file| file.sync_all())
        .map_err(|source| TrainingError::io("flushing", dir, source))
}
