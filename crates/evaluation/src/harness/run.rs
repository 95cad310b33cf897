//! Carries out tasks: asks the model and the floors, judges the answers, and sets them side by side.

use std::path::Path;

use super::answerer::{Answerer, Progress};
use super::error::HarnessError;
use super::extraction::Extractor;
use super::measurement::{Groups, Measurement};
use super::metric::Metric;
use super::prepare::{PrepareOptions, PreparedTask};
use super::report::{AnswererReport, Documents, ScoreReport, TaskReport};
use super::request::{Answer, Item, Request};
use super::task::{RequestSpec, TaskFile, Words};
use crate::comparison::Comparison;
use crate::uncertainty::BootstrapOptions;

/// How tasks are carried out.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RunOptions {
    /// How much is asked.
    pub prepare: PrepareOptions,
    /// How intervals are made.
    pub bootstrap: BootstrapOptions,
    /// Whether floors are left out.
    pub without_floors: bool,
}

/// A task that was carried out: what is reported, and every document behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// What is reported.
    pub report: TaskReport,
    /// The documents; none if the task was skipped.
    pub documents: Option<Documents>,
}

/// Carries out one task. `clock` says how many seconds have gone by, for the report.
///
/// A task whose data is absent is reported as skipped, with the file that is missing.
///
/// # Errors
/// A task that does not fit its data, a model that fails, or a floor that cannot be trained.
pub fn run_task(
    file: &TaskFile,
    root: &Path,
    model: &mut dyn Answerer,
    options: &RunOptions,
    clock: &dyn Fn() -> f64,
    progress: &mut Progress<'_>,
) -> Result<Outcome, HarnessError> {
    if let Some(absent) = file.files().into_iter().find(|file| !root.join(file).exists()) {
        let reason = format!("data absent: {}", absent.display());
        return Ok(Outcome { report: TaskReport::skipped(file, reason), documents: None });
    }
    let task = PreparedTask::new(file, root, options.prepare)?;
    let judge = Judge::new(&task, options.bootstrap)?;
    let mut outcome = judge.outcome(&task);
    judge.ask(model, &mut outcome, clock, progress)?;
    let floors = if options.without_floors { &[] } else { file.floors.as_slice() };
    for floor in floors {
        let start = clock();
        let mut answerer = floor.fit(&task)?;
        judge.ask(answerer.as_mut(), &mut outcome, &|| clock() - start, &mut |_, _| {})?;
    }
    judge.compare(&mut outcome)?;
    Ok(outcome)
}

/// Judges the answers of one task.
struct Judge<'a> {
    task: &'a PreparedTask,
    groups: Groups,
    extractors: Vec<Extractor>,
    words: Words,
    bootstrap: BootstrapOptions,
}

impl<'a> Judge<'a> {
    fn new(task: &'a PreparedTask, bootstrap: BootstrapOptions) -> Result<Self, HarnessError> {
        let names = |of: fn(&Item) -> &Option<String>| -> Vec<String> {
            task.items.iter().filter_map(|item| of(item).clone()).collect()
        };
        let groups =
            Groups { slices: names(|item| &item.slice), clusters: names(|item| &item.cluster) };
        let (extractors, words) = match &task.file.request {
            RequestSpec::Generation { extraction, words, .. } => {
                let extractor = |extraction| Extractor::new(extraction, &task.file.id);
                (extraction.iter().map(extractor).collect::<Result<_, _>>()?, *words)
            }
            _ => (Vec::new(), Words::default()),
        };
        Ok(Self { task, groups, extractors, words, bootstrap })
    }

    fn outcome(&self, task: &PreparedTask) -> Outcome {
        let report = TaskReport::new(task);
        let documents = Documents::new(task, self.groups.clone());
        Outcome { report, documents: Some(documents) }
    }

