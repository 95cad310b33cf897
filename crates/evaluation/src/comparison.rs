//! Two runs over the same documents: how far apart they are, how sure that is, and whether it
//! matters.
//!
//! A [`Comparison`] puts together what [`uncertainty`](crate::uncertainty) has: the difference with
//! its interval by paired bootstrap, the p-value of a permutation test, and McNemar's where scores
//! are right or wrong. A p-value says whether there is a difference, not whether it is large, so
//! [`EffectSizes`] stand beside it. A table of many comparisons has its p-values [`adjust`]ed.

use serde::{Deserialize, Serialize};

use crate::error::{EvaluationError, Result, same_length};
use crate::statistics::{CorpusMetric, DocumentMean};
use crate::tails::normal_quantile;
use crate::uncertainty::{
    BootstrapOptions, Estimate, McNemar, benjamini_hochberg, bonferroni, cohen_d_paired, holm,
    mann_whitney, paired_bootstrap, paired_permutation,
};

/// Permutations of the permutation test. Its smallest p-value is one by this number and one, which
/// a correction for a hundred comparisons leaves below 0.05.
const PERMUTATIONS: usize = 9999;

/// Two runs over the same documents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// What is compared, as the name of a task or a metric.
    pub name: String,
    /// The first run's figure.
    pub first: f64,
    /// The second run's.
    pub second: f64,
    /// The first less the second, with the interval over resampled documents.
    pub difference: Estimate,
    /// Two-sided p-value of the paired permutation test.
    pub permutation_p: f64,
    /// McNemar's test, where every score is 0 or 1.
    pub mcnemar: Option<McNemar>,
    /// How large the difference is; none for a figure of a corpus that is no mean over documents.
    pub effect: Option<EffectSizes>,
    /// The p-value after [`adjust`].
    pub adjusted_p: Option<f64>,
}

/// How large a difference between two runs' scores is, in ways that do not depend on how many
/// documents there are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EffectSizes {
    /// Documents on which the first is better, on which the second is, and on which both score the
    /// same.
    pub wins_losses_ties: (usize, usize, usize),
    /// The mean difference by the differences' standard deviation; none if they do not vary.
    pub cohen_d: Option<f64>,
    /// How much more probable it is that a score of the first exceeds one of the second than the
    /// other way round, over all pairs of documents (Cliff, 1993).
    pub cliff_delta: f64,
    /// Where scores are 0 or 1: the odds that, where only one is right, it is the first.
    pub odds_ratio: Option<OddsRatio>,
}

/// An odds ratio of pairs and its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OddsRatio {
    /// Documents that only the first has right by those that only the second has, each with a half
    /// added where one of them is none.
    pub value: f64,
    /// Wald's interval of its logarithm, as odds.
    pub interval: (f64, f64),
}

impl Comparison {
    /// Compares two runs by one score per document, in the same order; more is better.
    pub fn of_scores(
        name: impl Into<String>,
        first: &[f64],
        second: &[f64],
        options: &BootstrapOptions,
    ) -> Result<Self> {
        same_length("scores of the second run", first.len(), second.len())?;
        let (means, other) = (DocumentMean::new(first)?, DocumentMean::new(second)?);
        let mut comparison = Self::of_metrics(name, &means, &other, options)?;
        comparison.mcnemar = mcnemar(first, second)?;
        let odds = comparison.mcnemar.as_ref();
        let odds = odds.map(|test| OddsRatio::of_pairs(test.b10, test.b01, options.confidence));
        comparison.effect = Some(EffectSizes::new(first, second, odds)?);
        Ok(comparison)
    }

    /// Compares two runs by a figure of the corpus, as BLEU or micro F1, of one kind and with the
    /// same options.
    pub fn of_metrics<M: CorpusMetric + ?Sized>(
        name: impl Into<String>,
        first: &M,
        second: &M,
        options: &BootstrapOptions,
    ) -> Result<Self> {
        let difference = paired_bootstrap(first, second, options)?.difference;
        let permutation = paired_permutation(first, second, PERMUTATIONS, options.seed)?;
        Ok(Self {
            name: name.into(),
            first: first.value(),
            second: second.value(),
            difference,
            permutation_p: permutation.p_value,
            mcnemar: None,
            effect: None,
            adjusted_p: None,
        })
    }

    /// The p-value to report: McNemar's exact one where there is one, which needs no random
    /// numbers, else the permutation test's.
    pub fn p_value(&self) -> f64 {
        self.mcnemar.as_ref().map_or(self.permutation_p, |test| test.exact_p)
    }
}

impl EffectSizes {
    fn new(first: &[f64], second: &[f64], odds_ratio: Option<OddsRatio>) -> Result<Self> {
        let count = |holds: fn(f64, f64) -> bool| {
            first.iter().zip(second).filter(|(a, b)| holds(**a, **b)).count()
        };
        let (wins, losses) = (count(|a, b| a > b), count(|a, b| a < b));
        let n = first.len();
        let cohen_d = match cohen_d_paired(first, second) {
            Ok(d) => Some(d),
            Err(EvaluationError::Undefined { .. }) => None,
            Err(error) => return Err(error),
        };
        Ok(Self {
            wins_losses_ties: (wins, losses, n - wins - losses),
            cohen_d,
            cliff_delta: 2.0 * mann_whitney(first, second)?.u / (n * n) as f64 - 1.0,
            odds_ratio,
        })
    }
}

