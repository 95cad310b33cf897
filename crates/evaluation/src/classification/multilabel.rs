//! Documents that may have several labels, or none.

use super::counts::{Average, BinaryCounts, average, ratio};
use crate::error::{Result, not_empty, same_length};

/// True and predicted labels of documents, one yes or no per document and label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MultiLabel {
    labels: Vec<BinaryCounts>,
    documents: Vec<BinaryCounts>,
}

impl MultiLabel {
    /// From rows as long as there are labels, one per document.
    pub fn new(truth: &[Vec<bool>], predicted: &[Vec<bool>]) -> Result<Self> {
        not_empty("documents", truth.len())?;
        same_length("rows of predictions", truth.len(), predicted.len())?;
        let mut labels = vec![BinaryCounts::default(); truth[0].len()];
        let mut documents = Vec::with_capacity(truth.len());
        for (truth, predicted) in truth.iter().zip(predicted) {
            same_length("labels in a row", labels.len(), truth.len())?;
            documents.push(BinaryCounts::new(truth, predicted)?);
            let answers = truth.iter().zip(predicted);
            labels.iter_mut().zip(answers).for_each(|(label, (yes, said))| label.add(*yes, *said));
        }
        Ok(Self { labels, documents })
    }

    /// The counts of every label.
    pub fn per_label(&self) -> &[BinaryCounts] {
        &self.labels
    }

    /// One figure of the counts of all labels. Unlike a class, a label that never occurs and is
    /// never predicted counts in the macro average, with 0, as in scikit-learn.
    pub fn average(&self, how: Average, figure: impl Fn(&BinaryCounts) -> f64) -> f64 {
        match how {
            Average::Macro => {
                self.labels.iter().map(&figure).sum::<f64>() / self.labels.len().max(1) as f64
            }
            _ => average(&self.labels, how, figure),
        }
    }

    /// The mean over documents of a figure of the document's own counts.
    pub fn average_over_documents(&self, figure: impl Fn(&BinaryCounts) -> f64) -> f64 {
        self.documents.iter().map(figure).sum::<f64>() / self.documents.len() as f64
    }

    /// The share of documents with all labels right.
    pub fn subset_accuracy(&self) -> f64 {
        let right = |counts: &&BinaryCounts| counts.false_positives + counts.false_negatives == 0;
        ratio(self.documents.iter().filter(right).count() as u64, self.documents.len() as u64)
    }

    /// The share of wrong answers among all documents and labels.
    pub fn hamming_loss(&self) -> f64 {
        1.0 - self.average(Average::Micro, BinaryCounts::accuracy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_by_hand() {
        let truth = [vec![true, false], vec![true, true], vec![false, false]];
        let predicted = [vec![true, false], vec![false, true], vec![false, false]];
        let labels = MultiLabel::new(&truth, &predicted).unwrap();
        assert_eq!(labels.subset_accuracy(), 2.0 / 3.0);
        assert!((labels.hamming_loss() - 1.0 / 6.0).abs() < 1e-12);
        assert_eq!(labels.average(Average::Macro, BinaryCounts::recall), 0.75);
        // The third document has nothing to find, which is 0.
        let samples = labels.average_over_documents(BinaryCounts::f1);
        assert!((samples - (1.0 + 2.0 / 3.0) / 3.0).abs() < 1e-12);
    }

    #[test]
    fn rows_that_do_not_fit_are_errors() {
        assert!(MultiLabel::new(&[vec![true]], &[vec![true, false]]).is_err());
        assert!(MultiLabel::new(&[vec![true], vec![]], &[vec![true], vec![]]).is_err());
        assert!(MultiLabel::new(&[], &[]).is_err());
    }
}
