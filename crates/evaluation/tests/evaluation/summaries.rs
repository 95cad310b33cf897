//! ROUGE against rouge-score; error rates, distinct-n and SQuAD against the formulas of the cases.

use serde_json::Value;
use wuji_evaluation::distinct::distinct;
use wuji_evaluation::error_rate::{Unit, error_rate, errors};
use wuji_evaluation::rouge::{RougeKind, RougeOptions, rouge};
use wuji_evaluation::squad::{normalize_answer, squad};
use wuji_evaluation::{CorpusMetric, DocumentMean};

use crate::golden::{Comparison, expected, get};

const KINDS: [(&str, RougeKind); 5] = [
    ("rouge1", RougeKind::N(1)),
    ("rouge2", RougeKind::N(2)),
    ("rouge3", RougeKind::N(3)),
    ("rougeL", RougeKind::L),
    ("rougeLsum", RougeKind::LSum),
];

fn mean(values: &[f64]) -> f64 {
    DocumentMean::new(values).unwrap().value()
}

#[test]
fn golden_rouge_is_rouge_scores() {
    let Some(all) = expected("rouge") else { return };
    let mut comparison = Comparison::new("ROUGE", 1e-9);
    let cases = all["cases"].as_array().unwrap();
    for (name, kind) in KINDS {
        for (suffix, stemmer) in [("plain", false), ("stem", true)] {
            let with = |case: &&Value| case["use_stemmer"] == stemmer;
            let mut all_f1 = Vec::new();
            for case in cases.iter().filter(with) {
                let references = [get::<String>(&case["reference"])];
                let options = RougeOptions { stemmer };
                let prediction = get::<String>(&case["prediction"]);
                let score = rouge(kind, &prediction, &references, options).unwrap();
                comparison.number(name, score.precision, &case[name]["precision"]);
                comparison.number(name, score.recall, &case[name]["recall"]);
                comparison.number(name, score.f1, &case[name]["f"]);
                all_f1.push(score.f1);
            }
            if let Some(expected) = all["mean_f"].get(format!("{name}_{suffix}")) {
                comparison.number(name, mean(&all_f1), expected);
            }
        }
    }
}

#[test]
fn golden_error_rates_and_distinct_ngrams() {
    let Some(all) = expected("wer") else { return };
    let pairs = all["pairs"].as_array().unwrap();
    let texts = |name: &str| pairs.iter().map(|pair| get(&pair[name])).collect::<Vec<String>>();
    let (hypotheses, references) = (texts("hypothesis"), texts("reference"));
    let mut comparison = Comparison::new("error rates, distinct-n", 1e-9);
    for (at, pair) in pairs.iter().enumerate() {
        let words = errors(Unit::Word, &hypotheses[at], &references[at]);
        let characters = errors(Unit::Character, &hypotheses[at], &references[at]);
        comparison.number("word edits", words.edits as f64, &pair["word_edits"]);
        comparison.number("words", words.length as f64, &pair["words"]);
        comparison.number("character edits", characters.edits as f64, &pair["char_edits"]);
        comparison.number("characters", characters.length as f64, &pair["chars"]);
    }
    let rate = |unit| error_rate(unit, &hypotheses, &references).unwrap();
    comparison.number("wer", rate(Unit::Word), &all["wer"]);
    comparison.number("cer", rate(Unit::Character), &all["cer"]);
    for order in 1..=3 {
        let name = format!("distinct{order}");
        comparison.number(&name, distinct(&hypotheses, order), &all["distinct"][&name]);
    }
}

#[test]
fn golden_answers_are_scored_as_by_squads_script() {
    let Some(all) = expected("squad") else { return };
    let mut comparison = Comparison::new("SQuAD", 1e-9);
    let (mut exact, mut f1) = (Vec::new(), Vec::new());
    for item in all["items"].as_array().unwrap() {
        let prediction: String = get(&item["prediction"]);
        assert_eq!(normalize_answer(&prediction), get::<String>(&item["normalized"]));
        let score = squad(&prediction, &get::<Vec<String>>(&item["golds"]));
        comparison.number(&prediction, score.exact_match, &item["exact_match"]);
        comparison.number(&prediction, score.f1, &item["f1"]);
        exact.push(100.0 * score.exact_match);
        f1.push(100.0 * score.f1);
    }
    comparison.number("exact match", mean(&exact), &all["exact_match"]);
    comparison.number("F1", mean(&f1), &all["f1"]);
}
