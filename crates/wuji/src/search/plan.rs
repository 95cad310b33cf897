//! What a trial is, as the file of a space says it, and as it is kept for resuming.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml::Table;
use wuji_training::search::{PrunerConfig, SearchSpace, StudyConfig};

use super::Classical;
use crate::WujiError;
use crate::pretrain::RunDir;

/// `SPACE.toml`.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchFile {
    /// `[parameters]`: what varies.
    pub space: SearchSpace,
    /// `[study]`: how it is searched.
    pub study: StudyConfig,
    /// `[objective]`: what a trial is.
    pub objective: ObjectiveConfig,
}

/// What a trial is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ObjectiveConfig {
    /// A run of `wuji train`.
    Training(TrainingObjective),
    /// A cross-validated classifier over TF-IDF.
    Classical(Classical),
}

impl Default for ObjectiveConfig {
    fn default() -> Self {
        Self::Training(TrainingObjective::default())
    }
}

/// What is read off a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainingObjective {
    /// A number in what `wuji train --json` prints; points lead into it, as in `ngram.bits_per_byte`.
    pub metric: String,
}

/// What a run reports on its way, too.
pub(super) const REPORTED: &str = "validation_loss";

impl Default for TrainingObjective {
    fn default() -> Self {
        Self { metric: REPORTED.to_string() }
    }
}

impl SearchFile {
    /// Reads the file.
    ///
    /// # Errors
    /// A file that cannot be read, or a key that makes no sense: which, what would do, what there is.
    pub fn read(path: &Path) -> Result<Self, WujiError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| WujiError::io("reading", path, source))?;
        Self::parse(&text, &path.display().to_string())
    }

    /// Reads a text; `origin` is what messages call it.
    ///
    /// # Errors
    /// As [`SearchFile::read`].
    pub fn parse(text: &str, origin: &str) -> Result<Self, WujiError> {
        let bad = |problem: String| WujiError::config(origin, problem);
        let table: Table = text.parse().map_err(|error: toml::de::Error| bad(error.to_string()))?;
        const SECTIONS: [&str; 3] = ["parameters", "study", "objective"];
        if let Some(unknown) = table.keys().find(|key| !SECTIONS.contains(&key.as_str())) {
            let sections = SECTIONS.join("], [");
            return Err(bad(format!("{unknown}: expected one of [{sections}], got this section")));
        }
        let space = SearchSpace::from_table(&table).map_err(|error| bad(error.to_string()))?;
        let study = StudyConfig::from_table(&table).map_err(|error| bad(error.to_string()))?;
        let objective = match table.get("objective") {
            None => ObjectiveConfig::default(),
            Some(objective) => objective
                .clone()
                .try_into()
                .map_err(|error: toml::de::Error| bad(format!("objective: {}", error.message())))?,
        };
        let file = Self { space, study, objective };
        file.check().map_err(bad)?;
        Ok(file)
    }

    /// Reports on the way are validation losses, so only a search for those can be pruned by them.
    fn check(&self) -> Result<(), String> {
        match &self.objective {
            ObjectiveConfig::Training(training)
                if training.metric != REPORTED && self.study.pruner != PrunerConfig::None =>
            {
                let found = &training.metric;
                Err(format!(
                    "study.pruner: expected none, as runs report {REPORTED} on their way and not {found}, \
                     got one"
                ))
            }
            ObjectiveConfig::Training(_) => Ok(()),
            ObjectiveConfig::Classical(classical) => classical.check(),
        }
    }
}

/// All that a resumed search needs besides its journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SearchPlan {
    /// What a trial is.
    pub objective: ObjectiveConfig,
    /// `--preset` of every run.
    pub preset: Option<String>,
    /// `--config` of every run.
    pub config: Option<PathBuf>,
    /// `--data` of every run, or the labelled texts.
    pub data: Vec<String>,
    /// `--set` of every run: what does not vary.
    pub set: Vec<String>,
}

const FILE: &str = "plan.json";

impl SearchPlan {
    /// Writes `plan.json`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, dir: &Path) -> Result<(), WujiError> {
        RunDir::create(dir)?.write_json(FILE, self)
    }

    /// Reads `plan.json`.
    ///
    /// # Errors
    /// The file cannot be read, or is none of this version's.
    pub fn read(dir: &Path) -> Result<Self, WujiError> {
        let path = dir.join(FILE);
        let text = std::fs::read_to_string(&path)
            .map_err(|source| WujiError::io("reading", &path, source))?;
        serde_json::from_str(&text)
            .map_err(|error| WujiError::config(path.display().to_string(), error.to_string()))
    }

    /// The settings of a trial: what does not vary, then the parameters, which win.
    pub fn settings(&self, parameters: &wuji_training::search::Assignment) -> Vec<String> {
        self.set.iter().cloned().chain(parameters.settings()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARAMETER: &str = "[parameters.'training.seed']\nkind = 'int'\nlow = 1\nhigh = 3\n";

    fn problem(rest: &str) -> String {
        SearchFile::parse(&format!("{rest}\n{PARAMETER}"), "x.toml").unwrap_err().to_string()
    }

    #[test]
    fn a_space_alone_is_a_search_over_runs() {
        let file = SearchFile::parse(PARAMETER, "x.toml").unwrap();
        assert_eq!(file.objective, ObjectiveConfig::default());
        assert_eq!(file.study, StudyConfig::default());
    }

    #[test]
    fn what_is_wrong_is_named_with_file_and_key() {
        let cases = [
            ("[studie]", "x.toml: studie: expected one of [parameters], [study], [objective], got"),
            (
                "[study]\nsede = 1",
                "x.toml: study: expected settings of a search, got unknown field",
            ),
            ("[objective]\nkind = 'magic'", "x.toml: objective: unknown variant `magic`"),
            (
                "[objective]\nkind = 'training'\nmetric = 'bits_per_byte'\n\
                 [study]\npruner = { kind = 'median' }",
                "x.toml: study.pruner: expected none, as runs report validation_loss",
            ),
            (
                "[objective]\nkind = 'classical'\ndata = 'a.csv'\nfolds = 1",
                "x.toml: objective.folds: expected 2 or more, got 1",
            ),
        ];
        for (text, expected) in cases {
            let found = problem(text);
            assert!(found.starts_with(expected), "{found}");
        }
    }

    #[test]
    fn the_examples_of_the_documents_are_read() {
        let banking = include_str!("../../../../docs/search/banking77.toml");
        let file = SearchFile::parse(banking, "banking77.toml").unwrap();
        assert!(matches!(file.objective, ObjectiveConfig::Classical(_)));
        let training = include_str!("../../../../docs/search/training.toml");
        let file = SearchFile::parse(training, "training.toml").unwrap();
        assert!(matches!(file.objective, ObjectiveConfig::Training(_)));
    }

    #[test]
    fn a_plan_survives_its_directory() {
        let dir = tempfile::tempdir().unwrap();
        let plan = SearchPlan {
            objective: ObjectiveConfig::default(),
            preset: Some("quickstart".into()),
            config: None,
            data: vec!["a b.txt".into()],
            set: vec!["training.max_steps=3".into()],
        };
        plan.write(dir.path()).unwrap();
        assert_eq!(SearchPlan::read(dir.path()).unwrap(), plan);
        let parameters = toml::from_str("'training.seed' = 2").unwrap();
        assert_eq!(plan.settings(&parameters), ["training.max_steps=3", "training.seed=2"]);
        assert!(SearchPlan::read(&dir.path().join("none")).is_err());
    }
}
