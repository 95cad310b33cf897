//! Figures of the rows of a metric: over all documents, over slices, and of two runs side by side.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::figure::Figure;
use super::metric::{Aggregate, Metric};
use crate::comparison::Comparison;
use crate::error::{Result, not_empty, same_length};
use crate::uncertainty::{BootstrapOptions, Estimate, Method, bootstrap, wilson};

/// What a metric made of every document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// The metric.
    pub metric: Metric,
    /// How the answer was found, where a task has several ways.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extraction: Option<String>,
    /// One row for each document.
    pub rows: Vec<Vec<f64>>,
}

/// What documents have in common.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Groups {
    /// The slice of each document; empty where the task has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slices: Vec<String>,
    /// The cluster of each document; empty where the task has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clusters: Vec<String>,
}

impl Measurement {
    /// Its name: that of the metric, with the way of finding the answer.
    pub fn name(&self) -> String {
        match &self.extraction {
            Some(extraction) => format!("{},{extraction}", self.metric.name()),
            None => self.metric.name().to_owned(),
        }
    }

    /// The figure with its interval: Wilson's for shares, else of resampled documents or clusters.
    ///
    /// # Errors
    /// No documents.
    pub fn estimate(&self, groups: &Groups, options: &BootstrapOptions) -> Result<Estimate> {
        let all: Vec<usize> = (0..self.rows.len()).collect();
        self.estimate_of(&all, groups, options)
    }

    /// The figures of the slices.
    ///
    /// # Errors
    /// No documents.
    pub fn slices(
        &self,
        groups: &Groups,
        options: &BootstrapOptions,
    ) -> Result<BTreeMap<String, Estimate>> {
        let mut members: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (document, slice) in groups.slices.iter().enumerate() {
            members.entry(slice).or_default().push(document);
        }
        let estimate = |(slice, members): (&str, Vec<usize>)| {
            Ok((slice.to_owned(), self.estimate_of(&members, groups, options)?))
        };
        members.into_iter().map(estimate).collect()
    }

    fn estimate_of(
        &self,
        documents: &[usize],
        groups: &Groups,
        options: &BootstrapOptions,
    ) -> Result<Estimate> {
        not_empty("documents", documents.len())?;
        let figure = Figure::new(self, documents)?;
        if !groups.clusters.is_empty() {
            return clustered(figure, &groups.clusters_of(documents), options);
        }
        if self.is_share() {
            let right = documents.iter().filter(|&&document| self.rows[document][0] == 1.0);
            return wilson(right.count(), documents.len(), options.confidence);
        }
        bootstrap(&figure, options)
    }

    /// Whether it is the share of documents with a 1.
    fn is_share(&self) -> bool {
        self.metric.aggregate() == Aggregate::Mean
            && self.rows.iter().all(|row| row[0] == 0.0 || row[0] == 1.0)
    }

    /// How this run stands beside `other` on the same documents.
    ///
    /// # Errors
    /// Other documents, or none.
    pub fn against(
        &self,
        other: &Self,
        groups: &Groups,
        options: &BootstrapOptions,
    ) -> Result<Comparison> {
        let count = self.rows.len();
        same_length("documents of the other run", count, other.rows.len())?;
        not_empty("documents", count)?;
        let all: Vec<usize> = (0..count).collect();
        if self.metric.aggregate() == Aggregate::Mean && groups.clusters.is_empty() {
            let scores = |run: &Self| run.rows.iter().map(|row| row[0]).collect::<Vec<f64>>();
            return Comparison::of_scores(self.name(), &scores(self), &scores(other), options);
        }
        let figure = |run: &Self| {
            let figure = Figure::new(run, &all)?;
            if groups.clusters.is_empty() {
                return Ok(figure);
            }
            figure.clustered(&groups.clusters_of(&all))
        };
        Comparison::of_metrics(self.name(), &figure(self)?, &figure(other)?, options)
    }
}

impl Groups {
    fn clusters_of(&self, documents: &[usize]) -> Vec<&str> {
        documents.iter().map(|&document| self.clusters[document].as_str()).collect()
    }
}

