//! Corrections of p-values for the number of tests. Each returns adjusted p-values in the order of
//! the given ones, to be compared with the usual level.

use crate::error::{EvaluationError, Result};

/// Bonferroni's: every p-value times their number. Bounds the chance of any false alarm.
pub fn bonferroni(p_values: &[f64]) -> Result<Vec<f64>> {
    check(p_values)?;
    Ok(p_values.iter().map(|p| (p * p_values.len() as f64).min(1.0)).collect())
}

/// Holm's: as safe as Bonferroni's and never less powerful (Holm, 1979).
pub fn holm(p_values: &[f64]) -> Result<Vec<f64>> {
    check(p_values)?;
    let mut adjusted = vec![0.0; p_values.len()];
    let mut largest: f64 = 0.0;
    for (rank, at) in ascending(p_values).into_iter().enumerate() {
        largest = largest.max(p_values[at] * (p_values.len() - rank) as f64);
        adjusted[at] = largest.min(1.0);
    }
    Ok(adjusted)
}

/// Benjamini and Hochberg's: bounds the expected share of false alarms among all alarms (1995).
pub fn benjamini_hochberg(p_values: &[f64]) -> Result<Vec<f64>> {
    check(p_values)?;
    let mut adjusted = vec![0.0; p_values.len()];
    let mut smallest: f64 = 1.0;
    for (rank, at) in ascending(p_values).into_iter().enumerate().rev() {
        smallest = smallest.min(p_values[at] * p_values.len() as f64 / (rank + 1) as f64);
        adjusted[at] = smallest;
    }
    Ok(adjusted)
}

fn ascending(p_values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    order
}

fn check(p_values: &[f64]) -> Result<()> {
    match p_values.iter().position(|p| !(0.0..=1.0).contains(p)) {
        None => Ok(()),
        Some(position) => Err(EvaluationError::InvalidValue {
            what: "p-value",
            position,
            expected: "a number from 0 to 1",
            found: p_values[position],
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corrections_by_hand() {
        let p = [0.04, 0.01, 0.03];
        let close = |found: Vec<f64>, expected: [f64; 3]| {
            found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12)
        };
        assert!(close(bonferroni(&p).unwrap(), [0.12, 0.03, 0.09]));
        assert!(close(holm(&p).unwrap(), [0.06, 0.03, 0.06]));
        assert!(close(benjamini_hochberg(&p).unwrap(), [0.04, 0.03, 0.04]));
        assert!(holm(&[0.5, 1.5]).is_err() && bonferroni(&[f64::NAN]).is_err());
    }
}
