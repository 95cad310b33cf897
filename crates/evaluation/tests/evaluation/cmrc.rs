//! Chinese answers against the official script of CMRC 2018 on its development set.
//!
//! The expected figures are those of `squad-style-data/cmrc2018_evaluate.py` (repository
//! ymcui/cmrc2018) with NLTK 3.10.4's `NLTKWordTokenizer` for words between Chinese characters.

use serde_json::Value;
use wuji_evaluation::cmrc::{cmrc, mixed_segmentation};
use wuji_evaluation::{CorpusMetric, DocumentMean};

use crate::golden::{data, get};

/// The answer with twenty characters of the passage on both sides.
fn widened(context: &str, answer: &Value) -> String {
    let start: usize = get(&answer["answer_start"]);
    let length = get::<String>(&answer["text"]).chars().count();
    let from = start.saturating_sub(20);
    context.chars().skip(from).take(start + length + 20 - from).collect()
}

#[test]
fn the_official_scripts_figures_on_the_development_set() {
    let Some(all) = data("qa/cmrc2018/cmrc2018_dev.json.gz") else { return };
    let (mut exact, mut f1, mut segments) = (Vec::new(), Vec::new(), 0);
    let list = |value: &Value| value.as_array().unwrap().clone();
    for paragraph in list(&all["data"]).iter().flat_map(|text| list(&text["paragraphs"])) {
        let context: String = get(&paragraph["context"]);
        for question in list(&paragraph["qas"]) {
            let answers = list(&question["answers"]);
            let golds: Vec<String> = answers.iter().map(|answer| get(&answer["text"])).collect();
            let score = cmrc(&widened(&context, &answers[0]), &golds).unwrap();
            exact.push(100.0 * score.exact_match);
            f1.push(100.0 * score.f1);
            assert_eq!(cmrc(&golds[0], &golds).unwrap().f1, 1.0, "{}", golds[0]);
            segments += mixed_segmentation(&context).len();
        }
    }
    let mean = |scores: &[f64]| DocumentMean::new(scores).unwrap().value();
    assert_eq!((f1.len(), mean(&exact), segments), (3219, 0.0, 1_343_599));
    assert!((mean(&f1) - 32.787_473_054_656_36).abs() < 1e-9, "{}", mean(&f1));
}
