//! The tree-structured Parzen estimator (Bergstra et al. 2011).
//!
//! Trials are divided into a few good ones and the rest, and a density is estimated for each: *l* where
//! the good ones are, *g* where the others are. Expected improvement grows with *l / g*, so some
//! candidates are drawn from *l* and the one with the highest ratio is proposed.
//!
//! Parameters with the same conditions are estimated jointly (Falkner et al. 2018) unless asked
//! otherwise. A conditional space is a tree: first the parameters that are always active, then those that
//! the values just chosen make active, each group from the trials in which it was active.

mod parzen;

use serde::{Deserialize, Serialize};

use super::{Observation, Question, Random, Sampler, Standing, at_least_one};
use crate::search::SearchError;
use crate::search::space::{Assignment, Point};
use parzen::{Bandwidth, Parzen};

/// The share of trials that are good, and their number at most.
const GOOD_SHARE: f64 = 0.1;
const MAX_GOOD: usize = 25;

/// How the estimator works.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tpe {
    /// Trials that are drawn at random before there is something to go by.
    pub startup_trials: usize,
    /// Draws from the density of good trials, of which the best is proposed.
    pub candidates: usize,
    /// Estimate parameters jointly, so that what depends on each other is found together.
    pub multivariate: bool,
}

impl Default for Tpe {
    fn default() -> Self {
        Self { startup_trials: 10, candidates: 24, multivariate: true }
    }
}

impl Tpe {
    pub(super) fn checked(&self) -> Result<Self, SearchError> {
        at_least_one("candidates", self.candidates)?;
        Ok(self.clone())
    }

    fn groups(&self, question: &Question) -> Vec<Vec<usize>> {
        let groups = question.space.groups();
        if self.multivariate {
            return groups;
        }
        groups.into_iter().flatten().map(|index| vec![index]).collect()
    }
}

impl Sampler for Tpe {
    fn propose(&self, question: &Question) -> Option<Assignment> {
        if question.told() < self.startup_trials.max(1) {
            return Random.propose(question);
        }
        let (space, mut dice) = (question.space, question.dice());
        let points = question.points();
        let (good, rest) = divide(question.history);
        let mut proposal: Point = vec![None; space.parameters().len()];
        for group in self.groups(question) {
            if !space.is_active(group[0], &proposal) {
                continue;
            }
            let bandwidth =
                if self.multivariate { Bandwidth::Joint } else { Bandwidth::Neighbours };
            let density = |trials: &[usize]| {
                let active = trials.iter().map(|&trial| &points[trial]);
                Parzen::new(space, &group, active, bandwidth)
            };
            let (l, g) = (density(&good), density(&rest));
            let candidates = (0..self.candidates).map(|_| l.draw(&mut dice));
            let rated = candidates.map(|x| (l.log_density(&x) - g.log_density(&x), x));
            let (_, best) = rated.max_by(|a, b| a.0.total_cmp(&b.0))?;
            for (&index, unit) in group.iter().zip(best) {
                proposal[index] = Some(unit);
            }
        }
        Some(space.assignment(&proposal))
    }
}

/// Positions of the good trials and of the rest, both in the order of the trials.
fn divide(history: &[Observation]) -> (Vec<usize>, Vec<usize>) {
    let mut order: Vec<usize> = (0..history.len()).collect();
    order.sort_by(|&a, &b| rank(&history[a].standing).total_cmp(&rank(&history[b].standing)));
    let known = history
        .iter()
        .filter(|trial| matches!(trial.standing, Standing::Finished(_) | Standing::Stopped { .. }));
    let good = ((known.count() as f64 * GOOD_SHARE).ceil() as usize).min(MAX_GOOD);
    let mut rest = order.split_off(good);
    order.sort_unstable();
    rest.sort_unstable();
    (order, rest)
}

/// What trials are ordered by. Those that were stopped come behind all that finished, the sooner the
/// further; those that failed and those that still run behind them, as if they were bad (a constant
/// liar), which keeps workers from trying the same thing at once.
fn rank(standing: &Standing) -> Rank {
    match *standing {
        Standing::Finished(loss) => Rank(0, 0, loss),
        Standing::Stopped { step, loss } => Rank(1, u64::MAX - step, loss),
        Standing::Failed => Rank(2, 0, 0.0),
        Standing::Running => Rank(3, 0, 0.0),
    }
}

struct Rank(u8, u64, f64);

impl Rank {
    fn total_cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.0, self.1).cmp(&(other.0, other.1)).then(self.2.total_cmp(&other.2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finished_trials_are_better_than_stopped_ones_and_those_than_the_rest() {
        let trial = |standing| Observation { assignment: Assignment::default(), standing };
        let history = [
            trial(Standing::Running),
            trial(Standing::Failed),
            trial(Standing::Stopped { step: 3, loss: 0.0 }),
            trial(Standing::Stopped { step: 9, loss: 5.0 }),
            trial(Standing::Finished(2.0)),
            trial(Standing::Finished(1.0)),
        ];
        let mut order: Vec<usize> = (0..6).collect();
        order.sort_by(|&a, &b| rank(&history[a].standing).total_cmp(&rank(&history[b].standing)));
        assert_eq!(order, [5, 4, 3, 2, 1, 0]);
        assert_eq!(divide(&history), (vec![5], vec![0, 1, 2, 3, 4]));
    }
}
