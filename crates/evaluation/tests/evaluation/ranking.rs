//! Rankings against scikit-learn and the formulas of the case.

use wuji_evaluation::ranking::{Gain, Ranking};
use wuji_evaluation::{CorpusMetric, DocumentMean};

use crate::golden::{Comparison, expected, get};

/// Every figure of a ranking by its name in the case.
fn figures(ranking: &Ranking) -> Vec<(String, f64)> {
    let mut figures =
        vec![("ap".into(), ranking.average_precision()), ("rr".into(), ranking.reciprocal_rank())];
    for k in [1, 3, 5, 10] {
        figures.push((format!("ndcg@{k}"), ranking.ndcg_at(k, Gain::Linear)));
        figures.push((format!("ndcg_exp@{k}"), ranking.ndcg_at(k, Gain::Exponential)));
        figures.push((format!("precision@{k}"), ranking.precision_at(k)));
        figures.push((format!("recall@{k}"), ranking.recall_at(k)));
        figures.push((format!("hit@{k}"), ranking.hit_at(k)));
    }
    figures
}

#[test]
fn golden_rankings_and_their_means() {
    let Some(all) = expected("ranking") else { return };
    let mut comparison = Comparison::new("rankings", 1e-9);
    let mut columns: Vec<Vec<f64>> = vec![Vec::new(); 22];
    let mut names = Vec::new();
    for query in all["queries"].as_array().unwrap() {
        let (relevance, score): (Vec<f64>, Vec<f64>) =
            (get(&query["relevance"]), get(&query["score"]));
        let figures = figures(&Ranking::new(&relevance, &score).unwrap());
        for ((name, found), column) in figures.iter().zip(&mut columns) {
            comparison.number(name, *found, &query[name]);
            column.push(*found);
        }
        names = figures.into_iter().map(|(name, _)| name).collect();
    }
    for (name, column) in names.iter().zip(&columns) {
        let mean = DocumentMean::new(column).unwrap().value();
        comparison.number(name, mean, &all["mean"][name]);
    }
}
