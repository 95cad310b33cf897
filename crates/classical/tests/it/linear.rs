//! TF-IDF and linear classifiers against scikit-learn's numbers, and on real sets.
#![expect(clippy::print_stderr, reason = "a figure of a real set is worth seeing")]

use std::io::Read;
use std::path::Path;

use serde_json::Value;
use wuji_classical::{
    ClassicalError, Classifier, LinearSvm, LogisticOptions, LogisticRegression, NaiveBayes,
    SparseMatrix, SvmOptions, Terms, TfIdf, TfIdfConfig,
};

use super::shared;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn golden() -> Option<(Value, Vec<String>)> {
    let folder = shared::find("golden/metrics/tfidf-lsa")?;
    let text = std::fs::read_to_string(folder.join("expected.json")).unwrap();
    let expected: Value = serde_json::from_str(&text).unwrap();
    let texts = expected["docs"].as_array().unwrap();
    let texts = texts.iter().map(|text| text.as_str().unwrap().to_owned()).collect();
    Some((expected, texts))
}

#[test]
fn golden_tfidf_is_that_of_scikit_learn() {
    let Some((expected, texts)) = golden() else { return };
    let model = TfIdf::fit(&TfIdfConfig::default(), &texts);
    assert_eq!(serde_json::json!(model.vocabulary()), expected["vocabulary"]);
    let rows = model.transform(&texts);
    for (row, expected) in rows.rows().zip(expected["tfidf"].as_array().unwrap()) {
        let mut found = vec![0.0; model.width()];
        for (&column, &value) in row.columns.iter().zip(row.values) {
            found[column as usize] = f64::from(value);
        }
        for (found, expected) in found.iter().zip(numbers(expected)) {
            assert!((found - expected).abs() < 1e-6, "{found}, expected {expected}");
        }
    }
}

#[test]
fn golden_naive_bayes_is_that_of_scikit_learn() {
    let Some((expected, texts)) = golden() else { return };
    let words = TfIdf::fit(&TfIdfConfig::default(), &texts);
    let vocabulary = words.vocabulary();
    let counts = texts.iter().map(|text| {
        let mut row = std::collections::BTreeMap::<u32, f32>::new();
        Terms::WORDS.each(text, &mut |term| {
            let column = vocabulary.iter().position(|word| *word == term).unwrap();
            *row.entry(column as u32).or_default() += 1.0;
        });
        row.into_iter().collect::<Vec<_>>()
    });
    let rows = SparseMatrix::from_rows(vocabulary.len(), counts);
    let expected = &expected["naive_bayes"];
    let labels: Vec<usize> = numbers(&expected["labels"]).iter().map(|l| *l as usize).collect();
    let model = NaiveBayes::fit(&rows, &labels, 2, 1.0).unwrap();
    for (found, expected) in
        model.class_log_priors().iter().zip(numbers(&expected["class_log_prior"]))
    {
        assert!((found - expected).abs() < 1e-6);
    }
    for (class, expected) in expected["feature_log_prob"].as_array().unwrap().iter().enumerate() {
        for (feature, expected) in numbers(expected).iter().enumerate() {
            let found = model.feature_log_probabilities()[2 * feature + class];
            assert!((found - expected).abs() < 1e-6, "{found}, expected {expected}");
        }
    }
}

/// Three clouds of points on a plane, one at each corner.
fn clouds() -> (SparseMatrix, Vec<usize>) {
    let corners = [[0.0f32, 0.0], [4.0, 0.0], [0.0, 4.0]];
    let labels: Vec<usize> = (0..90).map(|i| i % 3).collect();
    let point = |(i, &label): (usize, &usize)| {
        let jitter = |k: usize| ((i * k) % 17) as f32 / 17.0 - 0.5;
        let [x, y] = corners[label];
        vec![(0, x + jitter(5)), (1, y + jitter(11))]
    };
    (SparseMatrix::from_rows(2, labels.iter().enumerate().map(point)), labels)
}

