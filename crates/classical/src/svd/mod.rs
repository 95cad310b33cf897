//! The largest singular values of a sparse matrix and their vectors, by a randomised algorithm
//! (Halko, Martinsson and Tropp 2011, "Finding structure with randomness", algorithms 4.4 and 5.1).
//!
//! The matrix is multiplied with a few random vectors; what comes out spans nearly the space of its
//! largest singular vectors, and more nearly so after each further multiplication with the matrix and
//! its transpose. The rest is a small dense problem.

mod dense;
mod lsa;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};

pub(crate) use dense::{Dense, eigenvectors};
pub use lsa::Lsa;

use crate::random::uniform_within;
use crate::{ClassicalError, SparseMatrix};

/// How a matrix is taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SvdOptions {
    /// Singular values to find.
    pub rank: usize,
    /// Random vectors more than that. They make the last values exact.
    pub oversampling: usize,
    /// Multiplications with the matrix and its transpose. The slower the singular values fall, the more
    /// are needed; four suffice for texts.
    pub power_iterations: usize,
    /// Seed of the random vectors.
    pub seed: u64,
}

impl Default for SvdOptions {
    fn default() -> Self {
        Self { rank: 100, oversampling: 10, power_iterations: 4, seed: 0 }
    }
}

/// The best approximation of a matrix by one of lower rank: `left · diag(singular_values) · rightᵀ`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TruncatedSvd {
    rank: usize,
    left: Vec<f64>,
    singular_values: Vec<f64>,
    right: Vec<f64>,
}

impl TruncatedSvd {
    /// Takes `matrix` apart. The signs of the vectors are as they come.
    ///
    /// # Errors
    /// A rank of 0.
    pub fn of(matrix: &SparseMatrix, options: &SvdOptions) -> Result<Self, ClassicalError> {
        if options.rank == 0 {
            let expected = "at least 1";
            return Err(ClassicalError::Setting { name: "rank", found: 0.0, expected });
        }
        let columns = matrix.by_column();
        let vectors = (options.rank + options.oversampling).min(matrix.len()).min(matrix.width());
        let mut domain = random_vectors(matrix.width(), vectors, options.seed);
        let mut range = Dense::rows_by(matrix, &domain).orthonormal();
        for _ in 0..options.power_iterations {
            domain = Dense::columns_by(&columns, matrix.width(), &range).orthonormal();
            range = Dense::rows_by(matrix, &domain).orthonormal();
        }
        let image = Dense::columns_by(&columns, matrix.width(), &range);
        Ok(Self::of_small(&range, &image, options.rank))
    }

    /// From an orthonormal basis of the range and the matrix as seen from there, transposed.
    fn of_small(range: &Dense, image: &Dense, rank: usize) -> Self {
        let (squares, vectors) = eigenvectors(image.gram());
        let rank = squares.len().min(rank);
        let singular_values: Vec<f64> =
            squares[..rank].iter().map(|square| square.sqrt()).collect();
        let inverse: Vec<f64> = singular_values.iter().map(|value| 1.0 / value).collect();
        let left = range.times(&vectors, &vec![1.0; rank]);
        let right = image.times(&vectors, &inverse);
        Self { rank, left: left.values, singular_values, right: right.values }
    }

    /// Singular values found: fewer than asked for when the others are zero, which is to say below
    /// 10⁻⁷ of the first.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// The singular values, the largest first.
    pub fn singular_values(&self) -> &[f64] {
        &self.singular_values
    }

    /// The left vectors: [`rank`](Self::rank) numbers for each row of the matrix.
    pub fn left(&self) -> &[f64] {
        &self.left
    }

    /// The right vectors: [`rank`](Self::rank) numbers for each column of the matrix.
    pub fn right(&self) -> &[f64] {
        &self.right
    }
}

/// Random vectors. Bits would be cheaper, but a few short vectors of bits are often the same.
fn random_vectors(rows: usize, width: usize, seed: u64) -> Dense {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let values = (0..rows * width).map(|_| f64::from(uniform_within(&mut random, 1.0)));
    Dense { width, values: values.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A matrix of known singular values: the product of rotations and a diagonal.
    fn known() -> (SparseMatrix, [f64; 3]) {
        let (s, c) = (0.6f64, 0.8f64);
        // left = rotation of rows 0 and 1, right = rotation of columns 1 and 2.
        let values = [5.0, 2.0, 0.5];
        let rows = [
            vec![(0, c * values[0]), (1, -s * c * values[1]), (2, s * s * values[1])],
            vec![(0, s * values[0]), (1, c * c * values[1]), (2, -c * s * values[1])],
            vec![(1, s * values[2]), (2, c * values[2])],
            vec![],
        ];
        let narrow = |row: Vec<(u32, f64)>| row.into_iter().map(|(c, v)| (c, v as f32)).collect();
        (SparseMatrix::from_rows(3, rows.map(narrow)), values)
    }

    #[test]
    fn singular_values_and_the_matrix_itself_come_back() {
        let (matrix, values) = known();
        let found =
            TruncatedSvd::of(&matrix, &SvdOptions { rank: 5, ..Default::default() }).unwrap();
        assert_eq!(found.rank(), 3);
        for (found, expected) in found.singular_values().iter().zip(values) {
            assert!((found - expected).abs() < 1e-6, "{found}, expected {expected}");
        }
        for (index, row) in matrix.rows().enumerate() {
            let mut dense = [0.0; 3];
            row.columns
                .iter()
                .zip(row.values)
                .for_each(|(&c, &v)| dense[c as usize] = f64::from(v));
            for (column, expected) in dense.into_iter().enumerate() {
                let term = |k: usize| {
                    found.left()[3 * index + k]
                        * found.singular_values()[k]
                        * found.right()[3 * column + k]
                };
                let value: f64 = (0..3).map(term).sum();
                assert!((value - expected).abs() < 1e-6, "{value}, expected {expected}");
            }
        }
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        let twice =
            SparseMatrix::from_rows(2, [vec![(0, 1.0), (1, 2.0)], vec![(0, 2.0), (1, 4.0)]]);
        let options = SvdOptions { rank: 2, ..Default::default() };
        assert_eq!(TruncatedSvd::of(&twice, &options).unwrap().rank(), 1);
        let nothing = SparseMatrix::from_rows(2, [vec![], vec![]]);
        assert_eq!(TruncatedSvd::of(&nothing, &options).unwrap().rank(), 0);
        assert_eq!(TruncatedSvd::of(&SparseMatrix::default(), &options).unwrap().rank(), 0);
        assert!(TruncatedSvd::of(&twice, &SvdOptions { rank: 0, ..options }).is_err());
    }
}
