//! Bayesian optimisation: a Gaussian process and expected improvement (Jones et al. 1998; Snoek et al.
//! 2012).
//!
//! Logarithmic scales are warped before the process sees them, and whole numbers are seen where they are
//! (Garrido-Merchán & Hernández-Lobato 2020). A parameter without an order has a coordinate per choice;
//! one that is not active stands in the middle, where its condition alone tells it apart. Trials that
//! still run are believed to end as the process expects (Ginsbourger et al. 2010), so that workers do not
//! all try the same.

mod cholesky;
mod regression;

use serde::{Deserialize, Serialize};
use wuji_data::Dice;

use super::{Observation, Question, Random, Sampler, Standing, at_least_one, random};
use crate::search::SearchError;
use crate::search::normal::log_expected_improvement;
use crate::search::space::{Assignment, Point, SearchSpace};
use regression::{Hyperparameters, Process, Row};

/// Uniform draws among which the search for the highest expected improvement begins.
const DRAWS: usize = 400;
/// Places from which it goes on, and steps from each.
const CLIMBS: usize = 5;
const STEPS: usize = 60;
/// Length of the first step and of the last.
const LONGEST: f64 = 0.2;
const SHORTEST: f64 = 0.002;

/// How the sampler works.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GaussianProcess {
    /// Trials that are drawn at random before there is something to go by.
    pub startup_trials: usize,
    /// Trials that the process sees at most, the best and the latest: its work grows with their cube.
    pub max_observations: usize,
}

impl Default for GaussianProcess {
    fn default() -> Self {
        Self { startup_trials: 10, max_observations: 200 }
    }
}

impl GaussianProcess {
    pub(super) fn checked(&self) -> Result<Self, SearchError> {
        at_least_one("max_observations", self.max_observations)?;
        Ok(self.clone())
    }
}

impl Sampler for GaussianProcess {
    fn propose(&self, question: &Question) -> Option<Assignment> {
        let is_early = question.told() < self.startup_trials;
        let known = (!is_early).then(|| Known::new(question, self.max_observations)).flatten();
        let Some(search) = known.and_then(|known| Improvement::new(question.space, known)) else {
            return Random.propose(question);
        };
        // What has been tried already tells nothing new where values have no noise.
        let best = search.highest(&question.points(), &mut question.dice())?;
        Some(question.space.assignment(&best))
    }
}

/// Where values are known, and where they will be.
struct Known {
    points: Vec<Point>,
    /// Losses with mean 0 and variance 1.
    values: Vec<f64>,
    pending: Vec<Point>,
}

impl Known {
    /// `None` while no trial has a loss.
    fn new(question: &Question, most: usize) -> Option<Self> {
        let losses = losses(question.history)?;
        let (mut points, mut values, mut pending) = (Vec::new(), Vec::new(), Vec::new());
        for (point, loss) in question.points().into_iter().zip(losses) {
            match loss {
                Some(loss) => {
                    points.push(point);
                    values.push(loss);
                }
                None => pending.push(point),
            }
        }
        let kept = kept(&values, most);
        let points = kept.iter().map(|&i| points[i].clone()).collect();
        let values = standardised(&kept.iter().map(|&i| values[i]).collect::<Vec<_>>());
        Some(Self { points, values, pending })
    }
}

/// The loss of each trial that is over. Those that failed are taken for as bad as the worst; without
/// that, the process would propose them again and again.
fn losses(history: &[Observation]) -> Option<Vec<Option<f64>>> {
    let loss = |trial: &Observation| match trial.standing {
        Standing::Finished(loss) | Standing::Stopped { loss, .. } => Some(loss),
        Standing::Failed | Standing::Running => None,
    };
    let worst = history.iter().filter_map(loss).max_by(f64::total_cmp)?;
    let filled = |trial: &Observation| match trial.standing {
        Standing::Failed => Some(worst),
        _ => loss(trial),
    };
    Some(history.iter().map(filled).collect())
}

/// Positions of half as many of the best as may be kept, and of the latest others.
fn kept(values: &[f64], most: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    if values.len() > most {
        order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
        let mut others = order.split_off(most.div_ceil(2));
        others.sort_unstable();
        order.extend(others.into_iter().rev().take(most / 2));
        order.sort_unstable();
    }
    order
}

fn standardised(values: &[f64]) -> Vec<f64> {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    let deviation = if variance > 0.0 { variance.sqrt() } else { 1.0 };
    values.iter().map(|value| (value - mean) / deviation).collect()
}

/// The expected improvement over a space.
struct Improvement<'a> {
    space: &'a SearchSpace,
    process: Process,
    /// The lowest loss that the process believes it has seen.
    best: f64,
    /// Places that were good so far, best first.
    good: Vec<Point>,
}

impl<'a> Improvement<'a> {
    fn new(space: &'a SearchSpace, known: Known) -> Option<Self> {
        let Known { points, mut values, pending } = known;
        let mut rows: Vec<Row> = points.iter().map(|point| row(space, point)).collect();
        let hyper = Hyperparameters::fit(&rows, &values);
        let process = Process::new(&hyper, rows.clone(), &values)?;
        let means: Vec<f64> = rows.iter().map(|row| process.predict(row).0).collect();
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by(|&a, &b| means[a].total_cmp(&means[b]));
        let good = order.iter().take(CLIMBS).map(|&i| points[i].clone()).collect();
        let best = means[order[0]];
        if pending.is_empty() {
            return Some(Self { space, process, best, good });
        }
        for point in &pending {
            let row = row(space, point);
            values.push(process.predict(&row).0);
            rows.push(row);
        }
        let process = Process::new(&hyper, rows, &values)?;
        Some(Self { space, process, best, good })
    }

