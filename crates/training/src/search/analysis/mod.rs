//! What a study has found, as plain figures for a report.

mod forest;
mod importance;

use serde::{Deserialize, Serialize};

pub use importance::Importance;

use super::{Record, Trial, TrialState};

/// One trial of the history.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HistoryPoint {
    /// The trial's number.
    pub number: u64,
    /// Its value.
    pub value: f64,
    /// Whether it was stopped before its end.
    pub pruned: bool,
    /// The best value of a finished trial up to this one, if there is one.
    pub best: Option<f64>,
}

/// A parallel-coordinates plot: a vertical axis per parameter, a line per trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ParallelCoordinates {
    /// One per parameter.
    pub axes: Vec<Axis>,
    /// One per finished trial, worst first, so that the best are drawn on top.
    pub lines: Vec<Line>,
}

/// An axis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    /// The parameter's key.
    pub parameter: String,
    /// Places from 0 to 1, and what stands there.
    pub ticks: Vec<(f64, String)>,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The trial's number.
    pub number: u64,
    /// Its value.
    pub value: f64,
    /// From 0 for the worst to 1 for the best of the finished trials, by rank.
    pub goodness: f64,
    /// Its place on each axis; none where the parameter is not active.
    pub places: Vec<Option<f64>>,
}

/// How many trials are in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Came to their end.
    pub finished: usize,
    /// Were stopped early.
    pub pruned: usize,
    /// Have no value.
    pub failed: usize,
    /// Are not over.
    pub open: usize,
}

/// Ticks of a numeric axis, and of one with few values.
const TICKS: usize = 5;
const MOST_TICKS: usize = 12;

impl Record {
    /// Trials by state.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for trial in &self.trials {
            match trial.state {
                TrialState::Finished(_) => counts.finished += 1,
                TrialState::Pruned { .. } => counts.pruned += 1,
                TrialState::Failed { .. } => counts.failed += 1,
                TrialState::Waiting | TrialState::Running => counts.open += 1,
            }
        }
        counts
    }

    /// Trials that have a value, by number, with the best so far.
    pub fn history(&self) -> Vec<HistoryPoint> {
        let direction = self.config.direction;
        let mut best: Option<f64> = None;
        let mut point = |trial: &Trial| {
            let (value, pruned) = match &trial.state {
                TrialState::Finished(measured) => (measured.value, false),
                TrialState::Pruned { value, .. } => (*value, true),
                _ => return None,
            };
            let is_better =
                |best: f64| direction.loss(value).total_cmp(&direction.loss(best)).is_lt();
            if !pruned && best.is_none_or(is_better) {
                best = Some(value);
            }
            Some(HistoryPoint { number: trial.number, value, pruned, best })
        };
        self.trials.iter().filter_map(&mut point).collect()
    }

    /// Finished trials as lines over the parameters.
    pub fn parallel_coordinates(&self) -> ParallelCoordinates {
        let mut finished: Vec<(f64, &Trial)> =
            self.trials.iter().filter_map(|trial| Some((trial.value()?, trial))).collect();
        let loss = |value: f64| self.config.direction.loss(value);
        // Of equals the first is the best, so it comes last.
        finished.sort_by(|a, b| loss(b.0).total_cmp(&loss(a.0)).then(b.1.number.cmp(&a.1.number)));
        let last = finished.len().saturating_sub(1).max(1) as f64;
        let line = |(rank, (value, trial)): (usize, &(f64, &Trial))| Line {
            number: trial.number,
            value: *value,
            goodness: rank as f64 / last,
            places: self.space.point(&trial.parameters),
        };
        let lines = finished.iter().enumerate().map(line).collect();
        ParallelCoordinates { axes: self.axes(), lines }
    }

    fn axes(&self) -> Vec<Axis> {
        let axis = |parameter: &super::Parameter| {
            let domain = &parameter.domain;
            let few = domain.levels().is_some_and(|levels| levels <= MOST_TICKS as u64);
            let values = domain.grid(if few { MOST_TICKS } else { TICKS });
            let tick = |value: &super::Value| Some((domain.unit(value)?, label(value)));
            Axis {
                parameter: parameter.key.clone(),
                ticks: values.iter().filter_map(tick).collect(),
            }
        };
        self.space.parameters().iter().map(axis).collect()
    }
}

/// A value in few characters.
fn label(value: &super::Value) -> String {
    match value {
        super::Value::Float(value) if *value == 0.0 => "0".to_string(),
        super::Value::Float(value) if (1e-2..1e4).contains(&value.abs()) => {
            let digits = (2 - value.abs().log10().floor() as i32).max(0) as usize;
            let text = format!("{value:.digits$}");
            if text.contains('.') {
                text.trim_end_matches('0').trim_end_matches('.').to_string()
            } else {
                text
            }
        }
        super::Value::Float(value) => format!("{value:.1e}"),
        super::Value::Text(value) => value.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::Value;

    #[test]
    fn labels_are_short() {
        let cases = [
            (0.0, "0"),
            (0.9, "0.9"),
            (0.03162, "0.0316"),
            (1.0, "1"),
            (316.23, "316"),
            (1e-5, "1.0e-5"),
            (-2.5, "-2.5"),
        ];
        for (value, expected) in cases {
            assert_eq!(label(&Value::Float(value)), expected);
        }
        assert_eq!(label(&Value::Text("adam w".into())), "adam w");
    }
}
