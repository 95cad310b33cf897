//! Trials that are classical text classifiers, cross-validated.
//!
//! The labelled texts are divided once: a part is held out from the search altogether, the rest is divided
//! into folds, each class by itself. A trial's value is the mean over folds, reported fold by fold, so that
//! a pruner need not wait for all of them. When the search is over, the best configuration and the default
//! one learn from everything that was searched with, and answer what was held out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use wuji_data::Dice;
use wuji_data::source::LabelledFile;
use wuji_evaluation::classification::{Average, BinaryCounts, ConfusionMatrix};
use wuji_evaluation::uncertainty::{Estimate, McNemar, wilson};
use wuji_training::search::{Halt, Measured, RunningTrial};

use super::{SearchPlan, TextClassifierConfig};
use crate::WujiError;

/// `[objective]` with `kind = "classical"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Classical {
    /// CSV, TSV or JSON Lines, plain or `.gz`; `--data` wins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<PathBuf>,
    /// The field that holds the text.
    #[serde(default = "text_field")]
    pub text: String,
    /// The field that holds the label.
    #[serde(default = "label_field")]
    pub label: String,
    /// Folds of the cross-validation.
    #[serde(default = "five")]
    pub folds: usize,
    /// The value of a fold.
    #[serde(default)]
    pub metric: ClassicalMetric,
    /// The share of the texts that no trial sees.
    #[serde(default)]
    pub held_out: f64,
}

fn text_field() -> String {
    "text".to_string()
}

fn label_field() -> String {
    "label".to_string()
}

fn five() -> usize {
    5
}

/// The value of a fold; higher is better.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClassicalMetric {
    /// The share of right answers.
    #[default]
    Accuracy,
    /// The mean F1 over classes.
    MacroF1,
}

impl Classical {
    pub(super) fn check(&self) -> Result<(), String> {
        if self.folds < 2 {
            return Err(format!("objective.folds: expected 2 or more, got {}", self.folds));
        }
        if !(0.0..1.0).contains(&self.held_out) {
            let found = self.held_out;
            return Err(format!("objective.held_out: expected 0 or more, below 1, got {found}"));
        }
        Ok(())
    }
}

/// The texts of a search, divided.
pub struct ClassicalTrials {
    plan: SearchPlan,
    metric: ClassicalMetric,
    texts: Vec<String>,
    labels: Vec<usize>,
    classes: Vec<String>,
    /// Positions of each fold.
    folds: Vec<Vec<usize>>,
    /// Positions that no trial sees.
    held_out: Vec<usize>,
}

/// The best configuration and the default one on texts that no trial has seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeldOut {
    /// Texts.
    pub texts: usize,
    /// Texts that both have learnt from.
    pub learnt_from: usize,
    /// Accuracy of the default configuration, with what `--set` says, and its 95 % interval.
    pub default: Estimate,
    /// That of the best configuration.
    pub best: Estimate,
    /// Whether the two are right equally often; the first is the default.
    pub mcnemar: McNemar,
}

impl ClassicalTrials {
    /// Reads and divides the texts. The division depends on the texts and the seed alone.
    ///
    /// # Errors
    /// A file that cannot be read, one class only, or fewer texts than folds.
    pub fn load(plan: &SearchPlan, config: &Classical, seed: u64) -> Result<Self, WujiError> {
        let path = match (plan.data.as_slice(), &config.data) {
            ([], Some(path)) => path.clone(),
            ([path], _) => PathBuf::from(path),
            (paths, _) => {
                let found = paths.len();
                let problem = format!("expected one file of labelled texts, got {found}");
                return Err(WujiError::config("--data", problem));
            }
        };
        let records = LabelledFile::named(&path, &config.text, &config.label).read()?;
        let (texts, names): (Vec<String>, Vec<String>) =
            records.into_iter().map(|record| (record.text, record.label)).unzip();
        let mut trials = Self::divide(plan, config, &texts, &names, seed);
        trials.texts = texts;
        trials.check(&path)?;
        // What does not vary is checked before anything is computed.
        TextClassifierConfig::of_settings(&plan.set)?;
        Ok(trials)
    }