    fn log_value(&self, point: &Point) -> f64 {
        let (mean, deviation) = self.process.predict(&row(self.space, point));
        deviation.ln() + log_expected_improvement((self.best - mean) / deviation)
    }

    /// The place with the highest value that was found and is none of `seen`; where only those are left,
    /// one of them.
    fn highest(&self, seen: &[Point], dice: &mut Dice) -> Option<Point> {
        let draws = (0..DRAWS).map(|_| random::draw(self.space, dice)).collect::<Vec<_>>();
        let mut found: Vec<(f64, Point)> =
            draws.into_iter().map(|point| (self.log_value(&point), point)).collect();
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        let best_draws: Vec<Point> =
            found.iter().take(CLIMBS).map(|(_, point)| point.clone()).collect();
        for start in best_draws.iter().chain(&self.good) {
            self.climb(start, dice, &mut found);
        }
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        let is_new = |(_, point): &&(f64, Point)| !seen.contains(point);
        found.iter().find(is_new).or(found.first()).map(|(_, point)| point.clone())
    }

    /// Goes up in random steps that become shorter, and notes every place that was higher.
    fn climb(&self, start: &Point, dice: &mut Dice, found: &mut Vec<(f64, Point)>) {
        let mut units: Vec<f64> = start.iter().map(|unit| unit.unwrap_or(0.5)).collect();
        let mut value = f64::NEG_INFINITY;
        for step in 0..STEPS {
            let share = step as f64 / (STEPS - 1) as f64;
            let length = LONGEST * (SHORTEST / LONGEST).powf(share);
            let moved = self.moved(&units, length, dice);
            let point = self.space.snap(&moved);
            let higher = self.log_value(&point);
            if higher > value {
                (value, units) = (higher, moved);
                found.push((higher, point));
            }
        }
    }

    /// Each place moved, or one of them alone.
    fn moved(&self, units: &[f64], length: f64, dice: &mut Dice) -> Vec<f64> {
        let alone = dice.chance(0.5).then(|| dice.below(units.len()));
        let mut moved = units.to_vec();
        for (index, unit) in moved.iter_mut().enumerate() {
            if alone.is_some_and(|alone| alone != index) {
                continue;
            }
            let is_categorical = self.space.parameters()[index].domain.is_categorical();
            if !is_categorical {
                let uniform = dice.fraction().clamp(1e-12, 1.0 - 1e-12);
                *unit = (*unit + length * crate::search::normal::quantile(uniform)).clamp(0.0, 1.0);
            } else if alone.is_some() || dice.chance(0.1) {
                *unit = dice.fraction();
            }
        }
        moved
    }
}

/// The coordinates of each parameter.
fn row(space: &SearchSpace, point: &Point) -> Row {
    let coordinates = |(parameter, unit): (&crate::search::Parameter, &Option<f64>)| {
        let domain = &parameter.domain;
        if !domain.is_categorical() {
            return vec![unit.unwrap_or(0.5)];
        }
        let levels = domain.levels().expect("choices are finitely many") as usize;
        let mut choices = vec![0.0; levels];
        if let Some(unit) = unit {
            choices[domain.choice(*unit)] = 1.0;
        }
        choices
    };
    space.parameters().iter().zip(point).map(coordinates).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(standing: Standing) -> Observation {
        Observation { assignment: Assignment::default(), standing }
    }

    #[test]
    fn failures_count_as_the_worst_and_running_trials_not_at_all() {
        let history = [
            trial(Standing::Finished(1.0)),
            trial(Standing::Failed),
            trial(Standing::Stopped { step: 1, loss: 3.0 }),
            trial(Standing::Running),
        ];
        assert_eq!(losses(&history), Some(vec![Some(1.0), Some(3.0), Some(3.0), None]));
        assert_eq!(losses(&history[1..2]), None);
    }

    #[test]
    fn the_best_and_the_latest_are_kept() {
        let values = [9.0, 0.0, 8.0, 7.0, 1.0, 6.0, 5.0];
        assert_eq!(kept(&values, 4), [1, 4, 5, 6]);
        assert_eq!(kept(&values, 7).len(), 7);
        assert_eq!(kept(&values, 1), [1]);
    }

    #[test]
    fn values_that_are_all_equal_do_not_divide_by_zero() {
        assert_eq!(standardised(&[2.0, 2.0]), [0.0, 0.0]);
    }

    #[test]
    fn a_small_space_is_tried_out_before_anything_is_tried_twice() {
        let space = SearchSpace::from_toml("[parameters.a]\nkind='int'\nlow=0\nhigh=11\n").unwrap();
        let sampler = GaussianProcess { startup_trials: 2, ..GaussianProcess::default() };
        let mut history: Vec<Observation> = Vec::new();
        for number in 0..14 {
            let question = Question { space: &space, seed: 5, number, history: &history };
            let assignment = sampler.propose(&question).unwrap();
            let unit = space.point(&assignment)[0].unwrap();
            history
                .push(Observation { assignment, standing: Standing::Finished((unit - 0.3).abs()) });
        }
        let tried: std::collections::BTreeSet<String> =
            history.iter().map(|trial| trial.assignment.to_string()).collect();
        assert!(tried.len() >= 11, "{tried:?}");
    }
}
