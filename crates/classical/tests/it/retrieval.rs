//! LSA and BM25 against golden numbers.

use serde_json::Value;
use wuji_classical::{Bm25, Bm25Options, Lsa, SvdOptions, TfIdf, TfIdfConfig};

use super::shared;

fn golden() -> Option<(Value, Vec<String>)> {
    let folder = shared::find("golden/metrics/tfidf-lsa")?;
    let text = std::fs::read_to_string(folder.join("expected.json")).unwrap();
    let expected: Value = serde_json::from_str(&text).unwrap();
    let texts = serde_json::from_value(expected["docs"].clone()).unwrap();
    Some((expected, texts))
}

fn numbers(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).unwrap()
}

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-6, "{found}, expected {expected}");
}

#[test]
fn golden_lsa_is_that_of_scikit_learn() {
    let Some((expected, texts)) = golden() else { return };
    let expected = &expected["lsa"];
    let rows = TfIdf::fit(&TfIdfConfig::default(), &texts).transform(&texts);
    let rank = expected["k"].as_u64().unwrap() as usize;
    let model = Lsa::fit(&rows, &SvdOptions { rank, ..SvdOptions::default() }).unwrap();
    for (&found, expected) in
        model.singular_values().iter().zip(numbers(&expected["singular_values"]))
    {
        close(found, expected);
    }
    let vectors = model.transform(&rows);
    assert_eq!((vectors.len(), vectors[0].len()), (6, rank));
    for (vector, expected) in vectors.iter().zip(expected["abs_doc_vectors"].as_array().unwrap()) {
        vector
            .iter()
            .zip(numbers(expected))
            .for_each(|(found, expected)| close(found.abs(), expected));
    }
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    for (a, expected) in vectors.iter().zip(expected["cosine"].as_array().unwrap()) {
        for (b, expected) in vectors.iter().zip(numbers(expected)) {
            close(product(a, b) / (product(a, a) * product(b, b)).sqrt(), expected);
        }
    }
}

#[test]
fn golden_bm25_scores() {
    let Some((expected, texts)) = golden() else { return };
    let expected = &expected["bm25"];
    let number = |key: &str| expected[key].as_f64().unwrap();
    let options = Bm25Options { k1: number("k1"), b: number("b"), ..Bm25Options::default() };
    let index = Bm25::index(&options, texts.iter().map(|text| text.split_whitespace())).unwrap();
    let query: Vec<String> = serde_json::from_value(expected["query"].clone()).unwrap();
    let scores = numbers(&expected["scores"]);
    index.scores(&query).iter().zip(&scores).for_each(|(&found, &expected)| close(found, expected));
    let hits = index.search(&query, 10);
    assert_eq!(hits.iter().map(|hit| hit.document).collect::<Vec<_>>(), [0, 1, 5]);
}
