//! Dense matrices of many rows and few columns.

use nalgebra::{DMatrix, SymmetricEigen};
use rayon::prelude::*;

use crate::{SparseColumns, SparseMatrix};

/// Rows of a task at least.
const ROWS: usize = 256;
/// Sums of parts at most, so that they do not fill the memory.
const PARTS: usize = 64;
/// Eigenvalues below this part of the largest are rounding errors.
const NOTHING: f64 = 1e-14;

/// A matrix in rows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Dense {
    pub width: usize,
    pub values: Vec<f64>,
}

impl Dense {
    /// A matrix that `fill` makes row by row, in parallel.
    pub fn from_rows(rows: usize, width: usize, fill: impl Fn(usize, &mut [f64]) + Sync) -> Self {
        let mut values = vec![0.0; rows * width];
        if width > 0 {
            let rows = values.par_chunks_mut(width).enumerate().with_min_len(ROWS);
            rows.for_each(|(index, row)| fill(index, row));
        }
        Self { width, values }
    }

    /// `matrix · right`.
    pub fn rows_by(matrix: &SparseMatrix, right: &Self) -> Self {
        Self::from_rows(matrix.len(), right.width, |index, sums| {
            matrix.row(index).add_products(&right.values, sums);
        })
    }

    /// `matrixᵀ · right`, for a matrix of `width` columns.
    pub fn columns_by(matrix: &SparseColumns, width: usize, right: &Self) -> Self {
        Self::from_rows(width, right.width, |index, sums| {
            for &(row, value) in matrix.column(index) {
                let right = &right.values[row as usize * right.width..][..right.width];
                let value = f64::from(value);
                sums.iter_mut().zip(right).for_each(|(sum, right)| *sum += value * right);
            }
        })
    }

    fn rows(&self) -> usize {
        self.values.len().checked_div(self.width).unwrap_or(0)
    }

    /// `selfᵀ · self`. Parts are added up in order, so that the result has the same bits on any number
    /// of threads.
    pub fn gram(&self) -> DMatrix<f64> {
        let width = self.width;
        let part = |rows: &[f64]| {
            let mut sums = vec![0.0; width * width];
            for row in rows.chunks_exact(width) {
                for (at, &left) in row.iter().enumerate() {
                    let sums = &mut sums[at * width + at..(at + 1) * width];
                    sums.iter_mut().zip(&row[at..]).for_each(|(sum, right)| *sum += left * right);
                }
            }
            sums
        };
        let rows = self.rows().div_ceil(PARTS).max(ROWS);
        let parts: Vec<Vec<f64>> =
            self.values.par_chunks((rows * width).max(1)).map(part).collect();
        let mut total = vec![0.0; width * width];
        for part in parts {
            total.iter_mut().zip(part).for_each(|(total, part)| *total += part);
        }
        DMatrix::from_fn(width, width, |a, b| total[a.min(b) * width + a.max(b)])
    }

    /// `self` times the first columns of `right`, as many as there are `scales`, each scaled.
    pub fn times(&self, right: &DMatrix<f64>, scales: &[f64]) -> Self {
        let width = scales.len();
        let scaled: Vec<f64> = (0..self.width)
            .flat_map(|row| {
                scales.iter().enumerate().map(move |(k, scale)| right[(row, k)] * scale)
            })
            .collect();
        Self::from_rows(self.rows(), width, |index, sums| {
            let row = &self.values[index * self.width..][..self.width];
            for (&left, right) in row.iter().zip(scaled.chunks_exact(width)) {
                sums.iter_mut().zip(right).for_each(|(sum, right)| *sum += left * right);
            }
        })
    }

    /// Orthonormal columns that span what the columns span, fewer where some depend on others. The
    /// second pass takes away what rounding left in the first.
    pub fn orthonormal(&self) -> Self {
        self.whitened().whitened()
    }

    fn whitened(&self) -> Self {
        let (values, vectors) = eigenvectors(self.gram());
        let scales: Vec<f64> = values.iter().map(|value| value.sqrt().recip()).collect();
        self.times(&vectors, &scales)
    }
}

/// The positive eigenvalues of a symmetric matrix without negative ones, the largest first, and in the
/// same order the eigenvectors as columns.
pub(crate) fn eigenvectors(matrix: DMatrix<f64>) -> (Vec<f64>, DMatrix<f64>) {
    if matrix.is_empty() {
        return (Vec::new(), matrix);
    }
    let found = SymmetricEigen::new(matrix);
    let mut order: Vec<usize> = (0..found.eigenvalues.len()).collect();
    order.sort_by(|&a, &b| found.eigenvalues[b].total_cmp(&found.eigenvalues[a]));
    let least = found.eigenvalues[order[0]] * NOTHING;
    order.retain(|&index| found.eigenvalues[index] > least.max(0.0));
    let values = order.iter().map(|&index| found.eigenvalues[index]).collect();
    (values, found.eigenvectors.select_columns(&order))
}
