//! BLEU, chrF and TER against sacreBLEU.

use serde_json::Value;
use wuji_evaluation::bleu::{BleuOptions, BleuTokenizer, Smoothing, corpus_bleu, sentence_bleu};
use wuji_evaluation::chrf::{ChrfOptions, corpus_chrf, sentence_chrf};
use wuji_evaluation::ter::{TerOptions, corpus_ter, sentence_ter};

use crate::golden::{Comparison, expected, get};

struct Corpus {
    language: &'static str,
    hypotheses: Vec<String>,
    references: Vec<Vec<String>>,
    expected: Value,
}

fn corpora() -> Vec<Corpus> {
    let Some(all) = expected("generation") else { return Vec::new() };
    let corpus = |language: &'static str| Corpus {
        language,
        hypotheses: get(&all[language]["hypotheses"]),
        references: get(&all[language]["references"]),
        expected: all[language].clone(),
    };
    vec![corpus("en"), corpus("zh")]
}

/// The options of every golden BLEU score.
fn bleu_options(language: &str) -> Vec<(&'static str, BleuOptions)> {
    let tokenizer = if language == "zh" { BleuTokenizer::Zh } else { BleuTokenizer::V13a };
    let usual = BleuOptions::with_tokenizer(tokenizer);
    let smoothed = |smoothing| BleuOptions { smoothing, ..usual.clone() };
    vec![
        ("bleu", usual.clone()),
        ("bleu_lowercase", BleuOptions { lowercase: true, ..usual.clone() }),
        ("bleu_char", BleuOptions::with_tokenizer(BleuTokenizer::Char)),
        ("bleu_intl", BleuOptions::with_tokenizer(BleuTokenizer::Intl)),
        ("bleu_none", BleuOptions::with_tokenizer(BleuTokenizer::None)),
        ("bleu_floor", smoothed(Smoothing::Floor { value: 0.1 })),
        ("bleu_add_k", smoothed(Smoothing::AddK { value: 1.0 })),
        ("bleu_no_smooth", smoothed(Smoothing::None)),
        ("bleu_max2", BleuOptions { max_ngram_order: 2, ..usual }),
    ]
}

#[test]
fn golden_bleu_is_sacrebleus() {
    let mut comparison = Comparison::new("BLEU", 1e-9);
    for corpus in corpora() {
        for (name, options) in bleu_options(corpus.language) {
            let expected = &corpus.expected[name];
            let score = corpus_bleu(&corpus.hypotheses, &corpus.references, &options).unwrap();
            let name = format!("{} {name}", corpus.language);
            comparison.number(&name, score.score, &expected["score"]);
            comparison.numbers(&name, &score.precisions, &expected["precisions"]);
            comparison.numbers(&name, &score.counts, &expected["counts"]);
            comparison.numbers(&name, &score.totals, &expected["totals"]);
            comparison.number(&name, score.brevity_penalty, &expected["bp"]);
            comparison.number(&name, score.hypothesis_length as f64, &expected["sys_len"]);
            comparison.number(&name, score.reference_length as f64, &expected["ref_len"]);
            assert_eq!(score.signature, get::<String>(&expected["signature"]), "{name}");
        }
    }
}

#[test]
fn golden_sentence_bleu_is_sacrebleus() {
    let mut comparison = Comparison::new("sentence BLEU", 1e-9);
    for corpus in corpora() {
        let tokenizer =
            if corpus.language == "zh" { BleuTokenizer::Zh } else { BleuTokenizer::V13a };
        let options = BleuOptions { tokenizer, ..BleuOptions::sentence() };
        let pairs = corpus.hypotheses.iter().zip(&corpus.references);
        let scores: Vec<f64> =
            pairs.map(|(h, r)| sentence_bleu(h, r, &options).unwrap().score).collect();
        comparison.numbers("scores", &scores, &corpus.expected["sentence_bleu_effective_order"]);
    }
}

#[test]
fn golden_tokens_are_sacrebleus() {
    for corpus in corpora() {
        for (name, tokenizer) in [
            ("t13a", BleuTokenizer::V13a),
            ("zh", BleuTokenizer::Zh),
            ("intl", BleuTokenizer::Intl),
        ] {
            let tokenized: Vec<String> =
                corpus.hypotheses.iter().map(|text| tokenizer.tokenize(text)).collect();
            let expected: Vec<String> = get(&corpus.expected["tokenized"][name]);
            assert_eq!(tokenized, expected, "{name}");
        }
    }
}

#[test]
fn golden_chrf_is_sacrebleus() {
    let cases = [
        ("chrf", ChrfOptions::default()),
        ("chrf++", ChrfOptions::plus_plus()),
        ("chrf_beta1_ws", ChrfOptions { beta: 1.0, whitespace: true, ..Default::default() }),
        ("chrf_eps", ChrfOptions { eps_smoothing: true, ..Default::default() }),
    ];
    let mut comparison = Comparison::new("chrF", 1e-9);
    for corpus in corpora() {
        for (name, options) in &cases {
            let expected = &corpus.expected[name];
            let score = corpus_chrf(&corpus.hypotheses, &corpus.references, options).unwrap();
            comparison.number(name, score.score, &expected["score"]);
            assert_eq!(score.signature, get::<String>(&expected["signature"]), "{name}");
            let pairs = corpus.hypotheses.iter().zip(&corpus.references);
            let scores: Vec<f64> =
                pairs.map(|(h, r)| sentence_chrf(h, r, options).unwrap().score).collect();
            comparison.numbers(name, &scores, &expected["sentence"]);
        }
    }
}

#[test]
fn golden_ter_is_sacrebleus() {
    let usual = TerOptions::default();
    let cases = [
        ("ter", usual.clone()),
        (
            "ter_normalized_zh",
            TerOptions { normalized: true, asian_support: true, ..usual.clone() },
        ),
        ("ter_no_punct_cased", TerOptions { no_punct: true, case_sensitive: true, ..usual }),
    ];
    let mut comparison = Comparison::new("TER", 1e-9);
    for corpus in corpora() {
        for (name, options) in &cases {
            let expected = &corpus.expected[name];
            let score = corpus_ter(&corpus.hypotheses, &corpus.references, options).unwrap();
            comparison.number(name, score.score, &expected["score"]);
            comparison.number(name, score.num_edits as f64, &expected["num_edits"]);
            comparison.number(name, score.reference_length, &expected["ref_length"]);
            assert_eq!(score.signature, get::<String>(&expected["signature"]), "{name}");
            let pairs = corpus.hypotheses.iter().zip(&corpus.references);
            let scores: Vec<f64> =
                pairs.map(|(h, r)| sentence_ter(h, r, options).unwrap().score).collect();
            comparison.numbers(name, &scores, &expected["sentence"]);
        }
    }
}
