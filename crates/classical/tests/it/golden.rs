//! Every number of the golden cases `metrics/kneser-ney-*`.

use std::path::Path;

use serde_json::Value;
use wuji_classical::{Boundaries, KneserNey, KneserNeyConfig};

use super::shared;

#[test]
fn golden_case_of_order_2() {
    check("golden/metrics/kneser-ney-2-tiny");
}

#[test]
fn golden_case_of_order_3() {
    check("golden/metrics/kneser-ney-3");
}

/// A case: words become ids by their place in its vocabulary, `<s>` is one past it.
struct Case {
    expected: Value,
    vocabulary: Vec<String>,
    tolerance: f64,
}

impl Case {
    fn read(folder: &Path) -> Self {
        let json = |name| -> Value {
            serde_json::from_str(&std::fs::read_to_string(folder.join(name)).unwrap()).unwrap()
        };
        let expected = json("expected.json");
        let words = expected["vocabulary"].as_array().unwrap().iter();
        let vocabulary = words.map(|word| word.as_str().unwrap().to_owned()).collect();
        let tolerance = json("case.json")["tolerances"]["prob_rel"].as_f64().unwrap();
        Self { expected, vocabulary, tolerance }
    }

    fn id(&self, word: &str) -> u32 {
        if word == "<s>" {
            return self.vocabulary.len() as u32;
        }
        let find = |word| self.vocabulary.iter().position(|known| known == word);
        find(word).or_else(|| find("<unk>")).unwrap() as u32
    }

    fn ids(&self, sentence: &Value) -> Vec<u32> {
        sentence.as_str().unwrap().split_whitespace().map(|word| self.id(word)).collect()
    }

    fn train(&self) -> KneserNey {
        let sentences: Vec<Vec<u32>> =
            self.expected["train"].as_array().unwrap().iter().map(|s| self.ids(s)).collect();
        let order = self.expected["order"].as_u64().unwrap() as usize;
        let boundaries = Boundaries::Sentences { bos: self.id("<s>"), eos: Some(self.id("</s>")) };
        let config = KneserNeyConfig::new(order, self.vocabulary.len()).with_boundaries(boundaries);
        KneserNey::train(config, sentences.iter().map(Vec::as_slice)).unwrap()
    }

    fn assert_close(&self, what: &str, actual: f64, expected: &Value) {
        let expected = expected.as_f64().unwrap();
        let error = (actual - expected).abs() / expected.abs();
        assert!(error <= self.tolerance, "{what}: {actual} is not {expected}");
    }
}

fn check(folder: &str) {
    let Some(folder) = shared::find(folder) else {
        return;
    };
    let case = Case::read(&folder);
    let model = case.train();
    check_discounts(&case, &model);
    check_sentences(&case, &model);
    check_distributions(&case, &model);
}

fn check_discounts(case: &Case, model: &KneserNey) {
    let fallback = case.expected["discount_fallback_orders"].as_array().unwrap();
    for (index, discounts) in model.discounts().iter().enumerate() {
        let order = index + 1;
        assert_eq!(discounts.estimated, !fallback.contains(&Value::from(order)));
        let expected = &case.expected["discounts"][order.to_string()];
        for (k, actual) in
            [discounts.one, discounts.two, discounts.three_plus].into_iter().enumerate()
        {
            case.assert_close(&format!("D{} of order {order}", k + 1), actual, &expected[k]);
        }
    }
}

fn check_sentences(case: &Case, model: &KneserNey) {
    let sentences = case.expected["sentences"].as_array().unwrap();
    for sentence in sentences {
        let log_probs = model.document_log_probs(&case.ids(&sentence["sentence"]));
        let expected = sentence["probs"].as_array().unwrap();
        assert_eq!(log_probs.len(), expected.len());
        for (log_prob, expected) in log_probs.iter().zip(expected) {
            case.assert_close(&sentence["sentence"].to_string(), log_prob.exp(), expected);
        }
        case.assert_close("logprob", log_probs.iter().sum(), &sentence["logprob"]);
    }
    let ids: Vec<Vec<u32>> = sentences.iter().map(|s| case.ids(&s["sentence"])).collect();
    let documents: Vec<&[u32]> = ids.iter().map(Vec::as_slice).collect();
    let perplexity = model.score_documents(&documents).perplexity();
    case.assert_close("perplexity", perplexity, &case.expected["perplexity"]);
}

fn check_distributions(case: &Case, model: &KneserNey) {
    let mut distribution = Vec::new();
    for (context, expected) in case.expected["full_distributions"].as_object().unwrap() {
        let context: Vec<u32> = context.split_whitespace().map(|word| case.id(word)).collect();
        model.distribution(&context, &mut distribution);
        assert_eq!(distribution.len(), expected.as_object().unwrap().len());
        for (word, expected) in expected.as_object().unwrap() {
            case.assert_close(word, distribution[case.id(word) as usize], expected);
        }
    }
}
