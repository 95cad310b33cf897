//! What a run ran on and with.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use wuji_device::capabilities;
use wuji_tokenizer::Tokenizer;

use super::{PretrainOptions, RunDir};
use crate::WujiError;
use crate::config::RunConfig;

/// `environment.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// Version of Wuji.
    pub version: String,
    /// Revision of its source.
    pub revision: String,
    /// The device asked for.
    pub device: String,
    /// Processor architecture.
    pub architecture: String,
    /// Operating system.
    pub operating_system: String,
    /// Vector extensions of the processor.
    pub simd: Vec<String>,
    /// Threads available.
    pub threads: usize,
    /// Seed of weights, data order and dropout.
    pub seed: u64,
    /// When the run began, in seconds since 1970 (UTC).
    pub started_unix_seconds: u64,
    /// What makes two runs comparable.
    pub fingerprints: Fingerprints,
}

/// Content hashes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprints {
    /// Of the tokenizer.
    pub tokenizer: String,
    /// Of the training tokens.
    pub train: String,
    /// Of the validation tokens.
    pub validation: String,
}

const FILE: &str = "environment.toml";

impl Environment {
    /// Looks at the machine and the inputs; the fingerprints are of training and validation tokens.
    pub fn observe(
        config: &RunConfig,
        options: &PretrainOptions,
        tokenizer: &Tokenizer,
        [train, validation]: [String; 2],
    ) -> Self {
        let machine = capabilities();
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            version: env!("CARGO_PKG_VERSION").to_string(),
            revision: options.revision.clone(),
            device: options.device.to_string(),
            architecture: machine.architecture.to_string(),
            operating_system: std::env::consts::OS.to_string(),
            simd: machine.simd.iter().map(|name| (*name).to_string()).collect(),
            threads: machine.threads,
            seed: config.training.seed,
            started_unix_seconds: now.map_or(0, |elapsed| elapsed.as_secs()),
            fingerprints: Fingerprints { tokenizer: tokenizer.fingerprint(), train, validation },
        }
    }

    /// Writes `environment.toml`, or on resumption checks that the inputs are still the same.
    ///
    /// # Errors
    /// [`WujiError::Changed`] when tokenizer or data are not what the run began with.
    pub fn record(&self, run_dir: &RunDir, resume: bool) -> Result<(), WujiError> {
        let path = run_dir.path().join(FILE);
        if resume && path.is_file() {
            let text = std::fs::read_to_string(&path)
                .map_err(|source| WujiError::io("reading", &path, source))?;
            let before: Self = toml::from_str(&text).map_err(|error| {
                WujiError::config(path.display().to_string(), error.to_string())
            })?;
            return self.compare(&before, run_dir);
        }
        let text =
            toml::to_string(self).map_err(|error| WujiError::config(FILE, error.to_string()))?;
        run_dir.write(FILE, &text)
    }

    fn compare(&self, before: &Self, run_dir: &RunDir) -> Result<(), WujiError> {
        let (was, is) = (&before.fingerprints, &self.fingerprints);
        for (what, was, is) in [
            ("the tokenizer", &was.tokenizer, &is.tokenizer),
            ("the training text", &was.train, &is.train),
            ("the validation text", &was.validation, &is.validation),
        ] {
            if was != is {
                let path = run_dir.path().to_path_buf();
                return Err(WujiError::Changed { path, what, was: was.clone(), is: is.clone() });
            }
        }
        Ok(())
    }
}
