//! Hidden Markov models against the golden numbers, and their properties.

use serde_json::Value;
use wuji_classical::{BaumWelch, ClassicalError, Hmm};

use super::shared;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn rows(value: &Value) -> Vec<Vec<f64>> {
    value.as_array().unwrap().iter().map(numbers).collect()
}

fn indices(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|index| index.as_u64().unwrap() as usize).collect()
}

fn model(value: &Value) -> Hmm {
    Hmm::new(numbers(&value["pi"]), rows(&value["A"]), rows(&value["B"])).unwrap()
}

#[track_caller]
fn assert_close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-9, "{found}, expected {expected}");
    }
}

fn assert_models_close(found: &Hmm, expected: &Hmm) {
    assert_close(found.initial(), expected.initial());
    for state in 0..expected.states() {
        assert_close(found.transitions(state), expected.transitions(state));
        assert_close(found.emissions(state), expected.emissions(state));
    }
}

#[test]
fn golden_hmm() {
    let Some(folder) = shared::find("golden/metrics/hmm") else { return };
    let text = std::fs::read_to_string(folder.join("expected.json")).unwrap();
    let expected: Value = serde_json::from_str(&text).unwrap();
    let hmm = model(&expected["model"]);
    let cases = expected["sequences"].as_array().unwrap();
    let sequences: Vec<Vec<usize>> = cases.iter().map(|case| indices(&case["obs"])).collect();
    for (case, sequence) in cases.iter().zip(&sequences) {
        let log_likelihood = case["log_likelihood"].as_f64().unwrap();
        assert_close(&[hmm.log_likelihood(sequence).unwrap()], &[log_likelihood]);
        let path = hmm.best_path(sequence).unwrap();
        assert_eq!(path.states, indices(&case["viterbi_path"]));
        assert_close(&[path.log_probability], &[case["viterbi_logprob"].as_f64().unwrap()]);
        let posterior = hmm.posterior(sequence).unwrap();
        for (found, expected) in posterior.states.iter().zip(rows(&case["posterior"])) {
            assert_close(found, &expected);
        }
    }
    let (learnt, before) = hmm.baum_welch_step(&sequences).unwrap();
    assert_close(&[before], &[expected["total_log_likelihood"].as_f64().unwrap()]);
    assert_models_close(&learnt, &model(&expected["baum_welch"]));
    let after: f64 = sequences.iter().map(|s| learnt.log_likelihood(s).unwrap()).sum();
    let expected_after = &expected["baum_welch"]["total_log_likelihood_after"];
    assert_close(&[after], &[expected_after.as_f64().unwrap()]);
    let states = expected["supervised"]["states"].as_array().unwrap().iter().map(indices);
    let tagged: Vec<Vec<(usize, usize)>> = states
        .zip(&sequences)
        .map(|(s, o)| s.into_iter().zip(o.iter().copied()).collect())
        .collect();
    let counted = Hmm::from_tagged(&tagged, 3, 4, 1.0).unwrap();
    assert_models_close(&counted, &model(&expected["supervised"]));
}

#[test]
fn learning_never_makes_the_sequences_less_likely() {
    let truth = Hmm::random(2, 5, 3).unwrap();
    let sequences: Vec<Vec<usize>> = (0..20)
        .map(|seed| truth.sample(50, seed).into_iter().map(|(_, symbol)| symbol).collect())
        .collect();
    let start = Hmm::random(3, 5, 9).unwrap();
    let options = BaumWelch { max_iterations: 40, ..BaumWelch::default() };
    let (_, report) = start.baum_welch(&sequences, &options).unwrap();
    assert!(report.log_likelihoods.len() > 3);
    assert!(report.log_likelihoods.windows(2).all(|pair| pair[1] >= pair[0] - 1e-9), "{report:?}");
}

#[test]
fn long_sequences_do_not_underflow_and_impossible_ones_are_minus_infinity() {
    let hmm = Hmm::random(3, 6, 1).unwrap();
    let long: Vec<usize> = hmm.sample(100_000, 2).into_iter().map(|(_, symbol)| symbol).collect();
    let per_symbol = hmm.log_likelihood(&long).unwrap() / 1e5;
    assert!((-2.0..-1.0).contains(&per_symbol), "{per_symbol}");
    let certain = Hmm::new(vec![1.0], vec![vec![1.0]], vec![vec![1.0, 0.0]]).unwrap();
    assert_eq!(certain.log_likelihood(&[0, 1]).unwrap(), f64::NEG_INFINITY);
    assert_eq!(certain.posterior(&[0, 1]).unwrap().states, [[0.0], [0.0]]);
    assert_eq!(certain.best_path(&[0, 1]).unwrap().log_probability, f64::NEG_INFINITY);
}

#[test]
fn what_is_no_model_or_no_sequence_is_named() {
    let error = Hmm::new(vec![0.5, 0.6], vec![vec![1.0]], vec![vec![1.0]]).unwrap_err().to_string();
    assert!(error.contains("the initial states") && error.contains("1.1"), "{error}");
    let error = Hmm::new(vec![1.0], vec![vec![1.0]], vec![vec![0.5]]).unwrap_err().to_string();
    assert!(error.contains("the emissions of state 0"), "{error}");
    let hmm = Hmm::random(2, 3, 0).unwrap();
    assert_eq!(hmm.best_path(&[]).unwrap_err(), ClassicalError::EmptySequence);
    let expected = ClassicalError::Symbol { position: 1, symbol: 3, symbols: 3 };
    assert_eq!(hmm.log_likelihood(&[0, 3]).unwrap_err(), expected);
    let expected = ClassicalError::State { position: 0, state: 2, states: 2 };
    assert_eq!(Hmm::from_tagged(&[vec![(2, 0)]], 2, 3, 1.0).unwrap_err(), expected);
    assert!(Hmm::random(0, 3, 0).is_err());
}
