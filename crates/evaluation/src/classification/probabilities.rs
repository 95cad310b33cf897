//! Scores of predicted probabilities.

use crate::error::{EvaluationError, Result, all_finite, not_empty, same_length};

/// The class with the highest probability; of equals, the first.
pub fn most_probable(probabilities: &[f64]) -> Option<usize> {
    let classes = probabilities.iter().copied().enumerate();
    classes.reduce(|best, next| if next.1 > best.1 { next } else { best }).map(|(class, _)| class)
}

/// The mean negative logarithm of the probability of the true class, in nats. Probabilities are
/// kept away from 0 and 1 by the smallest step of a double, so that it is finite.
pub fn log_loss(truth: &[usize], probabilities: &[Vec<f64>]) -> Result<f64> {
    check(truth, probabilities)?;
    let losses = truth.iter().zip(probabilities).map(|(truth, row)| -kept_inside(row[*truth]).ln());
    Ok(losses.sum::<f64>() / truth.len() as f64)
}

/// The same of one probability of "yes" per answer.
pub fn binary_log_loss(truth: &[bool], probabilities: &[f64]) -> Result<f64> {
    check_binary(truth, probabilities)?;
    let pairs = truth.iter().zip(probabilities);
    let losses = pairs.map(|(truth, p)| -kept_inside(if *truth { *p } else { 1.0 - p }).ln());
    Ok(losses.sum::<f64>() / truth.len() as f64)
}

fn kept_inside(probability: f64) -> f64 {
    probability.clamp(f64::EPSILON, 1.0 - f64::EPSILON)
}

/// Brier's score of several classes: the mean over answers of the squared errors of all classes'
/// probabilities; from 0 to 2.
pub fn brier(truth: &[usize], probabilities: &[Vec<f64>]) -> Result<f64> {
    check(truth, probabilities)?;
    let errors = truth.iter().zip(probabilities).map(|(truth, row)| {
        let squared =
            |(class, p): (usize, &f64)| (p - f64::from(u8::from(class == *truth))).powi(2);
        row.iter().enumerate().map(squared).sum::<f64>()
    });
    Ok(errors.sum::<f64>() / truth.len() as f64)
}

/// Brier's score of yes or no: the mean squared error of the probability of "yes"; from 0 to 1.
pub fn binary_brier(truth: &[bool], probabilities: &[f64]) -> Result<f64> {
    check_binary(truth, probabilities)?;
    let pairs = truth.iter().zip(probabilities);
    let errors = pairs.map(|(truth, p)| (p - f64::from(u8::from(*truth))).powi(2));
    Ok(errors.sum::<f64>() / truth.len() as f64)
}

/// The share of answers whose true class is among the `k` most probable; of equals, later classes
/// come first, as in scikit-learn.
pub fn top_k_accuracy(truth: &[usize], probabilities: &[Vec<f64>], k: usize) -> Result<f64> {
    check(truth, probabilities)?;
    let hits = truth.iter().zip(probabilities).filter(|(truth, row)| {
        let own = row[**truth];
        let before = |(class, p): &(usize, &f64)| **p > own || (**p == own && *class > **truth);
        row.iter().enumerate().filter(before).count() < k
    });
    Ok(hits.count() as f64 / truth.len() as f64)
}

/// Errs unless there is a row of probabilities per label, all as long, with a place for the label.
pub(super) fn check(truth: &[usize], probabilities: &[Vec<f64>]) -> Result<()> {
    not_empty("labels", truth.len())?;
    same_length("rows of probabilities", truth.len(), probabilities.len())?;
    let classes = probabilities[0].len();
    for (position, (truth, row)) in truth.iter().zip(probabilities).enumerate() {
        same_length("probabilities in a row", classes, row.len())?;
        all_finite("probability", row)?;
        if *truth >= classes {
            let what = "true label";
            return Err(EvaluationError::OutOfRange {
                what,
                position,
                bound: classes,
                found: *truth,
            });
        }
    }
    Ok(())
}

/// Errs unless there is a finite score per answer.
pub(super) fn check_binary(truth: &[bool], scores: &[f64]) -> Result<()> {
    not_empty("labels", truth.len())?;
    same_length("scores", truth.len(), scores.len())?;
    all_finite("score", scores)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_of_two_answers_by_hand() {
        let probabilities = [vec![0.5, 0.25, 0.25], vec![0.25, 0.25, 0.5]];
        let truth = [0, 1];
        let loss = log_loss(&truth, &probabilities).unwrap();
        assert!((loss - (2_f64.ln() + 4_f64.ln()) / 2.0).abs() < 1e-12);
        assert_eq!(brier(&truth, &probabilities), Ok((0.375 + 0.875) / 2.0));
        assert_eq!(top_k_accuracy(&truth, &probabilities, 1), Ok(0.5));
        assert_eq!(top_k_accuracy(&truth, &probabilities, 2), Ok(1.0));
        assert_eq!(most_probable(&[0.4, 0.4, 0.2]), Some(0));
    }

    #[test]
    fn a_certain_mistake_has_a_finite_loss() {
        let loss = binary_log_loss(&[true], &[0.0]).unwrap();
        assert!((loss + f64::EPSILON.ln()).abs() < 1e-9);
    }

    #[test]
    fn rows_that_do_not_fit_are_errors() {
        assert!(log_loss(&[2], &[vec![0.5, 0.5]]).is_err());
        assert!(log_loss(&[0, 1], &[vec![0.5, 0.5], vec![1.0]]).is_err());
        assert!(brier(&[], &[]).is_err());
        assert!(binary_brier(&[true], &[f64::NAN]).is_err());
    }
}
