//! Metrics of a whole corpus as functions of sums over its documents.
//!
//! BLEU of a corpus is not the mean of its sentences' BLEU, but it is a function of sums: n-grams
//! that match, n-grams there are, lengths. The same is true of chrF, TER, word error rate and of
//! every mean. With one row of such numbers per document, a resample of the corpus costs a sum of
//! rows instead of a second look at the texts, so a thousand of them cost little.

use std::collections::HashMap;
use std::hash::Hash;

use serde::Serialize;

use crate::error::{Result, all_finite, same_length};

/// One row of numbers per document; every row has the same width.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Statistics {
    width: usize,
    values: Vec<f64>,
}

impl Statistics {
    /// No documents yet, `width` numbers for each.
    pub fn new(width: usize) -> Self {
        Self { width: width.max(1), values: Vec::new() }
    }

    /// Adds a document.
    ///
    /// # Panics
    /// If the row has another width; rows come from a metric, not from a user.
    pub fn push(&mut self, row: &[f64]) {
        assert_eq!(row.len(), self.width, "a row must be as wide as the others");
        self.values.extend_from_slice(row);
    }

    /// How many documents there are.
    pub fn documents(&self) -> usize {
        self.values.len() / self.width
    }

    /// How many numbers a document has.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The numbers of one document.
    pub fn row(&self, document: usize) -> &[f64] {
        &self.values[document * self.width..][..self.width]
    }

    /// The sums over all documents.
    pub fn sums(&self) -> Vec<f64> {
        let mut sums = vec![0.0; self.width];
        for row in self.values.chunks_exact(self.width) {
            add(&mut sums, row);
        }
        sums
    }

    /// One row per cluster, the sum of its documents' rows, in the order in which the clusters
    /// first occur. `cluster_of` names the cluster of every document.
    pub fn clustered<K: Eq + Hash>(&self, cluster_of: &[K]) -> Result<Self> {
        same_length("cluster names", self.documents(), cluster_of.len())?;
        let mut rows: HashMap<&K, usize> = HashMap::new();
        let mut clustered = Self::new(self.width);
        for (row, cluster) in self.values.chunks_exact(self.width).zip(cluster_of) {
            let next = rows.len();
            let at = *rows.entry(cluster).or_insert(next);
            if at == next {
                clustered.values.extend_from_slice(row);
            } else {
                add(&mut clustered.values[at * self.width..][..self.width], row);
            }
        }
        Ok(clustered)
    }
}

/// Adds a row to sums.
pub(crate) fn add(sums: &mut [f64], row: &[f64]) {
    for (sum, value) in sums.iter_mut().zip(row) {
        *sum += value;
    }
}

/// A figure of a corpus that depends on its documents only through the sums of their statistics.
pub trait CorpusMetric: Sync {
    /// The statistics of every document.
    fn statistics(&self) -> &Statistics;

    /// The figure of a corpus whose statistics sum to `sums`.
    fn score_of(&self, sums: &[f64]) -> f64;

    /// The figure of the corpus itself.
    fn value(&self) -> f64 {
        self.score_of(&self.statistics().sums())
    }
}

/// The mean of one score per document: accuracy from 0 and 1, sentence scores, losses.
#[derive(Clone, Debug, PartialEq)]
pub struct DocumentMean {
    statistics: Statistics,
}

impl DocumentMean {
    /// The mean of `scores`, one per document, which must be finite.
    pub fn new(scores: &[f64]) -> Result<Self> {
        all_finite("score", scores)?;
        let mut statistics = Statistics::new(2);
        for &score in scores {
            statistics.push(&[score, 1.0]);
        }
        Ok(Self { statistics })
    }

    /// The share of documents that are right.
    pub fn of_correct(correct: &[bool]) -> Self {
        let mut statistics = Statistics::new(2);
        for &correct in correct {
            statistics.push(&[f64::from(u8::from(correct)), 1.0]);
        }
        Self { statistics }
    }

    /// The mean over items of documents that have several: sums and numbers of items, document by
    /// document. Bits per byte are such a mean, with bits as sums and bytes as items.
    pub fn of_sums(sums: &[f64], items: &[f64]) -> Result<Self> {
        same_length("numbers of items", sums.len(), items.len())?;
        all_finite("sum", sums)?;
        all_finite("number of items", items)?;
        let mut statistics = Statistics::new(2);
        for (&sum, &items) in sums.iter().zip(items) {
            statistics.push(&[sum, items]);
        }
        Ok(Self { statistics })
    }
}

impl CorpusMetric for DocumentMean {
    fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    fn score_of(&self, sums: &[f64]) -> f64 {
        if sums[1] == 0.0 { 0.0 } else { sums[0] / sums[1] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_sum_their_documents_in_order_of_appearance() {
        let mean = DocumentMean::new(&[1.0, 2.0, 3.0, 4.0]).unwrap();
        let clustered = mean.statistics().clustered(&["b", "a", "b", "c"]).unwrap();
        assert_eq!(clustered.documents(), 3);
        assert_eq!(clustered.row(0), [4.0, 2.0]);
        assert_eq!(clustered.row(2), [4.0, 1.0]);
        assert_eq!(clustered.sums(), mean.statistics().sums());
        assert!(mean.statistics().clustered(&[0]).is_err());
    }

    #[test]
    fn a_score_that_is_no_number_is_an_error_with_its_place() {
        let error = DocumentMean::new(&[0.0, f64::NAN]).unwrap_err().to_string();
        assert_eq!(error, "score at position 1: expected a finite number, found NaN");
    }
}
