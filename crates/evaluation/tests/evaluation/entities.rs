//! Entity scores against seqeval.

use serde_json::Value;
use wuji_evaluation::CorpusMetric;
use wuji_evaluation::classification::{Average, BinaryCounts};
use wuji_evaluation::entities::{EntityScores, Scheme, decode};

use crate::golden::{Comparison, expected, get};

const CASES: [(&str, Scheme); 4] = [
    ("iob2_default", Scheme::Lenient),
    ("iobes_default", Scheme::Lenient),
    ("iob2_strict", Scheme::Iob2),
    ("iobes_strict", Scheme::Iobes),
];

type Tags = Vec<Vec<String>>;

/// A column of seqeval's report.
type Figure = (&'static str, fn(&BinaryCounts) -> f64);

/// The entities of sentences as seqeval writes them in the mode of a scheme.
fn written(sentences: &Tags, scheme: Scheme) -> Vec<Vec<Value>> {
    let write = |sentence: usize, tags: &Vec<String>| {
        let entities = decode(sentence, tags, scheme).unwrap().into_iter();
        let value = |kind: String, start: usize, end: usize| match scheme {
            Scheme::Lenient => serde_json::json!([kind, start, end - 1]),
            _ => serde_json::json!([sentence, kind, start, end]),
        };
        entities.map(|entity| value(entity.kind, entity.start, entity.end)).collect()
    };
    sentences.iter().enumerate().map(|(sentence, tags)| write(sentence, tags)).collect()
}

#[test]
fn golden_entities_are_seqevals() {
    let Some(all) = expected("entity-f1") else { return };
    for (name, scheme) in CASES {
        for (tags, entities) in [("gold", "gold_entities"), ("pred", "pred_entities")] {
            let found = written(&get::<Tags>(&all[name][tags]), scheme);
            assert_eq!(found, get::<Vec<Vec<Value>>>(&all[name][entities]), "{name} {tags}");
        }
    }
}

#[test]
fn golden_entity_scores_are_seqevals() {
    let Some(all) = expected("entity-f1") else { return };
    let mut comparison = Comparison::new("entities", 1e-9);
    for (name, scheme) in CASES {
        let case = &all[name];
        let (gold, pred): (Tags, Tags) = (get(&case["gold"]), get(&case["pred"]));
        let scores = EntityScores::new(&gold, &pred, scheme).unwrap();
        comparison.number(name, scores.value(), &case["f1_micro"]);
        comparison.number(name, scores.token_accuracy(), &case["token_accuracy"]);
        let report = &case["report"];
        let figures: [Figure; 3] = [
            ("precision", BinaryCounts::precision),
            ("recall", BinaryCounts::recall),
            ("f1-score", BinaryCounts::f1),
        ];
        for (figure, of) in figures {
            for (average, how) in [
                ("micro avg", Average::Micro),
                ("macro avg", Average::Macro),
                ("weighted avg", Average::Weighted),
            ] {
                comparison.number(name, scores.average(how, of), &report[average][figure]);
            }
            for (kind, counts) in scores.per_type() {
                comparison.number(kind, of(counts), &report[kind][figure]);
            }
        }
        for (kind, counts) in scores.per_type() {
            comparison.number(kind, counts.support() as f64, &report[kind]["support"]);
        }
    }
}
