//! What a contamination check found.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::ngrams::NgramOptions;
use crate::error::{EvaluationError, Result, same_length};
use crate::statistics::DocumentMean;
use crate::uncertainty::{BootstrapOptions, Estimate, bootstrap, wilson};

/// How much of a document was seen in training.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentContamination {
    /// Its n-grams; none in a document that is shorter than one, which cannot be checked.
    pub ngrams: usize,
    /// How many of them were seen.
    pub seen: usize,
    /// Bytes of its longest span all of whose n-grams were seen, though perhaps in different
    /// training texts.
    pub longest: Option<Range<usize>>,
}

impl DocumentContamination {
    /// The share of its n-grams that was seen; none where there are no n-grams.
    pub fn fraction(&self) -> Option<f64> {
        (self.ngrams > 0).then(|| self.seen as f64 / self.ngrams as f64)
    }

    /// Whether at least `threshold` of it was seen, and anything at all; of a document that cannot
    /// be checked this is not known, and it counts as clean.
    pub fn is_dirty(&self, threshold: f64) -> bool {
        self.seen > 0 && self.fraction().is_some_and(|fraction| fraction >= threshold)
    }
}

/// How much of an evaluation set was seen in training.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContaminationReport {
    /// Which n-grams were compared.
    pub options: NgramOptions,
    /// Every document, in the order given.
    pub documents: Vec<DocumentContamination>,
}

/// A score of the documents that were not seen in training beside that of those that were.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CleanAndDirty {
    /// Over all documents.
    pub all: Estimate,
    /// Over the clean ones; none if there are none.
    pub clean: Option<Estimate>,
    /// Over the dirty ones; none if there are none.
    pub dirty: Option<Estimate>,
}

impl ContaminationReport {
    /// The documents that can be checked.
    fn checked(&self) -> Vec<&DocumentContamination> {
        self.documents.iter().filter(|document| document.ngrams > 0).collect()
    }

    /// The share of dirty documents among those that can be checked, with Wilson's interval.
    pub fn share_of_documents(&self, threshold: f64, confidence: f64) -> Result<Estimate> {
        check_threshold(threshold)?;
        let checked = self.checked();
        let dirty = checked.iter().filter(|document| document.is_dirty(threshold)).count();
        wilson(dirty, checked.len(), confidence)
    }

    /// The mean share of seen n-grams over the documents that can be checked, with an interval
    /// over resampled documents.
    pub fn mean_fraction(&self, options: &BootstrapOptions) -> Result<Estimate> {
        let fractions: Vec<f64> =
            self.documents.iter().filter_map(DocumentContamination::fraction).collect();
        bootstrap(&DocumentMean::new(&fractions)?, options)
    }

    /// The mean of one score per document, for clean and dirty documents apart. A model that is
    /// much better on what it has seen has learned the set by heart; where both are alike, the
    /// overlap did no harm that shows.
    pub fn split_scores(
        &self,
        scores: &[f64],
        threshold: f64,
        options: &BootstrapOptions,
    ) -> Result<CleanAndDirty> {
        check_threshold(threshold)?;
        same_length("scores of documents", self.documents.len(), scores.len())?;
        let all = bootstrap(&DocumentMean::new(scores)?, options)?;
        let side = |dirty: bool| -> Result<Option<Estimate>> {
            let pairs = self.documents.iter().zip(scores);
            let of_side = pairs.filter(|(document, _)| document.is_dirty(threshold) == dirty);
            let scores: Vec<f64> = of_side.map(|(_, score)| *score).collect();
            let estimate = || bootstrap(&DocumentMean::new(&scores)?, options);
            (!scores.is_empty()).then(estimate).transpose()
        };
        Ok(CleanAndDirty { all, clean: side(false)?, dirty: side(true)? })
    }
}

fn check_threshold(threshold: f64) -> Result<()> {
    if (0.0..=1.0).contains(&threshold) {
        return Ok(());
    }
    let (expected, found) = ("a number from 0 to 1", threshold.to_string());
    Err(EvaluationError::InvalidOption { option: "threshold", expected, found })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(documents: &[(usize, usize)]) -> ContaminationReport {
        let document = |(ngrams, seen): &(usize, usize)| DocumentContamination {
            ngrams: *ngrams,
            seen: *seen,
            longest: None,
        };
        let documents = documents.iter().map(document).collect();
        ContaminationReport { options: NgramOptions::default(), documents }
    }

    #[test]
    fn documents_that_cannot_be_checked_are_in_no_share() {
        let report = report(&[(10, 10), (10, 1), (10, 0), (0, 0)]);
        let share = |threshold| report.share_of_documents(threshold, 0.95).unwrap();
        assert_eq!((share(0.0).value, share(0.0).n), (2.0 / 3.0, 3));
        assert_eq!(share(0.5).value, 1.0 / 3.0);
        let mean = report.mean_fraction(&BootstrapOptions::default()).unwrap();
        assert!((mean.value - 1.1 / 3.0).abs() < 1e-12 && mean.n == 3);
        assert!(report.share_of_documents(1.5, 0.95).is_err());
    }

    #[test]
    fn scores_are_split_into_seen_and_unseen() {
        let report = report(&[(10, 10), (10, 1), (10, 0), (0, 0)]);
        let options = BootstrapOptions::default();
        let split = report.split_scores(&[1.0, 0.5, 0.0, 0.25], 0.5, &options).unwrap();
        assert_eq!(split.all.value, 0.4375);
        assert_eq!(split.dirty.map(|dirty| (dirty.value, dirty.n)), Some((1.0, 1)));
        assert_eq!(split.clean.map(|clean| (clean.value, clean.n)), Some((0.25, 3)));
        assert!(report.split_scores(&[1.0], 0.5, &options).is_err());
        let clean = self::report(&[(10, 0)]).split_scores(&[1.0], 0.0, &options).unwrap();
        assert_eq!(clean.dirty, None);
    }
}
