//! Results as a directory: `results.json` with what is reported, and `documents/TASK.json` with what
//! is behind it. Each file is whole or not there.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::HarnessError;
use super::report::{Documents, RunReport};

/// A directory of results.
#[derive(Clone, Debug)]
pub struct Results {
    dir: PathBuf,
}

impl Results {
    /// A directory, which is made if it is not there.
    ///
    /// # Errors
    /// A directory that cannot be made.
    pub fn create(dir: &Path) -> Result<Self, HarnessError> {
        let documents = dir.join("documents");
        std::fs::create_dir_all(&documents).map_err(|source| HarnessError::Io {
            action: "create",
            path: documents,
            source,
        })?;
        Ok(Self { dir: dir.to_path_buf() })
    }

    /// A directory that is there.
    pub fn open(dir: &Path) -> Self {
        Self { dir: dir.to_path_buf() }
    }

    /// Where the model's answers are kept.
    pub fn answers(&self) -> PathBuf {
        self.dir.join("answers.jsonl")
    }

    /// Writes the report.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write_report(&self, report: &RunReport) -> Result<(), HarnessError> {
        write(&self.dir.join("results.json"), report)
    }

    /// Writes the documents of a task.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write_documents(&self, documents: &Documents) -> Result<(), HarnessError> {
        write(&self.documents_path(&documents.task), documents)
    }

    /// Writes any other text into the directory, as the report in HTML.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write_text(&self, name: &str, text: &str) -> Result<PathBuf, HarnessError> {
        let path = self.dir.join(name);
        write_bytes(&path, text.as_bytes())?;
        Ok(path)
    }

    /// Reads the report.
    ///
    /// # Errors
    /// A file that is not there or is no report.
    pub fn report(&self) -> Result<RunReport, HarnessError> {
        read(&self.dir.join("results.json"))
    }

    /// Reads the documents of a task.
    ///
    /// # Errors
    /// A file that is not there or holds no documents.
    pub fn documents(&self, task: &str) -> Result<Documents, HarnessError> {
        read(&self.documents_path(task))
    }

    fn documents_path(&self, task: &str) -> PathBuf {
        self.dir.join("documents").join(format!("{task}.json"))
    }
}

fn write(path: &Path, value: &impl Serialize) -> Result<(), HarnessError> {
    let text = serde_json::to_vec(value).expect("results are JSON");
    write_bytes(path, &text)
}

fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), HarnessError> {
    let failed = |source| HarnessError::Io { action: "write", path: path.to_path_buf(), source };
    let partial = path.with_extension("partial");
    let mut file = std::fs::File::create(&partial).map_err(failed)?;
    std::io::Write::write_all(&mut file, bytes).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    std::fs::rename(&partial, path).map_err(failed)
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T, HarnessError> {
    let text = std::fs::read(path).map_err(|source| HarnessError::Io {
        action: "read",
        path: path.to_path_buf(),
        source,
    })?;
    serde_json::from_slice(&text).map_err(|error| HarnessError::Results {
        path: path.to_path_buf(),
        reason: error.to_string(),
    })
}
