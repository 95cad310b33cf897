//! Products of a matrix and a vector whose elements are logarithms: sums of `exp` that neither overflow nor
//! vanish.
//!
//! The plain way takes an exponential per element of the matrix, which would be most of a training
//! step. Here the matrix is taken out of logarithms once and the vector once per product. Only where
//! that loses digits, as with elements hundreds apart, it is done in the plain way.

use super::chain::log_sum_exp;

/// Below this a sum of factors has lost what is small in it.
const SMALLEST: f64 = 1e-200;

pub(super) struct LogMatrix {
    /// Row by row.
    logs: Vec<f64>,
    /// `exp(logs - largest)`.
    factors: Vec<f64>,
    /// The largest element.
    largest: f64,
}

/// A vector of logarithms, `exp(log - largest)` of each, and the largest.
pub(super) struct LogVector<'a> {
    logs: &'a [f64],
    factors: Vec<f64>,
    largest: f64,
}

impl<'a> LogVector<'a> {
    pub(super) fn new(logs: &'a [f64]) -> Self {
        let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // Where all is forbidden, so is the sum: any scale does.
        let scale = if largest == f64::NEG_INFINITY { 0.0 } else { largest };
        let factors = logs.iter().map(|log| (log - scale).exp()).collect();
        Self { logs, factors, largest: scale }
    }
}

impl LogMatrix {
    pub(super) fn new(logs: Vec<f64>) -> Self {
        let LogVector { factors, largest, .. } = LogVector::new(&logs);
        Self { logs, factors, largest }
    }

    /// The same with rows as columns.
    pub(super) fn transposed(&self, size: usize) -> Self {
        let turn = |of: &[f64]| -> Vec<f64> {
            let element = |at: usize| of[at % size * size + at / size];
            (0..of.len()).map(element).collect()
        };
        Self { logs: turn(&self.logs), factors: turn(&self.factors), largest: self.largest }
    }

    /// `ln Σ exp(row + vector)` of each row.
    pub(super) fn times(&self, vector: &LogVector) -> impl Iterator<Item = f64> {
        let width = vector.logs.len();
        let rows = self.factors.chunks_exact(width).zip(self.logs.chunks_exact(width));
        rows.map(move |(factors, logs)| {
            let sum: f64 = factors.iter().zip(&vector.factors).map(|(a, b)| a * b).sum();
            if sum > SMALLEST {
                return self.largest + vector.largest + sum.ln();
            }
            log_sum_exp(logs.iter().zip(vector.logs).map(|(a, b)| a + b))
        })
    }

    /// Adds `exp(left + matrix + right - total)` of each element to `sums`, where none is above 1.
    pub(super) fn add_outer(
        &self,
        left: &LogVector,
        right: &LogVector,
        total: f64,
        sums: &mut [f64],
    ) {
        let scale = (left.largest + self.largest + right.largest - total).exp();
        let width = right.logs.len();
        for (row, sums) in sums.chunks_exact_mut(width).enumerate() {
            let range = row * width..(row + 1) * width;
            if scale < 1.0 / SMALLEST {
                let factor = scale * left.factors[row];
                let elements = self.factors[range].iter().zip(&right.factors);
                sums.iter_mut().zip(elements).for_each(|(sum, (a, b))| *sum += factor * a * b);
            } else {
                let rest = left.logs[row] - total;
                let elements = self.logs[range].iter().zip(right.logs);
                sums.iter_mut()
                    .zip(elements)
                    .for_each(|(sum, (a, b))| *sum += (rest + a + b).exp());
            }
        }
    }
}