    fn divide(
        plan: &SearchPlan,
        config: &Classical,
        texts: &[String],
        names: &[String],
        seed: u64,
    ) -> Self {
        let mut members: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (position, name) in names.iter().enumerate() {
            members.entry(name).or_default().push(position);
        }
        let classes: Vec<String> = members.keys().map(ToString::to_string).collect();
        let mut labels = vec![0; texts.len()];
        let (mut folds, mut held_out) = (vec![Vec::new(); config.folds], Vec::new());
        let mut dice = Dice::new(seed, 0);
        let mut next_fold = 0;
        for (class, mut positions) in members.into_values().enumerate() {
            dice.shuffle(&mut positions);
            let held = (config.held_out * positions.len() as f64).round() as usize;
            for (place, position) in positions.into_iter().enumerate() {
                labels[position] = class;
                if place < held {
                    held_out.push(position);
                } else {
                    // Going on where the last class ended keeps folds of equal size.
                    folds[next_fold % config.folds].push(position);
                    next_fold += 1;
                }
            }
        }
        let plan = plan.clone();
        let metric = config.metric;
        Self { plan, metric, texts: Vec::new(), labels, classes, folds, held_out }
    }

    fn check(&self, path: &Path) -> Result<(), WujiError> {
        if self.classes.len() < 2 {
            let found = self.classes.len();
            return Err(WujiError::input(
                path,
                format!("expected two classes or more, got {found}"),
            ));
        }
        if let Some(empty) = self.folds.iter().position(Vec::is_empty) {
            let problem = format!("expected a text in each fold, got none in fold {}", empty + 1);
            return Err(WujiError::input(path, problem));
        }
        Ok(())
    }

    /// Texts that trials see, and texts that they do not.
    pub fn sizes(&self) -> (usize, usize) {
        (self.folds.iter().map(Vec::len).sum(), self.held_out.len())
    }

    /// Carries out a trial.
    ///
    /// # Errors
    /// [`Halt`] when it is told to stop, or its configuration cannot work.
    pub fn measure(&self, running: &RunningTrial) -> Result<Measured, Halt> {
        let settings = self.plan.settings(&running.trial().parameters);
        let config = TextClassifierConfig::of_settings(&settings)?;
        let mut values = Vec::with_capacity(self.folds.len());
        for (number, fold) in self.folds.iter().enumerate() {
            let others = self.folds.iter().enumerate().filter(|(other, _)| *other != number);
            let train: Vec<usize> = others.flat_map(|(_, fold)| fold.iter().copied()).collect();
            let predicted = self.predict(&config, &train, fold)?;
            values.push(self.value(fold, &predicted)?);
            // Behind the last fold there is nothing left to save.
            if values.len() < self.folds.len() {
                running.report(number as u64 + 1, Measured::of_folds(&values).value)?;
            }
        }
        Ok(Measured::of_folds(&values))
    }

    /// Compares what a search has found with the default configuration on what was held out; nothing
    /// where nothing was.
    ///
    /// # Errors
    /// A configuration that cannot work.
    pub fn compare(&self, best: &[String]) -> Result<Option<HeldOut>, WujiError> {
        if self.held_out.is_empty() {
            return Ok(None);
        }
        let train = self.folds.concat();
        let right = |settings: &[String]| -> Result<Vec<bool>, WujiError> {
            let config = TextClassifierConfig::of_settings(settings)?;
            let predicted = self.predict(&config, &train, &self.held_out)?;
            let pairs = self.held_out.iter().zip(predicted);
            Ok(pairs.map(|(&position, class)| self.labels[position] == class).collect())
        };
        let (default, best) = (right(&self.plan.set)?, right(best)?);
        let accuracy = |right: &[bool]| {
            wilson(right.iter().filter(|right| **right).count(), right.len(), 0.95)
        };
        Ok(Some(HeldOut {
            texts: self.held_out.len(),
            learnt_from: train.len(),
            default: accuracy(&default)?,
            best: accuracy(&best)?,
            mcnemar: McNemar::new(&default, &best)?,
        }))
    }

    fn predict(
        &self,
        config: &TextClassifierConfig,
        train: &[usize],
        test: &[usize],
    ) -> Result<Vec<usize>, WujiError> {
        let texts = |positions: &[usize]| -> Vec<&str> {
            positions.iter().map(|&position| self.texts[position].as_str()).collect()
        };
        let labels: Vec<usize> = train.iter().map(|&position| self.labels[position]).collect();
        Ok(config.predict((&texts(train), &labels), self.classes.len(), &texts(test))?)
    }

