//! Sums over chains of any length: (I − P)⁻¹ = I + P + P² + … of a matrix of probabilities.
//!
//! I − P with P not negative is an M-matrix. Elimination without exchanging rows meets positive pivots only if, and
//! only if, the spectral radius of P is below one (Berman and Plemmons 1979), which is exactly when the sum exists.

/// A pivot at or below this share of the diagonal is zero: what is left of 1 − 1 after rounding.
const ZERO: f64 = 1e-12;

/// What stands for zero where the sum is known to exist.
const SMALLEST_PIVOT: f64 = 1e-15;

/// The `x` with `x = P x + b`; `None` when the spectral radius of `P` is not below one.
pub(super) fn solve(p: &[Vec<f64>], b: &[f64]) -> Option<Vec<f64>> {
    let columns: Vec<Vec<f64>> = b.iter().map(|&value| vec![value]).collect();
    Some(eliminate(p, 1.0, columns, is_positive(1.0))?.into_iter().map(|row| row[0]).collect())
}

/// Whether the spectral radius of `P` is below one.
pub(super) fn is_convergent(p: &[Vec<f64>]) -> bool {
    eliminate(p, 1.0, vec![Vec::new(); p.len()], is_positive(1.0)).is_some()
}

/// `(I − P)⁻¹` of chains that end with probability one. A loop that is hardly ever left counts as one that is left
/// once in 1e15 times.
pub(super) fn closure(p: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let mut identity = vec![vec![0.0; p.len()]; p.len()];
    identity.iter_mut().enumerate().for_each(|(index, row)| row[index] = 1.0);
    let at_least = |pivot: f64| Some(pivot.max(SMALLEST_PIVOT));
    eliminate(p, 1.0, identity, at_least).expect("every pivot is taken")
}

/// The pivots that are taken when the sum may not exist.
fn is_positive(diagonal: f64) -> impl Fn(f64) -> Option<f64> {
    move |pivot| (pivot > ZERO * diagonal).then_some(pivot)
}

/// Largest eigenvalue, which is real, of a matrix without negative elements; to a relative 1e-9.
pub(super) fn spectral_radius(p: &[Vec<f64>]) -> f64 {
    // No eigenvalue exceeds the largest sum of a row.
    let mut high = p.iter().map(|row| row.iter().sum()).fold(0.0_f64, f64::max) * (1.0 + 1e-9);
    let mut low = 0.0;
    while high - low > 1e-9 * high {
        let middle = 0.5 * (low + high);
        let is_above =
            eliminate(p, middle, vec![Vec::new(); p.len()], is_positive(middle)).is_some();
        if is_above {
            high = middle
        } else {
            low = middle
        }
        if high < 1e-12 {
            return 0.0;
        }
    }
    high
}

/// Solves `(diagonal·I − P) X = right` by Gauss–Jordan elimination, with the pivots that `accept` makes of what it
/// meets; `None` where it refuses one.
fn eliminate(
    p: &[Vec<f64>],
    diagonal: f64,
    right: Vec<Vec<f64>>,
    accept: impl Fn(f64) -> Option<f64>,
) -> Option<Vec<Vec<f64>>> {
    let size = p.len();
    let mut rows: Vec<Vec<f64>> = p
        .iter()
        .zip(right)
        .map(|(row, right)| row.iter().map(|value| -value).chain(right).collect())
        .collect();
    for (index, row) in rows.iter_mut().enumerate() {
        row[index] += diagonal;
    }
    for pivot in 0..size {
        let mut row = std::mem::take(&mut rows[pivot]);
        let value = accept(row[pivot])?;
        row[pivot..].iter_mut().for_each(|element| *element /= value);
        for other in rows.iter_mut().filter(|other| !other.is_empty()) {
            let factor = other[pivot];
            // Grammars are sparse: most rows have nothing to lose.
            if factor != 0.0 {
                other[pivot..].iter_mut().zip(&row[pivot..]).for_each(|(o, r)| *o -= factor * r);
            }
        }
        rows[pivot] = row;
    }
    Some(rows.into_iter().map(|row| row[size..].to_vec()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_adds_up_to_a_geometric_series() {
        assert_eq!(closure(&[vec![0.5]]), [[2.0]]);
        // From 0 half of the time to 1, from 1 a quarter of the time back.
        let found = closure(&[vec![0.0, 0.5], vec![0.25, 0.0]]);
        let expected = [[8.0 / 7.0, 4.0 / 7.0], [2.0 / 7.0, 8.0 / 7.0]];
        for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
            assert!((found - expected).abs() < 1e-15);
        }
        assert_eq!(solve(&[vec![0.5]], &[3.0]), Some(vec![6.0]));
    }

    #[test]
    fn a_sum_without_end_is_none() {
        assert_eq!(solve(&[vec![1.0]], &[1.0]), None);
        assert!(!is_convergent(&[vec![0.0, 2.0], vec![0.5, 0.0]]));
        assert!(is_convergent(&[vec![0.0, 1.99], vec![0.5, 0.0]]));
        // 1 − 3·(1/3) is not zero in floating point.
        let third = 1.0 / 3.0;
        assert!(!is_convergent(&vec![vec![third; 3]; 3]));
    }

    #[test]
    fn a_loop_that_is_hardly_left_is_no_division_by_zero() {
        assert!(closure(&[vec![1.0]])[0][0].is_finite());
    }

    #[test]
    fn spectral_radii_are_those_of_the_formula() {
        for (matrix, expected) in [
            (vec![vec![0.0]], 0.0),
            (vec![vec![1.5]], 1.5),
            (vec![vec![0.0, 4.0], vec![1.0, 0.0]], 2.0), // λ² = 4
            (vec![vec![0.0, 9.0], vec![0.0, 0.0]], 0.0), // no loop
            (vec![vec![0.5, 7.0], vec![0.0, 0.25]], 0.5),
        ] {
            let found = spectral_radius(&matrix);
            assert!((found - expected).abs() < 1e-8, "{found}, expected {expected}");
        }
    }
}