impl OddsRatio {
    fn of_pairs(only_first: u64, only_second: u64, confidence: f64) -> Self {
        let (mut a, mut b) = (only_first as f64, only_second as f64);
        if a == 0.0 || b == 0.0 {
            (a, b) = (a + 0.5, b + 0.5);
        }
        let half = normal_quantile(0.5 + confidence / 2.0) * (1.0 / a + 1.0 / b).sqrt();
        let value = a / b;
        Self { value, interval: (value * (-half).exp(), value * half.exp()) }
    }
}

/// McNemar's test where all scores are 0 or 1.
fn mcnemar(first: &[f64], second: &[f64]) -> Result<Option<McNemar>> {
    if first.iter().chain(second).any(|score| *score != 0.0 && *score != 1.0) {
        return Ok(None);
    }
    let right = |scores: &[f64]| scores.iter().map(|score| *score == 1.0).collect::<Vec<bool>>();
    McNemar::new(&right(first), &right(second)).map(Some)
}

/// How p-values of a table are adjusted for their number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Correction {
    /// Holm's: bounds the chance of any false alarm in the table.
    #[default]
    Holm,
    /// Bonferroni's: the same with less power, and simpler to repeat by hand.
    Bonferroni,
    /// Benjamini and Hochberg's: bounds the share of false alarms among the alarms.
    BenjaminiHochberg,
}

/// Adjusts the p-values of a table for the number of its rows.
pub fn adjust(comparisons: &mut [Comparison], correction: Correction) -> Result<()> {
    let p_values: Vec<f64> = comparisons.iter().map(Comparison::p_value).collect();
    let adjusted = match correction {
        Correction::Holm => holm(&p_values),
        Correction::Bonferroni => bonferroni(&p_values),
        Correction::BenjaminiHochberg => benjamini_hochberg(&p_values),
    }?;
    for (comparison, adjusted) in comparisons.iter_mut().zip(adjusted) {
        comparison.adjusted_p = Some(adjusted);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binary(pattern: &str) -> Vec<f64> {
        pattern.bytes().map(|byte| f64::from(byte - b'0')).collect()
    }

    #[test]
    fn right_or_wrong_by_hand() {
        let (first, second) = (binary("1111110000"), binary("1110001000"));
        let options = BootstrapOptions::default();
        let found = Comparison::of_scores("task", &first, &second, &options).unwrap();
        assert_eq!((found.first, found.second), (0.6, 0.4));
        assert!((found.difference.value - 0.2).abs() < 1e-12);
        // Three only the first has right, one only the second: 2 · (1 + 4) / 16.
        assert!((found.p_value() - 0.625).abs() < 1e-12);
        // Of the sixteen ways of signs, ten are as far apart.
        assert!((found.permutation_p - 0.625).abs() < 0.02, "{}", found.permutation_p);
        let effect = found.effect.unwrap();
        assert_eq!(effect.wins_losses_ties, (3, 1, 6));
        // P(first right, second wrong) − P(the reverse) = 0.6 · 0.6 − 0.4 · 0.4.
        assert!((effect.cliff_delta - 0.2).abs() < 1e-12);
        let odds = effect.odds_ratio.unwrap();
        let half = 1.959_963_985 * (4.0_f64 / 3.0).sqrt();
        assert!((odds.value - 3.0).abs() < 1e-12);
        assert!((odds.interval.0 - 3.0 * (-half).exp()).abs() < 1e-6);
    }

    #[test]
    fn graded_scores_have_no_mcnemar_and_equal_ones_no_cohen_d() {
        let options = BootstrapOptions::default();
        let first = [0.5, 0.25, 0.75, 0.5];
        let found = Comparison::of_scores("task", &first, &first, &options).unwrap();
        assert_eq!((found.mcnemar.as_ref(), found.p_value()), (None, 1.0));
        let effect = found.effect.unwrap();
        assert_eq!((effect.cohen_d, effect.odds_ratio, effect.cliff_delta), (None, None, 0.0));
        assert!(Comparison::of_scores("task", &first, &first[1..], &options).is_err());
        assert!(Comparison::of_scores("task", &[], &[], &options).is_err());
    }

    #[test]
    fn pairs_without_a_loss_have_finite_odds() {
        let odds = OddsRatio::of_pairs(4, 0, 0.95);
        assert_eq!(odds.value, 9.0);
        assert!(odds.interval.0 > 0.0 && odds.interval.1.is_finite());
        assert_eq!(OddsRatio::of_pairs(0, 0, 0.95).value, 1.0);
    }

    #[test]
    fn a_table_is_adjusted_by_the_p_values_that_are_reported() {
        let options = BootstrapOptions::default();
        let (first, second) = (binary("1111110000"), binary("1110001000"));
        let one = Comparison::of_scores("a", &first, &second, &options).unwrap();
        let better = [vec![1.0; 10], vec![0.0; 10]];
        let two = Comparison::of_scores("b", &better[0], &better[1], &options).unwrap();
        let mut table = [one, two];
        adjust(&mut table, Correction::Holm).unwrap();
        assert!((table[0].adjusted_p.unwrap() - 0.625).abs() < 1e-12);
        assert!((table[1].adjusted_p.unwrap() - 4.0 / 1024.0).abs() < 1e-12);
        adjust(&mut table, Correction::Bonferroni).unwrap();
        assert_eq!(table[0].adjusted_p, Some(1.0));
        adjust(&mut table, Correction::BenjaminiHochberg).unwrap();
        assert!((table[0].adjusted_p.unwrap() - 0.625).abs() < 1e-12);
    }
}
