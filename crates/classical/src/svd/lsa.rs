//! Latent semantic analysis (Deerwester et al. 1990, "Indexing by latent semantic analysis"): texts as
//! short dense vectors, in which words that occur in the same texts are nearly the same.

use serde::{Deserialize, Serialize};

use super::{SvdOptions, TruncatedSvd};
use crate::{ClassicalError, SparseMatrix};

/// Directions of the space of terms along which a set of texts differs most.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lsa {
    singular_values: Vec<f64>,
    /// A row per term, a column per direction.
    directions: Vec<f64>,
}

impl Lsa {
    /// Learns the directions of `rows`, as [`TfIdf::transform`](crate::TfIdf::transform) gives them.
    ///
    /// # Errors
    /// A rank of 0.
    pub fn fit(rows: &SparseMatrix, options: &SvdOptions) -> Result<Self, ClassicalError> {
        let svd = TruncatedSvd::of(rows, options)?;
        Ok(Self { singular_values: svd.singular_values, directions: svd.right })
    }

    /// How much of the texts lies along each direction, the most first.
    pub fn singular_values(&self) -> &[f64] {
        &self.singular_values
    }

    /// A vector per row, of as many numbers as there are directions. The rows have the columns of those
    /// that were learnt from.
    pub fn transform(&self, rows: &SparseMatrix) -> Vec<Vec<f64>> {
        rows.scores(&self.directions, &vec![0.0; self.singular_values.len()])
    }
}