    /// Asks one answerer everything and adds it to the outcome.
    fn ask(
        &self,
        answerer: &mut dyn Answerer,
        outcome: &mut Outcome,
        clock: &dyn Fn() -> f64,
        progress: &mut Progress<'_>,
    ) -> Result<(), HarnessError> {
        let start = clock();
        let requests: Vec<&Request> = self.task.items.iter().map(|item| &item.request).collect();
        let answers = answerer.answer(&requests, progress)?;
        let name = answerer.name().to_owned();
        let Some(answers) = answers.into_iter().collect::<Option<Vec<Answer>>>() else {
            let reason = "cannot answer such questions".to_owned();
            outcome.report.answerers.push(AnswererReport::skipped(name, reason));
            return Ok(());
        };
        let measurements = self.measure(&answers)?;
        let scores = measurements.iter().map(|measurement| self.score(measurement));
        let scores = scores.collect::<Result<Vec<ScoreReport>, HarnessError>>()?;
        let seconds = clock() - start;
        outcome.report.answerers.push(AnswererReport {
            name: name.clone(),
            seconds,
            scores,
            skipped: None,
        });
        if let Some(documents) = &mut outcome.documents {
            documents.add(name, answers, measurements);
        }
        Ok(())
    }

    fn measure(&self, answers: &[Answer]) -> Result<Vec<Measurement>, HarnessError> {
        let mut measurements = Vec::new();
        for &metric in &self.task.file.metrics {
            if self.extractors.is_empty() {
                measurements.push(self.measurement(metric, None, answers)?);
            }
            for extractor in &self.extractors {
                measurements.push(self.measurement(metric, Some(extractor), answers)?);
            }
        }
        Ok(measurements)
    }

    fn measurement(
        &self,
        metric: Metric,
        extractor: Option<&Extractor>,
        answers: &[Answer],
    ) -> Result<Measurement, HarnessError> {
        let row = |(item, answer): (&Item, &Answer)| {
            let found = match (extractor, answer) {
                (Some(extractor), Answer::Text(text)) => {
                    &Answer::Text(extractor.find(text).unwrap_or_default().to_owned())
                }
                _ => answer,
            };
            metric.row(item, found, self.words).map_err(|source| self.failed(source))
        };
        let rows = self.task.items.iter().zip(answers).map(row).collect::<Result<_, _>>()?;
        let extraction = extractor.map(|extractor| extractor.name().to_owned());
        Ok(Measurement { metric, extraction, rows })
    }

    fn score(&self, measurement: &Measurement) -> Result<ScoreReport, HarnessError> {
        let failed = |source| self.failed(source);
        Ok(ScoreReport {
            metric: measurement.name(),
            higher_is_better: measurement.metric.higher_is_better(),
            estimate: measurement.estimate(&self.groups, &self.bootstrap).map_err(failed)?,
            slices: measurement.slices(&self.groups, &self.bootstrap).map_err(failed)?,
        })
    }

    /// Sets the model beside every floor, by the first metric.
    fn compare(&self, outcome: &mut Outcome) -> Result<(), HarnessError> {
        let Some(documents) = &outcome.documents else { return Ok(()) };
        let Some((model, floors)) = documents.answerers.split_first() else { return Ok(()) };
        if outcome.report.answerers.first().is_none_or(|report| report.name != model.name) {
            return Ok(()); // The model could not answer; the floors are only beside themselves.
        }
        for floor in floors {
            let (ours, theirs) = (&model.measurements[0], &floor.measurements[0]);
            let mut comparison: Comparison = ours
                .against(theirs, &self.groups, &self.bootstrap)
                .map_err(|source| self.failed(source))?;
            comparison.name = format!("{} against {}: {}", model.name, floor.name, ours.name());
            outcome.report.comparisons.push(comparison);
        }
        Ok(())
    }

    fn failed(&self, source: crate::EvaluationError) -> HarnessError {
        HarnessError::Score { task: self.task.file.id.clone(), source }
    }
}
