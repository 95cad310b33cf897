//! The percentile bootstrap of a corpus, of clusters of documents, and of the difference between
//! two systems on the same documents (Efron, "Bootstrap methods: another look at the jackknife",
//! 1979; Koehn, "Statistical significance tests for machine translation evaluation", EMNLP 2004).

use std::hash::Hash;

use serde::{Deserialize, Serialize};

use super::estimate::{Estimate, Method};
use super::percentile::{central_interval, check_confidence, variance};
use super::resamples::Resamples;
use crate::error::{EvaluationError, Result, same_length};
use crate::statistics::{CorpusMetric, Statistics};

/// How often the corpus is drawn, and what the interval is to hold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BootstrapOptions {
    /// Draws; 1000 by default.
    pub resamples: usize,
    /// How often such intervals hold the true figure; 0.95 by default.
    pub confidence: f64,
    /// The seed of the draws; 0 by default.
    pub seed: u64,
}

impl Default for BootstrapOptions {
    fn default() -> Self {
        Self { resamples: 1000, confidence: 0.95, seed: 0 }
    }
}

/// The figure of a corpus, with the interval over resampled documents.
///
/// It takes documents for independent; where they are not, as questions about one text,
/// [`clustered_bootstrap`] has the honest, wider interval.
pub fn bootstrap<M: CorpusMetric + ?Sized>(
    metric: &M,
    options: &BootstrapOptions,
) -> Result<Estimate> {
    check_confidence(options.confidence)?;
    let documents = metric.statistics().documents();
    let resamples = Resamples::seeded(documents, options.resamples, options.seed)?;
    let mut scores = resamples.scores(metric);
    Ok(Estimate {
        value: metric.value(),
        standard_error: variance(&scores).sqrt(),
        interval: central_interval(&mut scores, options.confidence),
        confidence: options.confidence,
        n: documents,
        method: Method::Bootstrap { resamples: options.resamples, seed: resamples.seed() },
    })
}

/// A figure that is no function of sums, as the area under a ROC curve: `figure` gets the positions
/// of the drawn documents and says none where the draw has no figure, as one of a single class.
/// Such draws are left out.
pub fn bootstrap_positions<F>(
    documents: usize,
    figure: F,
    options: &BootstrapOptions,
) -> Result<Estimate>
where
    F: Fn(&[usize]) -> Option<f64> + Sync,
{
    check_confidence(options.confidence)?;
    let undefined = EvaluationError::Undefined { what: "the figure", reason: "the data has none" };
    let resamples = Resamples::seeded(documents, options.resamples, options.seed)?;
    let all: Vec<usize> = (0..documents).collect();
    let value = figure(&all).ok_or(undefined.clone())?;
    let mut scores: Vec<f64> = resamples.map(figure).into_iter().flatten().collect();
    if scores.is_empty() {
        return Err(undefined);
    }
    Ok(Estimate {
        value,
        standard_error: variance(&scores).sqrt(),
        interval: central_interval(&mut scores, options.confidence),
        confidence: options.confidence,
        n: documents,
        method: Method::Bootstrap { resamples: scores.len(), seed: resamples.seed() },
    })
}

/// The figure of a corpus, with the interval over resampled clusters: documents that share a
/// cluster's name are drawn together.
pub fn clustered_bootstrap<M: CorpusMetric + ?Sized, K: Eq + Hash>(
    metric: &M,
    cluster_of: &[K],
    options: &BootstrapOptions,
) -> Result<Estimate> {
    let clustered = Clustered { metric, statistics: metric.statistics().clustered(cluster_of)? };
    let estimate = bootstrap(&clustered, options)?;
    let method = Method::ClusteredBootstrap {
        clusters: estimate.n,
        resamples: options.resamples,
        seed: options.seed,
    };
    Ok(Estimate { n: cluster_of.len(), method, ..estimate })
}

/// A metric over clusters instead of documents.
struct Clustered<'a, M: ?Sized> {
    metric: &'a M,
    statistics: Statistics,
}

impl<M: CorpusMetric + ?Sized> CorpusMetric for Clustered<'_, M> {
    fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    fn score_of(&self, sums: &[f64]) -> f64 {
        self.metric.score_of(sums)
    }
}

/// The difference between two systems on the same documents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairedBootstrap {
    /// The first system's figure less the second's.
    pub difference: Estimate,
    /// Two-sided p-value: the share of draws whose difference is as far from the observed one as
    /// that is from zero. A share of no draw at all means less than one by their number.
    pub p_value_shifted: f64,
    /// One-sided p-value: the share of draws in which the first system is not ahead.
    pub p_value_sign: f64,
}

/// Compares two systems on the same documents, in the same order, with seeded draws.
pub fn paired_bootstrap<A: CorpusMetric + ?Sized, B: CorpusMetric + ?Sized>(
    first: &A,
    second: &B,
    options: &BootstrapOptions,
) -> Result<PairedBootstrap> {
    let documents = first.statistics().documents();
    let resamples = Resamples::seeded(documents, options.resamples, options.seed)?;
    paired_bootstrap_over(first, second, &resamples, options.confidence)
}

