//! Hyperband (Li et al. 2018): successive halving in several brackets, each with a later first rung and
//! fewer trials, for it is not known how early a curve tells how it will end.
//!
//! Trials are dealt to brackets by their numbers, in the proportions of the paper, and judged within their
//! bracket only.

use serde::{Deserialize, Serialize};

use super::{Curve, Pruner, SuccessiveHalving, at_least};
use crate::search::SearchError;

/// Where the rungs are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hyperband {
    /// Steps to the first rung of the first bracket.
    pub min_steps: u64,
    /// Steps of a whole trial.
    pub max_steps: u64,
    /// One of this many goes on.
    pub reduction_factor: u64,
}

impl Default for Hyperband {
    fn default() -> Self {
        Self { min_steps: 1, max_steps: 81, reduction_factor: 3 }
    }
}

impl Hyperband {
    pub(super) fn checked(&self) -> Result<Self, SearchError> {
        self.bracket_rule(0).checked()?;
        at_least("max_steps", self.min_steps, self.max_steps)?;
        Ok(self.clone())
    }

    /// Number of brackets.
    pub fn brackets(&self) -> u32 {
        // ⌊log(max / min)⌋ + 1, in whole numbers.
        (self.max_steps / self.min_steps).checked_ilog(self.reduction_factor).unwrap_or(0) + 1
    }

    fn bracket_rule(&self, bracket: u32) -> SuccessiveHalving {
        let factor = self.reduction_factor.saturating_pow(bracket);
        SuccessiveHalving {
            min_steps: self.min_steps.saturating_mul(factor),
            reduction_factor: self.reduction_factor,
        }
    }

    /// Trials of a bracket for each round over all brackets: `⌈(brackets) / (s + 1) · ηˢ⌉`, where *s* is
    /// how many rungs it has below the last.
    fn trials(&self, bracket: u32) -> u64 {
        let brackets = u64::from(self.brackets());
        let s = self.brackets() - 1 - bracket;
        (brackets * self.reduction_factor.saturating_pow(s)).div_ceil(u64::from(s) + 1)
    }

    /// The bracket that a trial belongs to. Each prefix of the numbers is dealt as evenly as can be.
    pub fn bracket(&self, number: u64) -> u32 {
        let trials: Vec<u64> = (0..self.brackets()).map(|bracket| self.trials(bracket)).collect();
        let round: u64 = trials.iter().sum();
        let mut dealt = vec![0_u64; trials.len()];
        let mut last = 0;
        for at in 1..=number % round + 1 {
            // Whoever is furthest behind its share.
            let behind = |&bracket: &usize| {
                i128::from(trials[bracket]) * i128::from(at)
                    - i128::from(dealt[bracket]) * i128::from(round)
            };
            last = (0..trials.len()).rev().max_by_key(behind).expect("there is a bracket");
            dealt[last] += 1;
        }
        last as u32
    }
}

impl Pruner for Hyperband {
    fn stops(&self, number: u64, curves: &[Curve]) -> bool {
        let bracket = self.bracket(number);
        let same = |other| self.bracket(other) == bracket;
        self.bracket_rule(bracket).stops_among(number, curves, same)
    }
}

#[cfg(test)]
mod tests {
    use super::super::curve;
    use super::*;

    #[test]
    fn brackets_have_the_proportions_of_the_paper() {
        // Table 1 of the paper: R = 81 and η = 3 give 81, 34, 15, 8 and 5 configurations.
        let hyperband = Hyperband::default();
        assert_eq!(hyperband.brackets(), 5);
        let counts: Vec<u64> = (0..5).map(|bracket| hyperband.trials(bracket)).collect();
        assert_eq!(counts, [81, 34, 15, 8, 5]);
        let mut dealt = [0; 5];
        for number in 0..143 {
            dealt[hyperband.bracket(number) as usize] += 1;
        }
        assert_eq!(dealt, [81, 34, 15, 8, 5]);
        assert_eq!(hyperband.bracket(0), hyperband.bracket(143));
        let first: std::collections::BTreeSet<u32> =
            (0..30).map(|n| hyperband.bracket(n)).collect();
        assert_eq!(first.len(), 5, "all brackets occur early");
    }

    #[test]
    fn trials_are_judged_within_their_bracket() {
        let hyperband = Hyperband { min_steps: 1, max_steps: 3, reduction_factor: 3 };
        let (early, late): (Vec<u64>, Vec<u64>) =
            (0..5).partition(|number| hyperband.bracket(*number) == 0);
        assert_eq!((early.len(), late.len()), (3, 2));
        let curves = vec![
            curve(early[0], &[(1, 0.1)], false),
            curve(early[1], &[(1, 0.2)], false),
            curve(late[0], &[(1, 0.9)], false),
        ];
        assert!(hyperband.stops(early[1], &curves));
        assert!(!hyperband.stops(late[0], &curves), "its first rung is at 3");
        assert!(Hyperband { min_steps: 5, max_steps: 4, ..hyperband }.checked().is_err());
    }
}
