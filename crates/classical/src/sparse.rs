//! Rows of mostly zeros.

use rayon::prelude::*;

/// A matrix in compressed rows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SparseMatrix {
    /// Where each row begins in the other two, and where the last one ends.
    starts: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f32>,
    width: usize,
}

/// One row: the columns that are not zero, ascending, and their values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SparseRow<'a> {
    /// Columns.
    pub columns: &'a [u32],
    /// Values.
    pub values: &'a [f32],
}

impl SparseMatrix {
    /// A matrix of rows of `(column, value)`, each row ascending in its columns.
    ///
    /// # Panics
    /// When a column is not below `width`, or columns of a row do not ascend.
    pub fn from_rows(width: usize, rows: impl IntoIterator<Item = Vec<(u32, f32)>>) -> Self {
        let mut matrix = Self { starts: vec![0], width, ..Self::default() };
        for row in rows {
            let ascends = row.windows(2).all(|pair| pair[0].0 < pair[1].0);
            let fits = row.last().is_none_or(|(column, _)| (*column as usize) < width);
            assert!(ascends && fits, "a row of a sparse matrix {width} wide: {row:?}");
            for (column, value) in row {
                matrix.columns.push(column);
                matrix.values.push(value);
            }
            matrix.starts.push(matrix.columns.len());
        }
        matrix
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Elements that are kept.
    pub fn stored(&self) -> usize {
        self.values.len()
    }

    /// A row.
    ///
    /// # Panics
    /// When there is none of this number.
    pub fn row(&self, index: usize) -> SparseRow<'_> {
        let range = self.starts[index]..self.starts[index + 1];
        SparseRow { columns: &self.columns[range.clone()], values: &self.values[range] }
    }

    /// All rows in order.
    pub fn rows(&self) -> impl Iterator<Item = SparseRow<'_>> {
        (0..self.len()).map(|index| self.row(index))
    }

    /// The same elements column by column.
    pub fn by_column(&self) -> SparseColumns {
        let mut starts = vec![0; self.width + 1];
        for &column in &self.columns {
            starts[column as usize + 1] += 1;
        }
        for column in 0..self.width {
            starts[column + 1] += starts[column];
        }
        let mut elements = vec![(0, 0.0); self.columns.len()];
        let mut next = starts.clone();
        for (index, row) in self.rows().enumerate() {
            for (&column, &value) in row.columns.iter().zip(row.values) {
                elements[next[column as usize]] = (index as u32, value);
                next[column as usize] += 1;
            }
        }
        SparseColumns { starts, elements }
    }

    /// Some rows, in the order of `indices`.
    pub fn select(&self, indices: &[usize]) -> Self {
        let pairs =
            |row: SparseRow| row.columns.iter().copied().zip(row.values.iter().copied()).collect();
        Self::from_rows(self.width, indices.iter().map(|&index| pairs(self.row(index))))
    }

    /// `matrix · weights + bias` for `weights` of [`width`](Self::width) rows of `outputs` columns:
    /// one vector of `outputs` per row.
    pub fn scores(&self, weights: &[f64], bias: &[f64]) -> Vec<Vec<f64>> {
        let score = |index| {
            let mut scores = bias.to_vec();
            self.row(index).add_products(weights, &mut scores);
            scores
        };
        (0..self.len()).into_par_iter().map(score).collect()
    }
}

/// Columns of a task at least.
const COLUMNS: usize = 64;

/// A matrix in compressed columns.
#[derive(Debug, Clone, PartialEq)]
pub struct SparseColumns {
    starts: Vec<usize>,
    elements: Vec<(u32, f32)>,
}

impl SparseColumns {
    /// Rows and values of a column, in the order of the rows.
    pub fn column(&self, index: usize) -> &[(u32, f32)] {
        &self.elements[self.starts[index]..self.starts[index + 1]]
    }

    /// Adds `factor · matrixᵀ · rows`, where each row of the matrix has a row of `rows`, and each column
    /// one of `sums`, of `outputs` numbers. The sums do not depend on the number of threads.
    pub fn add_products(&self, rows: &[f64], outputs: usize, factor: f64, sums: &mut [f64]) {
        let add = |(column, sums): (usize, &mut [f64])| {
            for &(row, value) in self.column(column) {
                let factor = factor * f64::from(value);
                let row = &rows[row as usize * outputs..][..outputs];
                for (sum, row) in sums.iter_mut().zip(row) {
                    *sum += factor * row;
                }
            }
        };
        sums.par_chunks_mut(outputs).enumerate().with_min_len(COLUMNS).for_each(add);
    }
}

impl SparseRow<'_> {
    /// Adds `row · weights`, where each column has a row of `weights` as long as `sums`.
    pub fn add_products(&self, weights: &[f64], sums: &mut [f64]) {
        let outputs = sums.len();
        for (&column, &value) in self.columns.iter().zip(self.values) {
            let weights = &weights[column as usize * outputs..][..outputs];
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum += f64::from(value) * weight;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix() -> SparseMatrix {
        SparseMatrix::from_rows(3, [vec![(0, 1.0), (2, 2.0)], vec![], vec![(1, -1.0)]])
    }

    #[test]
    fn rows_come_back_as_they_were_given() {
        let matrix = matrix();
        assert_eq!((matrix.len(), matrix.width(), matrix.stored()), (3, 3, 3));
        assert_eq!(matrix.row(0).columns, [0, 2]);
        assert!(matrix.row(1).values.is_empty());
        assert_eq!(matrix.select(&[2, 0]).row(0), matrix.row(2));
        assert_eq!(matrix.by_column().column(2), [(0, 2.0)]);
        assert!(SparseMatrix::default().is_empty());
    }

    #[test]
    fn scores_are_products() {
        // Weights of three columns for two outputs.
        let weights = [1.0, 10.0, 2.0, 20.0, 3.0, 30.0];
        let scores = matrix().scores(&weights, &[0.5, 0.0]);
        assert_eq!(scores, [vec![7.5, 70.0], vec![0.5, 0.0], vec![-1.5, -20.0]]);
    }

    #[test]
    #[should_panic(expected = "3 wide")]
    fn a_column_outside_is_refused() {
        SparseMatrix::from_rows(3, [vec![(3, 1.0)]]);
    }
}
