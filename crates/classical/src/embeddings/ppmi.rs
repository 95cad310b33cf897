//! How much more often words stand together than by chance, and vectors from that (Levy, Goldberg and
//! Dagan 2015, "Improving distributional similarity with lessons learned from word embeddings").

use serde::{Deserialize, Serialize};

use super::{Cooccurrence, WordVectors, WordVocabulary};
use crate::{ClassicalError, SparseMatrix, SvdOptions, TruncatedSvd};

/// Positive pointwise mutual information of a word and a neighbour:
/// `max(0, ln(P(word, neighbour) / (P(word) · P(neighbour))) − ln shift)`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ppmi {
    /// What word2vec's number of negative samples comes to; 1 takes away nothing.
    pub shift: f64,
    /// The power that neighbours' counts are raised to before they are probabilities. Below 1, rare
    /// neighbours are less of a surprise.
    pub context_smoothing: f64,
}

impl Default for Ppmi {
    fn default() -> Self {
        Self { shift: 1.0, context_smoothing: 0.75 }
    }
}

impl Ppmi {
    /// Weighs counts that are not negative, a row per word, a column per neighbour.
    ///
    /// # Errors
    /// A shift or a power that is not positive.
    pub fn weigh(&self, counts: &SparseMatrix) -> Result<SparseMatrix, ClassicalError> {
        for (name, found) in [("shift", self.shift), ("context_smoothing", self.context_smoothing)]
        {
            if !(found > 0.0 && found.is_finite()) {
                let expected = "a positive number";
                return Err(ClassicalError::Setting { name, found, expected });
            }
        }
        let mut contexts = vec![0.0; counts.width()];
        for row in counts.rows() {
            for (&column, &count) in row.columns.iter().zip(row.values) {
                contexts[column as usize] += f64::from(count);
            }
        }
        contexts.iter_mut().for_each(|count| *count = count.powf(self.context_smoothing));
        let total: f64 = contexts.iter().sum();
        let rows = counts.rows().map(|row| {
            let sum: f64 = row.values.iter().map(|&count| f64::from(count)).sum();
            let information = |(&column, &count): (&u32, &f32)| {
                let chance = sum * contexts[column as usize] / total;
                (column, ((f64::from(count) / chance).ln() - self.shift.ln()) as f32)
            };
            let pairs = row.columns.iter().zip(row.values).map(information);
            pairs.filter(|(_, information)| *information > 0.0).collect()
        });
        Ok(SparseMatrix::from_rows(counts.width(), rows))
    }
}

/// Word vectors that are counts made short: the singular vectors of the mutual information.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PpmiSvd {
    /// How neighbours are counted.
    pub cooccurrence: Cooccurrence,
    /// How counts are weighed.
    pub ppmi: Ppmi,
    /// How the matrix is made short; the rank is the length of a vector.
    pub svd: SvdOptions,
    /// The power of the singular values that vectors are scaled by. The paper finds 0 and ½ better than
    /// the 1 of a plain decomposition.
    pub eigenvalue_weighting: f64,
}

impl Default for PpmiSvd {
    fn default() -> Self {
        Self {
            cooccurrence: Cooccurrence::default(),
            ppmi: Ppmi::default(),
            svd: SvdOptions::default(),
            eigenvalue_weighting: 0.5,
        }
    }
}

impl PpmiSvd {
    /// Vectors of the words of `vocabulary` from documents of their ids. They are shorter than asked for
    /// when the matrix has a lower rank.
    ///
    /// # Errors
    /// Options that make no sense, an id outside the vocabulary, or no tokens at all.
    pub fn train<D: AsRef<[u32]>>(
        &self,
        vocabulary: &WordVocabulary,
        documents: &[D],
    ) -> Result<WordVectors, ClassicalError> {
        if !self.eigenvalue_weighting.is_finite() {
            let (name, found) = ("eigenvalue_weighting", self.eigenvalue_weighting);
            return Err(ClassicalError::Setting { name, found, expected: "a finite number" });
        }
        let counts = self.cooccurrence.count(vocabulary.len(), documents)?;
        let svd = TruncatedSvd::of(&self.ppmi.weigh(&counts)?, &self.svd)?;
        let scale = |value: &f64| value.powf(self.eigenvalue_weighting);
        let scales: Vec<f64> = svd.singular_values().iter().map(scale).collect();
        let scaled = svd.left().iter().zip(scales.iter().cycle()).map(|(v, s)| (v * s) as f32);
        WordVectors::new(vocabulary.words().to_vec(), svd.rank(), scaled.collect())
    }
}
