//! The area under the ROC curve for several classes: each against the rest, or each against each
//! (Hand and Till, "A simple generalisation of the area under the ROC curve", 2001).

use super::counts::{Average, weighted_mean};
use super::probabilities::check;
use super::roc::roc_auc;
use crate::error::Result;

/// The average over classes of the area for that class against all others. Micro is the area of
/// all classes' probabilities together. Every class must occur.
pub fn roc_auc_one_vs_rest(
    truth: &[usize],
    probabilities: &[Vec<f64>],
    average: Average,
) -> Result<f64> {
    check(truth, probabilities)?;
    let classes = probabilities[0].len();
    if average == Average::Micro {
        let is_class = |truth: &usize| (0..classes).map(move |class| class == *truth).collect();
        let yes: Vec<Vec<bool>> = truth.iter().map(is_class).collect();
        return roc_auc(&yes.concat(), &probabilities.concat());
    }
    let mut areas = Vec::with_capacity(classes);
    for class in 0..classes {
        let yes: Vec<bool> = truth.iter().map(|truth| *truth == class).collect();
        let scores: Vec<f64> = probabilities.iter().map(|row| row[class]).collect();
        let support = yes.iter().filter(|yes| **yes).count() as f64;
        let weight = if average == Average::Macro { 1.0 } else { support };
        areas.push((roc_auc(&yes, &scores)?, weight));
    }
    Ok(weighted_mean(areas.into_iter()))
}

/// The mean over pairs of classes of the area for one against the other, seen from both sides.
/// Every class must occur. Unlike one against the rest, it does not depend on how often classes do.
pub fn roc_auc_one_vs_one(truth: &[usize], probabilities: &[Vec<f64>]) -> Result<f64> {
    check(truth, probabilities)?;
    let classes = probabilities[0].len();
    let mut areas = Vec::new();
    for first in 0..classes {
        for second in 0..first {
            let ours = |truth: usize| truth == first || truth == second;
            let rows = truth.iter().zip(probabilities).filter(|(truth, _)| ours(**truth));
            let (labels, rows): (Vec<usize>, Vec<&Vec<f64>>) = rows.unzip();
            for class in [first, second] {
                let yes: Vec<bool> = labels.iter().map(|label| *label == class).collect();
                let scores: Vec<f64> = rows.iter().map(|row| row[class]).collect();
                areas.push((roc_auc(&yes, &scores)?, 1.0));
            }
        }
    }
    Ok(weighted_mean(areas.into_iter()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_classes_have_the_area_of_one_of_them() {
        let truth = [0, 1, 1, 0, 1];
        let yes = [0.2, 0.9, 0.4, 0.6, 0.7];
        let probabilities: Vec<Vec<f64>> = yes.iter().map(|p| vec![1.0 - p, *p]).collect();
        let area = roc_auc(&truth.map(|label| label == 1), &yes).unwrap();
        assert!((roc_auc_one_vs_one(&truth, &probabilities).unwrap() - area).abs() < 1e-12);
        for average in [Average::Macro, Average::Weighted] {
            let found = roc_auc_one_vs_rest(&truth, &probabilities, average).unwrap();
            assert!((found - area).abs() < 1e-12);
        }
    }

    #[test]
    fn a_class_that_does_not_occur_is_an_error() {
        let probabilities = [vec![0.5, 0.3, 0.2], vec![0.2, 0.6, 0.2]];
        assert!(roc_auc_one_vs_rest(&[0, 1], &probabilities, Average::Macro).is_err());
        assert!(roc_auc_one_vs_one(&[0, 1], &probabilities).is_err());
    }
}