#[test]
fn separable_classes_are_separated() {
    let (rows, labels) = clouds();
    let options = LogisticOptions { c: 100.0, ..LogisticOptions::default() };
    let logistic = LogisticRegression::fit(&rows, &labels, 3, &options).unwrap();
    assert!(logistic.converged());
    assert_eq!(logistic.predict(&rows), labels);
    for probabilities in logistic.probabilities(&rows) {
        assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
    let machine = LinearSvm::fit(&rows, &labels, 3, &SvmOptions::default()).unwrap();
    assert_eq!(machine.predict(&rows), labels);
}

#[test]
fn the_gradient_of_a_fitted_regression_is_zero() {
    // At the minimum the weights are c times the sum of what the rows still pull: W = c · Σ x (y − p).
    let (rows, labels) = clouds();
    let options = LogisticOptions { c: 0.5, tolerance: 1e-9, max_iterations: 1000 };
    let model = LogisticRegression::fit(&rows, &labels, 3, &options).unwrap();
    let probabilities = model.probabilities(&rows);
    let unit = |column: u32| SparseMatrix::from_rows(2, [vec![(column, 1.0)], vec![]]);
    for column in 0..2 {
        let scores = model.scores(&unit(column));
        for class in 0..3 {
            let weight = scores[0][class] - scores[1][class];
            let pull: f64 = rows
                .rows()
                .zip(&labels)
                .zip(&probabilities)
                .map(|((row, &label), p)| {
                    let target = f64::from(u8::from(label == class));
                    f64::from(row.values[column as usize]) * (target - p[class])
                })
                .sum();
            assert!((weight - options.c * pull).abs() < 1e-5, "{weight} and {pull}");
        }
    }
}

#[test]
fn labels_that_make_no_sense_are_named() {
    let (rows, labels) = clouds();
    let fit = |labels: &[usize], classes| NaiveBayes::fit(&rows, labels, classes, 1.0).unwrap_err();
    assert_eq!(fit(&labels[1..], 3), ClassicalError::Labels { rows: 90, labels: 89 });
    assert_eq!(fit(&labels, 2), ClassicalError::Label { row: 2, label: 2, classes: 2 });
    assert_eq!(fit(&[0; 90], 1), ClassicalError::Label { row: 0, label: 0, classes: 1 });
    assert!(matches!(
        NaiveBayes::fit(&rows, &labels, 3, 0.0).unwrap_err(),
        ClassicalError::Smoothing { .. }
    ));
}

fn unzipped(path: &Path) -> String {
    let mut text = String::new();
    let file = std::fs::File::open(path).unwrap();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    text
}

#[test]
fn clinc150_is_classified_as_well_as_the_field_does_without_neural_networks() {
    let Some(path) = shared::find("data/customer-service/clinc150/data_full.json.gz") else {
        return;
    };
    let sets: Value = serde_json::from_str(&unzipped(&path)).unwrap();
    let mut names: Vec<String> = Vec::new();
    let mut read = |set: &str| -> (Vec<String>, Vec<usize>) {
        let pairs = sets[set].as_array().unwrap().iter();
        pairs
            .map(|pair| {
                let name = pair[1].as_str().unwrap();
                let label = names.iter().position(|known| known == name).unwrap_or_else(|| {
                    names.push(name.to_owned());
                    names.len() - 1
                });
                (pair[0].as_str().unwrap().to_owned(), label)
            })
            .unzip()
    };
    let ((texts, labels), (test_texts, test_labels)) = (read("train"), read("test"));
    let features = TfIdf::fit(&TfIdfConfig::words_and_characters(), &texts);
    let rows = features.transform(&texts);
    let machine = LinearSvm::fit(&rows, &labels, names.len(), &SvmOptions::default()).unwrap();
    let found = machine.predict(&features.transform(&test_texts));
    let right = found.iter().zip(&test_labels).filter(|(a, b)| a == b).count();
    let accuracy = right as f64 / test_labels.len() as f64;
    eprintln!("CLINC150: {accuracy:.4} of {} in-scope questions", test_labels.len());
    // 92.5 with TF-IDF in the issue's own trial; Larson et al. 2019 have 91.0 for an SVM.
    assert!(accuracy > 0.92, "{accuracy}");
}
