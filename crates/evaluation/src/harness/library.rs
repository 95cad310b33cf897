//! The tasks that come with the crate, and suites of them.

use std::collections::BTreeMap;
use std::path::Path;

use include_dir::{Dir, include_dir};
use serde::Deserialize;

use super::error::HarnessError;
use super::task::TaskFile;

static TASKS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/tasks");

/// Tasks by name, and named lists of them.
#[derive(Clone, Debug)]
pub struct Library {
    tasks: BTreeMap<String, TaskFile>,
    suites: BTreeMap<String, Suite>,
}

/// A named list of tasks.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// What they have in common.
    pub about: String,
    /// Their names.
    pub tasks: Vec<String>,
}

impl Library {
    /// The tasks and suites that are compiled in.
    ///
    /// # Errors
    /// None, unless a file of this crate is wrong, which its tests would see.
    pub fn embedded() -> Result<Self, HarnessError> {
        let (mut tasks, mut suites) = (BTreeMap::new(), BTreeMap::new());
        for file in TASKS.files() {
            let name = file.path().file_stem().and_then(|name| name.to_str()).unwrap_or_default();
            let text = file.contents_utf8().unwrap_or_default();
            if name == "suites" {
                suites = toml::from_str(text).map_err(|error| wrong(name, &error))?;
            } else {
                tasks.insert(name.to_owned(), parse(name, text)?);
            }
        }
        Ok(Self { tasks, suites })
    }

    /// Reads a task file that does not come with the crate.
    ///
    /// # Errors
    /// A file that cannot be read or is no task, with the key.
    pub fn read(path: &Path) -> Result<TaskFile, HarnessError> {
        let text = std::fs::read_to_string(path).map_err(|source| HarnessError::Io {
            action: "read",
            path: path.to_path_buf(),
            source,
        })?;
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        parse(name, &text)
    }

    /// The tasks, by name.
    pub fn tasks(&self) -> impl Iterator<Item = &TaskFile> {
        self.tasks.values()
    }

    /// The suites, by name.
    pub fn suites(&self) -> impl Iterator<Item = (&str, &Suite)> {
        self.suites.iter().map(|(name, suite)| (name.as_str(), suite))
    }

    /// The tasks that a name stands for: one, or those of a suite.
    ///
    /// # Errors
    /// A name that is neither, with the nearest one that is.
    pub fn find(&self, name: &str) -> Result<Vec<&TaskFile>, HarnessError> {
        if let Some(suite) = self.suites.get(name) {
            return suite.tasks.iter().map(|task| self.task(task)).collect();
        }
        Ok(vec![self.task(name)?])
    }

    fn task(&self, name: &str) -> Result<&TaskFile, HarnessError> {
        self.tasks.get(name).ok_or_else(|| HarnessError::Unknown {
            name: name.to_owned(),
            nearest: self.nearest(name),
        })
    }

    fn nearest(&self, name: &str) -> Option<String> {
        let names = self.tasks.keys().chain(self.suites.keys());
        let scored = names.map(|known| (strsim::jaro_winkler(name, known), known));
        let best = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
        (best.0 > 0.8).then(|| best.1.clone())
    }
}

fn parse(name: &str, text: &str) -> Result<TaskFile, HarnessError> {
    let task: TaskFile = toml::from_str(text).map_err(|error| wrong(name, &error))?;
    let invalid = |key: &str, reason: String| HarnessError::Task {
        task: name.to_owned(),
        key: key.to_owned(),
        reason,
    };
    if task.id != name {
        return Err(invalid(
            "id",
            format!("expected {name:?}, that of the file, found {:?}", task.id),
        ));
    }
    if task.metrics.is_empty() {
        return Err(invalid("metrics", "expected at least one".to_owned()));
    }
    Ok(task)
}

fn wrong(name: &str, error: &toml::de::Error) -> HarnessError {
    let key = "the file".to_owned();
    HarnessError::Task { task: name.to_owned(), key, reason: error.to_string().trim().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_task_is_one_and_every_suite_has_only_those() {
        let library = Library::embedded().unwrap();
        assert!(library.tasks().count() >= 30);
        for (name, suite) in library.suites() {
            assert_eq!(library.find(name).unwrap().len(), suite.tasks.len(), "{name}");
        }
    }

    #[test]
    fn a_name_that_is_nearly_one_is_suggested() {
        let error = Library::embedded().unwrap().find("hellaswagg").unwrap_err().to_string();
        assert_eq!(error, "no task or suite \"hellaswagg\"; did you mean \"hellaswag\"?");
    }

    #[test]
    fn a_wrong_file_names_what_is_wrong() {
        let error = parse("t", "id = \"t\"\nversion = \"x\"").unwrap_err().to_string();
        assert!(error.starts_with("task t, the file: ") && error.contains("version"), "{error}");
    }
}
