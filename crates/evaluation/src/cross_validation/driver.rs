//! Running something on every fold, and tuning it inside every fold.

use serde::{Deserialize, Serialize};

use super::{Fold, corrected_mean};
use crate::error::{EvaluationError, Result as EvaluationResult, not_empty};
use crate::uncertainty::Estimate;

/// The scores of folds and what they say together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CrossValidation {
    /// The mean with its corrected interval; its `n` are folds.
    pub estimate: Estimate,
    /// The score of every fold, in their order.
    pub scores: Vec<f64>,
}

/// Calls `score` for every fold, which trains on the fold's training items and gives the score of
/// its test items.
pub fn cross_validate<E: From<EvaluationError>>(
    folds: &[Fold],
    confidence: f64,
    mut score: impl FnMut(&Fold) -> Result<f64, E>,
) -> Result<CrossValidation, E> {
    let scores = folds.iter().map(&mut score).collect::<Result<Vec<f64>, E>>()?;
    Ok(CrossValidation { estimate: corrected_mean(folds, &scores, confidence)?, scores })
}

/// What happened in an outer fold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NestedFold {
    /// Position of the configuration that was chosen.
    pub chosen: usize,
    /// The score of the chosen configuration on the outer test items.
    pub score: f64,
    /// The mean score of every configuration over the inner folds.
    pub inner_scores: Vec<f64>,
}

/// A nested cross-validation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NestedCrossValidation {
    /// The mean of the outer scores with its corrected interval: what to expect of a model that is
    /// tuned this way.
    pub estimate: Estimate,
    /// Every outer fold, in their order. That they choose different configurations is itself a
    /// result: the choice is not a stable one.
    pub folds: Vec<NestedFold>,
}

/// Tunes and tests: in each outer fold, the configuration with the highest mean score over inner
/// folds of the training items is trained on all of them and tested on the outer test items. Of
/// equals, the first is chosen; for an error or a loss, give its negative.
///
/// `inner` gets the outer training items and gives folds whose positions are those *in that list*;
/// `score` gets a configuration and a fold with positions of the whole list.
pub fn nested<C, E: From<EvaluationError>>(
    outer: &[Fold],
    configurations: &[C],
    confidence: f64,
    inner: impl Fn(&[usize]) -> Result<Vec<Fold>, E>,
    mut score: impl FnMut(&C, &Fold) -> Result<f64, E>,
) -> Result<NestedCrossValidation, E> {
    not_empty("configurations", configurations.len())?;
    let mut folds = Vec::with_capacity(outer.len());
    for fold in outer {
        let inner = inner(&fold.train)?;
        check_inner(&inner, fold.train.len())?;
        let inner: Vec<Fold> = inner.iter().map(|part| part.within(&fold.train)).collect();
        let mut inner_scores = Vec::with_capacity(configurations.len());
        for configuration in configurations {
            let scores = inner.iter().map(|part| score(configuration, part));
            let sum = scores.sum::<Result<f64, E>>()?;
            inner_scores.push(sum / inner.len() as f64);
        }
        let chosen = highest(&inner_scores)?;
        folds.push(NestedFold {
            chosen,
            score: score(&configurations[chosen], fold)?,
            inner_scores,
        });
    }
    let scores: Vec<f64> = folds.iter().map(|fold| fold.score).collect();
    Ok(NestedCrossValidation { estimate: corrected_mean(outer, &scores, confidence)?, folds })
}

/// Errs unless there are folds and all their positions are below the number of items.
fn check_inner(folds: &[Fold], items: usize) -> EvaluationResult<()> {
    not_empty("inner folds", folds.len())?;
    let positions = folds.iter().flat_map(|fold| fold.train.iter().chain(&fold.test)).copied();
    match positions.enumerate().find(|(_, found)| *found >= items) {
        None => Ok(()),
        Some((position, found)) => Err(EvaluationError::OutOfRange {
            what: "position in an inner fold",
            position,
            bound: items,
            found,
        }),
    }
}

/// The position of the highest score, of equals the first.
fn highest(scores: &[f64]) -> EvaluationResult<usize> {
    crate::error::all_finite("score of a configuration", scores)?;
    let best =
        (0..scores.len()).reduce(|best, at| if scores[at] > scores[best] { at } else { best });
    best.ok_or(EvaluationError::Empty { what: "configurations" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cross_validation::KFold;

    fn texts(number: usize) -> Vec<String> {
        (0..number).map(|at| format!("text {at}")).collect()
    }

    #[test]
    fn scores_come_in_the_order_of_the_folds() {
        let folds = KFold { folds: 3, ..Default::default() }.plain(&texts(12)).unwrap();
        let result =
            cross_validate(&folds, 0.95, |fold| Ok::<_, EvaluationError>(fold.test[0] as f64));
        let firsts: Vec<f64> = folds.iter().map(|fold| fold.test[0] as f64).collect();
        assert_eq!(result.unwrap().scores, firsts);
    }

    #[test]
    fn the_configuration_is_chosen_without_the_outer_test_items() {
        let texts = texts(40);
        let outer = KFold { folds: 4, ..Default::default() }.plain(&texts).unwrap();
        let inner = |train: &[usize]| {
            let texts: Vec<&String> = train.iter().map(|at| &texts[*at]).collect();
            KFold { folds: 3, ..Default::default() }.plain(&texts)
        };
        // A score that gives away every item that was looked at while tuning.
        let mut calls: Vec<(usize, Fold)> = Vec::new();
        let score = |configuration: &usize, fold: &Fold| {
            calls.push((*configuration, fold.clone()));
            Ok([0.1, 0.7, 0.7][*configuration])
        };
        let result = nested(&outer, &[0, 1, 2], 0.95, inner, score).unwrap();
        assert_eq!(result.folds.len(), 4);
        assert!(result.folds.iter().all(|fold| fold.chosen == 1 && fold.score == 0.7));
        // Three configurations on three inner folds, then the chosen one on the outer fold.
        for (calls, outer) in calls.chunks(10).zip(&outer) {
            for (_, fold) in &calls[..9] {
                let mut looked_at = [fold.train.clone(), fold.test.clone()].concat();
                looked_at.sort_unstable();
                assert_eq!(looked_at, outer.train);
            }
            assert_eq!(calls[9], (1, outer.clone()));
        }
    }

    #[test]
    fn errors_of_the_model_and_of_folds_are_handed_on() {
        let outer = KFold { folds: 2, ..Default::default() }.plain(&texts(8)).unwrap();
        let none: [u8; 0] = [];
        let score = |_: &u8, _: &Fold| Ok::<_, EvaluationError>(0.0);
        let halves =
            |_: &[usize]| Ok(vec![Fold { repeat: 0, train: vec![0, 1], test: vec![2, 3] }]);
        let outside = |_: &[usize]| Ok(vec![Fold { repeat: 0, train: vec![0], test: vec![4] }]);
        assert!(nested(&outer, &[0_u8], 0.95, halves, score).is_ok());
        assert!(nested(&outer, &none, 0.95, halves, score).is_err());
        assert!(nested(&outer, &[0_u8], 0.95, outside, score).is_err());
        assert!(nested(&outer, &[0_u8], 0.95, |_| Ok(vec![]), score).is_err());
        assert!(
            nested(&outer, &[0_u8], 0.95, halves, |_, _| Ok::<_, EvaluationError>(f64::NAN))
                .is_err()
        );
    }
}