    fn value(&self, positions: &[usize], predicted: &[usize]) -> Result<f64, WujiError> {
        let truth: Vec<usize> = positions.iter().map(|&position| self.labels[position]).collect();
        let matrix = ConfusionMatrix::new(&truth, predicted, self.classes.len())?;
        Ok(match self.metric {
            ClassicalMetric::Accuracy => matrix.accuracy(),
            ClassicalMetric::MacroF1 => matrix.average(Average::Macro, BinaryCounts::f1),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use wuji_training::search::{Budget, Direction, SearchSpace, Study, StudyConfig, Workers};

    use super::super::ObjectiveConfig;
    use super::*;

    fn config(folds: usize, held_out: f64) -> Classical {
        let text = format!("data = 'x.csv'\nfolds = {folds}\nheld_out = {held_out:?}");
        toml::from_str(&text).unwrap()
    }

    fn plan(config: &Classical) -> SearchPlan {
        let objective = ObjectiveConfig::Classical(config.clone());
        SearchPlan { objective, preset: None, config: None, data: Vec::new(), set: Vec::new() }
    }

    #[test]
    fn every_text_is_in_one_fold_or_held_out_and_classes_are_spread_evenly() {
        let names: Vec<String> = (0..90).map(|i| ["a", "b", "c"][i % 3].to_string()).collect();
        let texts = vec![String::new(); 90];
        let config = config(4, 0.2);
        let trials = ClassicalTrials::divide(&plan(&config), &config, &texts, &names, 5);
        let mut all = trials.folds.concat();
        all.extend(&trials.held_out);
        all.sort_unstable();
        assert_eq!(all, (0..90).collect::<Vec<_>>());
        assert_eq!(trials.sizes(), (72, 18));
        for fold in &trials.folds {
            assert_eq!(fold.len(), 18);
            for class in 0..3 {
                assert_eq!(fold.iter().filter(|&&i| trials.labels[i] == class).count(), 6);
            }
        }
        let other = ClassicalTrials::divide(&plan(&config), &config, &texts, &names, 6);
        assert_ne!(other.folds, trials.folds);
    }

    #[test]
    fn a_search_finds_the_terms_that_tell_classes_apart() {
        // Which of two words comes first is seen by pairs of words only.
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("texts.csv");
        let line = |i: usize| match i % 2 {
            0 => format!("alpha beta number{i},first\n"),
            _ => format!("beta alpha number{i},second\n"),
        };
        let text: String = (0..120).map(line).collect();
        std::fs::write(&path, format!("text,label\n{text}")).unwrap();
        let config = Classical { data: Some(path), ..config(3, 0.25) };
        let plan = plan(&config);
        let trials = ClassicalTrials::load(&plan, &config, 1).unwrap();
        let space = SearchSpace::from_toml(
            "[parameters.'features.longest_words']\nkind='int'\nlow=1\nhigh=2\n\
             [parameters.'classifier.c']\nkind='float'\nlow=1.0\nhigh=100.0\nscale='log'",
        )
        .unwrap();
        let study_config = StudyConfig {
            direction: Direction::Maximize,
            budget: Budget { trials: Some(12), seconds: None },
            ..StudyConfig::default()
        };
        let mut study = Study::create(dir.path(), space, study_config).unwrap();
        let workers =
            Workers { count: NonZeroUsize::MIN, clock: &|| 0.0, stop: &|| false, watch: &|_| {} };
        study.run(&workers, &|running| trials.measure(running)).unwrap();
        let best = study.record().best().unwrap();
        assert_eq!(best.parameters.get("features.longest_words").unwrap().to_string(), "2");
        let wuji_training::search::TrialState::Finished(measured) = &best.state else { panic!() };
        assert_eq!((measured.value, measured.folds.len()), (1.0, 3));
        let held_out = trials.compare(&plan.settings(&best.parameters)).unwrap().unwrap();
        assert_eq!((held_out.texts, held_out.learnt_from), (30, 90));
        assert_eq!(held_out.best.value, 1.0);
        assert!(held_out.default.value < 0.8 && held_out.mcnemar.exact_p < 0.05);
    }

    #[test]
    fn texts_that_cannot_be_divided_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("texts.csv");
        let load = |text: &str| {
            std::fs::write(&path, text).unwrap();
            let config = Classical { data: Some(path.clone()), ..config(3, 0.0) };
            ClassicalTrials::load(&plan(&config), &config, 1).map(|_| ()).unwrap_err().to_string()
        };
        assert!(
            load("text,label\na,x\nb,x\nc,x\n").contains("expected two classes or more, got 1")
        );
        assert!(load("text,label\na,x\nb,y\n").contains("none in fold 3"));
    }
}