/// The figure over resampled clusters.
fn clustered(figure: Figure, cluster_of: &[&str], options: &BootstrapOptions) -> Result<Estimate> {
    let estimate = bootstrap(&figure.clustered(cluster_of)?, options)?;
    let method = Method::ClusteredBootstrap {
        clusters: estimate.n,
        resamples: options.resamples,
        seed: options.seed,
    };
    Ok(Estimate { n: cluster_of.len(), method, ..estimate })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measurement(metric: Metric, rows: &[&[f64]]) -> Measurement {
        let rows = rows.iter().map(|row| row.to_vec()).collect();
        Measurement { metric, extraction: None, rows }
    }

    fn value(metric: Metric, rows: &[&[f64]]) -> f64 {
        let options = BootstrapOptions { resamples: 10, ..Default::default() };
        measurement(metric, rows).estimate(&Groups::default(), &options).unwrap().value
    }

    #[test]
    fn figures_are_those_of_their_definitions() {
        assert_eq!(value(Metric::Acc, &[&[1.0], &[0.0]]), 0.5);
        let (a, b): (&[f64], &[f64]) = (&[-2.0, 1.0], &[-1.0, 2.0]);
        assert!((value(Metric::WordPerplexity, &[a, b]) - 1f64.exp()).abs() < 1e-12);
        assert!((value(Metric::BitsPerByte, &[a, b]) - 1.0 / 2f64.ln()).abs() < 1e-12);
        let entities: &[&[f64]] = &[&[1.0, 2.0, 1.0], &[0.0, 0.0, 1.0]];
        assert_eq!(value(Metric::EntityF1, entities), 0.5);
        let calibration: &[&[f64]] = &[&[0.75, 1.0], &[0.75, 0.0], &[1.0, 1.0]];
        assert!((value(Metric::Ece, calibration) - 0.5 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn figures_of_classes_are_those_of_the_confusion_matrix() {
        use crate::classification::{Average, ConfusionMatrix};
        let (truth, predicted) = ([0, 0, 1, 2, 2, 2], [0, 1, 1, 2, 0, 2]);
        let matrix = ConfusionMatrix::new(&truth, &predicted, 3).unwrap();
        let rows: Vec<Vec<f64>> =
            truth.iter().zip(&predicted).map(|(t, p)| vec![*t as f64, *p as f64]).collect();
        let rows: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
        let f1 = matrix.average(Average::Macro, |class| class.f1());
        assert!((value(Metric::MacroF1, &rows) - f1).abs() < 1e-12);
        assert!((value(Metric::Mcc, &rows) - matrix.matthews()).abs() < 1e-12);
        let balanced = value(Metric::BalancedAccuracy, &rows);
        assert!((balanced - matrix.balanced_accuracy()).abs() < 1e-12);
    }

    #[test]
    fn shares_have_wilsons_interval_and_clusters_a_wider_one() {
        let rows: Vec<Vec<f64>> = (0..100).map(|i| vec![f64::from(u8::from(i < 50))]).collect();
        let acc = Measurement { metric: Metric::Acc, extraction: None, rows };
        let options = BootstrapOptions::default();
        let alone = acc.estimate(&Groups::default(), &options).unwrap();
        assert_eq!(alone.method, Method::Wilson);
        let clusters = (0..100).map(|i| (i / 10).to_string()).collect();
        let groups = Groups { clusters, ..Groups::default() };
        let together = acc.estimate(&groups, &options).unwrap();
        assert_eq!((together.value, together.n), (0.5, 100));
        assert!(together.half_width() > 2.0 * alone.half_width());
    }

    #[test]
    fn slices_have_their_own_figures() {
        let acc = measurement(Metric::Acc, &[&[1.0], &[0.0], &[1.0]]);
        let slices = ["x", "y", "x"].map(str::to_owned).to_vec();
        let groups = Groups { slices, ..Groups::default() };
        let slices = acc.slices(&groups, &BootstrapOptions::default()).unwrap();
        assert_eq!((slices["x"].value, slices["x"].n, slices["y"].value), (1.0, 2, 0.0));
    }

    #[test]
    fn runs_are_compared_document_by_document() {
        let one: Vec<Vec<f64>> = (0..50).map(|i| vec![f64::from(u8::from(i < 40))]).collect();
        let two: Vec<Vec<f64>> = (0..50).map(|i| vec![f64::from(u8::from(i < 20))]).collect();
        let acc = |rows| Measurement { metric: Metric::Acc, extraction: None, rows };
        let compared =
            acc(one).against(&acc(two), &Groups::default(), &BootstrapOptions::default()).unwrap();
        assert!((compared.difference.value - 0.4).abs() < 1e-12);
        assert!(compared.p_value() < 1e-4);
    }
}