/// Compares two systems on the same documents over given draws, which both systems share.
pub fn paired_bootstrap_over<A: CorpusMetric + ?Sized, B: CorpusMetric + ?Sized>(
    first: &A,
    second: &B,
    resamples: &Resamples,
    confidence: f64,
) -> Result<PairedBootstrap> {
    check_confidence(confidence)?;
    let documents = resamples.documents();
    same_length("documents of the first system", documents, first.statistics().documents())?;
    same_length("documents of the second system", documents, second.statistics().documents())?;
    let value = first.value() - second.value();
    let (of_first, of_second) = (resamples.scores(first), resamples.scores(second));
    let mut differences: Vec<f64> = of_first.iter().zip(&of_second).map(|(a, b)| a - b).collect();
    let share = |holds: &dyn Fn(f64) -> bool| {
        let number = differences.iter().filter(|difference| holds(**difference)).count();
        number as f64 / differences.len() as f64
    };
    // Differences that are equal on paper may differ in their last bit.
    let slack = 1e-12 * value.abs().max(1.0);
    let p_value_shifted = share(&|difference| (difference - value).abs() >= value.abs() - slack);
    let p_value_sign = share(&|difference| difference <= slack);
    let difference = Estimate {
        value,
        standard_error: variance(&differences).sqrt(),
        interval: central_interval(&mut differences, confidence),
        confidence,
        n: documents,
        method: Method::Bootstrap { resamples: resamples.number(), seed: resamples.seed() },
    };
    Ok(PairedBootstrap { difference, p_value_shifted, p_value_sign })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::DocumentMean;

    fn mean(scores: impl IntoIterator<Item = f64>) -> DocumentMean {
        DocumentMean::new(&scores.into_iter().collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn the_interval_of_a_mean_is_the_textbook_one() {
        let scores: Vec<f64> = (0..400).map(|i| f64::from(i % 20)).collect();
        let options = BootstrapOptions { resamples: 4000, ..Default::default() };
        let estimate = bootstrap(&mean(scores.clone()), &options).unwrap();
        let error = (variance(&scores) / 400.0).sqrt();
        assert_eq!(estimate.value, 9.5);
        assert!((estimate.standard_error / error - 1.0).abs() < 0.05);
        assert!((estimate.half_width() / (1.96 * error) - 1.0).abs() < 0.05);
    }

    #[test]
    fn documents_that_repeat_each_other_widen_only_the_clustered_interval() {
        // Forty different scores, ten times each.
        let scores = mean((0..400).map(|i| f64::from(i / 10)));
        let clusters: Vec<usize> = (0..400).map(|i| i / 10).collect();
        let options = BootstrapOptions::default();
        let alone = bootstrap(&scores, &options).unwrap();
        let together = clustered_bootstrap(&scores, &clusters, &options).unwrap();
        assert_eq!((alone.value, together.n), (together.value, 400));
        let wider = together.standard_error / alone.standard_error;
        assert!((wider - 10_f64.sqrt()).abs() < 0.3, "{wider}");
        assert!(matches!(together.method, Method::ClusteredBootstrap { clusters: 40, .. }));
    }

    #[test]
    fn pairing_removes_what_the_documents_share() {
        let shared = |i: usize| (i * 7919 % 100) as f64;
        let first = mean((0..200).map(|i| shared(i) + 1.0 + (i % 2) as f64));
        let second = mean((0..200).map(shared));
        let paired = paired_bootstrap(&first, &second, &BootstrapOptions::default()).unwrap();
        assert_eq!(paired.difference.value, 1.5);
        assert!(paired.difference.half_width() < 0.1);
        assert_eq!((paired.p_value_shifted, paired.p_value_sign), (0.0, 0.0));
        let same = paired_bootstrap(&first, &first, &BootstrapOptions::default()).unwrap();
        assert_eq!((same.p_value_shifted, same.p_value_sign), (1.0, 1.0));
    }

    #[test]
    fn a_figure_of_positions_agrees_with_the_same_figure_of_sums() {
        let scores: Vec<f64> = (0..100).map(|i| f64::from(i % 9)).collect();
        let options = BootstrapOptions { seed: 5, ..Default::default() };
        let of_sums = bootstrap(&mean(scores.clone()), &options).unwrap();
        let figure = |draw: &[usize]| Some(draw.iter().map(|at| scores[*at]).sum::<f64>() / 100.0);
        let of_positions = bootstrap_positions(100, figure, &options).unwrap();
        assert!((of_sums.interval.0 - of_positions.interval.0).abs() < 1e-12);
        assert!(bootstrap_positions(100, |_| None, &options).is_err());
    }

    #[test]
    fn systems_on_different_documents_are_an_error() {
        let options = BootstrapOptions::default();
        assert!(paired_bootstrap(&mean([1.0, 2.0]), &mean([1.0]), &options).is_err());
        assert!(bootstrap(&mean([]), &options).is_err());
        let options = BootstrapOptions { confidence: 1.0, ..options };
        assert!(bootstrap(&mean([1.0]), &options).is_err());
    }
}
