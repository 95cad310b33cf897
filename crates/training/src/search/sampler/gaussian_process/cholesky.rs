//! The Cholesky factor of a small symmetric matrix.

/// The lower triangle *L* of *A = L Lᵀ*, row by row.
#[derive(Debug, Clone)]
pub(super) struct Cholesky {
    rows: Vec<Vec<f64>>,
}

impl Cholesky {
    /// Factorises the matrix of these elements, of which only those with `column <= row` are asked for.
    /// `None` where it is not positive definite.
    pub(super) fn new(size: usize, element: impl Fn(usize, usize) -> f64) -> Option<Self> {
        let mut rows: Vec<Vec<f64>> = Vec::with_capacity(size);
        for i in 0..size {
            let mut row = Vec::with_capacity(i + 1);
            for (j, above) in rows.iter().enumerate() {
                let left = element(i, j) - dot(&row, &above[..j]);
                row.push(left / above[j]);
            }
            let left = element(i, i) - dot(&row, &row);
            if left.is_nan() || left <= 0.0 {
                return None;
            }
            row.push(left.sqrt());
            rows.push(row);
        }
        Some(Self { rows })
    }

    /// *L⁻¹ b*.
    pub(super) fn forward(&self, b: &[f64]) -> Vec<f64> {
        let mut x = Vec::with_capacity(b.len());
        for (row, b) in self.rows.iter().zip(b) {
            let at = x.len();
            x.push((b - dot(&row[..at], &x)) / row[at]);
        }
        x
    }

    /// *A⁻¹ b*.
    pub(super) fn solve(&self, b: &[f64]) -> Vec<f64> {
        let mut x = self.forward(b);
        for i in (0..x.len()).rev() {
            x[i] /= self.rows[i][i];
            let known = x[i];
            for (left, element) in x[..i].iter_mut().zip(&self.rows[i]) {
                *left -= element * known;
            }
        }
        x
    }

    /// The lower triangle of *A⁻¹*, which is symmetric.
    pub(super) fn inverse(&self) -> Vec<Vec<f64>> {
        let size = self.rows.len();
        // Columns of L⁻¹, each from the diagonal down; above it they are zero.
        let columns: Vec<Vec<f64>> = (0..size)
            .map(|i| {
                let mut column = vec![1.0 / self.rows[i][i]];
                for (k, row) in self.rows.iter().enumerate().skip(i + 1) {
                    column.push(-dot(&row[i..k], &column) / row[k]);
                }
                column
            })
            .collect();
        let element = |i: usize, j: usize| dot(&columns[i], &columns[j][i - j..]);
        (0..size).map(|i| (0..=i).map(|j| element(i, j)).collect()).collect()
    }

    /// `ln det A`.
    pub(super) fn log_determinant(&self) -> f64 {
        2.0 * self.rows.iter().enumerate().map(|(i, row)| row[i].ln()).sum::<f64>()
    }
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_of_known_factor_is_solved() {
        // [[2,0,0],[6,1,0],[-8,5,3]] times its transpose.
        let a = [[4.0, 12.0, -16.0], [12.0, 37.0, -43.0], [-16.0, -43.0, 98.0]];
        let factor = Cholesky::new(3, |i, j| a[i][j]).unwrap();
        assert_eq!(factor.rows, [vec![2.0], vec![6.0, 1.0], vec![-8.0, 5.0, 3.0]]);
        assert!((factor.log_determinant() - 36f64.ln()).abs() < 1e-12);
        let x = factor.solve(&[1.0, 2.0, 3.0]);
        for (row, expected) in a.iter().zip([1.0, 2.0, 3.0]) {
            assert!((dot(row, &x) - expected).abs() < 1e-9);
        }
        let inverse = factor.inverse();
        for (i, row) in a.iter().enumerate() {
            for j in 0..3 {
                let column = (0..3).map(|k| inverse[j.max(k)][j.min(k)]).collect::<Vec<_>>();
                assert!((dot(row, &column) - f64::from(u8::from(i == j))).abs() < 1e-9);
            }
        }
        assert!(Cholesky::new(2, |_, _| 1.0).is_none());
    }
}
