//! The run directory: creating it, refusing another run's, writing into it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use wuji_tokenizer::Tokenizer;
use wuji_training::{CheckpointEvent, TrainObserver, TrainingError};

use crate::WujiError;
use crate::config::RunConfig;

/// A directory that holds one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDir {
    path: PathBuf,
}

impl RunDir {
    /// Creates the directory where there is none.
    ///
    /// # Errors
    /// The directory cannot be created.
    pub fn create(path: &Path) -> Result<Self, WujiError> {
        fs::create_dir_all(path).map_err(|source| WujiError::io("creating", path, source))?;
        Ok(Self { path: path.into() })
    }

    /// Opens the directory of a run that was begun before.
    ///
    /// # Errors
    /// [`WujiError::NoRun`] where there is none.
    pub fn existing(path: &Path) -> Result<Self, WujiError> {
        if !path.join("config.toml").is_file() {
            let reason = "there is no config.toml".to_string();
            return Err(WujiError::NoRun { path: path.into(), reason });
        }
        Ok(Self { path: path.into() })
    }

    /// Refuses a directory in which a run was begun before.
    ///
    /// # Errors
    /// [`WujiError::RunExists`].
    pub fn refuse_other_run(&self) -> Result<(), WujiError> {
        if self.path.join("config.toml").exists() {
            return Err(WujiError::RunExists { path: self.path.clone() });
        }
        Ok(())
    }

    /// Refuses a config whose model or tokenizer is not the one that the run began with: where
    /// there are weights, both are fixed.
    ///
    /// # Errors
    /// [`WujiError::Config`] naming the section, or the run's own config cannot be read.
    pub fn refuse_other_model(&self, config: &RunConfig) -> Result<(), WujiError> {
        let path = self.path.join("config.toml");
        let begun = RunConfig::load(&path)?;
        let sections = [
            ("model", begun.model == config.model),
            ("tokenizer", begun.tokenizer == config.tokenizer),
        ];
        match sections.into_iter().find(|(_, is_same)| !is_same) {
            None => Ok(()),
            Some((section, _)) => {
                let problem = format!(
                    "[{section}] cannot change in a run that has begun; begin another with --out"
                );
                Err(WujiError::config(path.display().to_string(), problem))
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file in it, atomically.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, name: &str, text: &str) -> Result<(), WujiError> {
        let path = self.path.join(name);
        let io = |source| WujiError::io("writing", &path, source);
        let dir = path.parent().unwrap_or(&self.path);
        fs::create_dir_all(dir).map_err(io)?;
        let mut file = tempfile::Builder::new()
            .prefix(".writing-")
            .permissions(ordinary_permissions())
            .tempfile_in(dir)
            .map_err(io)?;
        file.write_all(text.as_bytes()).map_err(io)?;
        file.as_file().sync_all().map_err(io)?;
        file.persist(&path).map_err(|error| io(error.error))?;
        Ok(())
    }

    /// Writes a value as JSON.
    ///
    /// # Errors
    /// As [`RunDir::write`].
    pub fn write_json(&self, name: &str, value: &impl Serialize) -> Result<(), WujiError> {
        let text = serde_json::to_string_pretty(value)
            .map_err(|error| WujiError::io("writing", self.path.join(name), error.into()))?;
        self.write(name, &format!("{text}\n"))
    }
}

/// Temporary files are created private; a run is not.
#[cfg(unix)]
fn ordinary_permissions() -> fs::Permissions {
    use std::os::unix::fs::PermissionsExt;
    fs::Permissions::from_mode(0o644)
}

#[cfg(not(unix))]
fn ordinary_permissions() -> fs::Permissions {
    fs::metadata(".").map(|metadata| metadata.permissions()).expect("the current directory exists")
}

/// Puts the tokenizer beside each checkpoint's weights, so that a checkpoint can be generated from
/// like any model directory.
pub(super) struct TokenizerBesideCheckpoints {
    tokenizer: Tokenizer,
}

impl TokenizerBesideCheckpoints {
    pub(super) fn new(tokenizer: Tokenizer) -> Self {
        Self { tokenizer }
    }
}

impl TrainObserver for TokenizerBesideCheckpoints {
    fn on_checkpoint(&mut self, event: &CheckpointEvent) -> Result<(), TrainingError> {
        for model in ["model", "ema"] {
            let dir = event.path.join(model);
            if dir.is_dir() {
                self.tokenizer.save(&dir).map_err(|error| TrainingError::Observer {
                    what: format!("saving the tokenizer beside {}", dir.display()),
                    source: std::io::Error::other(error),
                })?;
            }
        }
        Ok(())
    }
}
