//! `report.html`: a search, for people. It has no reference to anything outside itself.

use minijinja::Environment as Templates;
use serde::Serialize;
use wuji_training::search::{Direction, Record, Trial, TrialState};

use super::{SearchSummary, charts};
use crate::WujiError;
use crate::pretrain::RunDir;

const HTML: &str = include_str!("report.html");

/// What the template sees.
#[derive(Serialize)]
struct Values<'a> {
    summary: &'a SearchSummary,
    title: &'static str,
    /// Keys and values of the best trial, as TOML spells them.
    best: Vec<(&'a str, String)>,
    history: String,
    importances: String,
    parallel_coordinates: String,
    trials: Vec<Row>,
}

/// A trial in the table.
#[derive(Serialize)]
struct Row {
    number: u64,
    state: &'static str,
    value: Option<f64>,
    standard_error: Option<f64>,
    seconds: Option<f64>,
    parameters: Vec<String>,
    note: String,
}

impl Row {
    fn of(trial: &Trial) -> Self {
        let (value, standard_error, note) = match &trial.state {
            TrialState::Finished(found) => (Some(found.value), found.standard_error, String::new()),
            TrialState::Pruned { step, value } => (Some(*value), None, format!("at step {step}")),
            TrialState::Failed { reason } => (None, None, reason.clone()),
            TrialState::Waiting | TrialState::Running => (None, None, String::new()),
        };
        Self {
            number: trial.number,
            state: trial.state.name(),
            value,
            standard_error,
            seconds: trial.seconds,
            parameters: trial.parameters.settings(),
            note,
        }
    }
}

/// Writes `summary.json` and `report.html` into the search's directory.
///
/// # Errors
/// A file that cannot be written.
pub fn write_report(record: &Record, summary: &SearchSummary) -> Result<(), WujiError> {
    let dir = RunDir::create(&summary.dir)?;
    dir.write_json("summary.json", summary)?;
    dir.write("report.html", &html(record, summary)?)
}

fn html(record: &Record, summary: &SearchSummary) -> Result<String, WujiError> {
    let mut templates = Templates::new();
    templates.add_filter("fixed", |value: f64, digits: usize| format!("{value:.digits$}"));
    templates.add_filter("scientific", |value: f64| format!("{value:.1e}"));
    let best = summary.best.iter().flat_map(|best| best.parameters.iter());
    let values = minijinja::Value::from(minijinja::value::Serde(Values {
        summary,
        title: match summary.direction {
            Direction::Minimize => "lowest value",
            Direction::Maximize => "highest value",
        },
        best: best.map(|(key, value)| (key, value.to_string())).collect(),
        history: charts::history(&record.history()),
        importances: charts::importances(&summary.importances),
        parallel_coordinates: charts::parallel_coordinates(&record.parallel_coordinates()),
        trials: record.trials.iter().map(Row::of).collect(),
    }));
    templates
        .render_named_str("search.html", HTML, &values)
        .map_err(|error| WujiError::Render { what: "search report", reason: format!("{error:#}") })
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use wuji_training::search::{
        Budget, Halt, Measured, Median, PrunerConfig, SearchSpace, Study, StudyConfig, Workers,
    };

    use super::*;

    #[test]
    fn a_report_shows_every_kind_of_trial_and_nothing_from_elsewhere() {
        let dir = tempfile::tempdir().unwrap();
        let space = SearchSpace::from_toml(
            "[parameters.'a.<x>']\nkind='float'\nlow=0\nhigh=1\n\
             [parameters.b]\nkind='categorical'\nchoices=['p&q','r']\n",
        )
        .unwrap();
        let config = StudyConfig {
            budget: Budget { trials: Some(30), seconds: None },
            pruner: PrunerConfig::Median(Median::default()),
            ..StudyConfig::default()
        };
        let mut study = Study::create(dir.path(), space, config).unwrap();
        let workers =
            Workers { count: NonZeroUsize::MIN, clock: &|| 0.0, stop: &|| false, watch: &|_| {} };
        study
            .run(&workers, &|running| {
                let text = running.trial().parameters.get("a.<x>").unwrap().to_string();
                let value: f64 = text.parse()?;
                match running.trial().number {
                    7 => return Err(Halt::Failed("<broken>".into())),
                    number => running.report(number % 3, value)?,
                }
                Ok(Measured::of_folds(&[value, value + 0.1]))
            })
            .unwrap();
        let record = study.record();
        let summary = SearchSummary::new(dir.path(), record, None);
        write_report(record, &summary).unwrap();
        let html = std::fs::read_to_string(dir.path().join("report.html")).unwrap();
        assert!(html.contains("&lt;broken&gt;") && html.contains("a.&lt;x&gt;"));
        assert!(html.contains("p&amp;q") && !html.contains("a.<x>"));
        assert!(record.counts().pruned > 0 && html.contains("pruned"));
        assert_eq!(html.matches("<svg ").count(), 3);
        assert!(!html.contains("http") && !html.contains("src="));
        let json = std::fs::read_to_string(dir.path().join("summary.json")).unwrap();
        assert_eq!(serde_json::from_str::<SearchSummary>(&json).unwrap(), summary);
        let best = summary.best.unwrap();
        assert!(best.measured.standard_error.unwrap() > 0.04);
    }

    #[test]
    fn a_search_without_a_value_has_a_report() {
        let dir = tempfile::tempdir().unwrap();
        let space = SearchSpace::from_toml("[parameters.a]\nkind='bool'\n").unwrap();
        let study = Study::create(dir.path(), space, StudyConfig::default()).unwrap();
        let summary = SearchSummary::new(dir.path(), study.record(), None);
        write_report(study.record(), &summary).unwrap();
        assert_eq!(summary.best, None);
    }
}
