//! Resampling a corpus metric costs sums, not texts.

#![expect(clippy::print_stderr, reason = "how long it took must be seen")]

use std::time::{Duration, Instant};

use wuji_evaluation::CorpusMetric;
use wuji_evaluation::bleu::{BleuOptions, CorpusBleu};
use wuji_evaluation::uncertainty::{BootstrapOptions, bootstrap};

/// Sentences of twenty words out of a few hundred, and references that differ in some of them.
fn corpus(sentences: usize) -> CorpusBleu {
    let mut corpus = CorpusBleu::new(BleuOptions::default()).unwrap();
    for sentence in 0..sentences {
        let text = |stride: usize| {
            let words = (0..20).map(|at| format!("word{}", (sentence * 31 + at * stride) % 307));
            words.collect::<Vec<_>>().join(" ")
        };
        let reference = text(1).replace("word7", "other").replace("word2", "another");
        corpus.add(&text(1), &[reference]).unwrap();
    }
    corpus
}

#[test]
fn a_thousand_resamples_of_a_thousand_sentences_are_well_under_a_second() {
    let start = Instant::now();
    let corpus = corpus(1000);
    let estimate = bootstrap(&corpus, &BootstrapOptions::default()).unwrap();
    let spent = start.elapsed();
    eprintln!("{spent:?}");
    assert!(spent < Duration::from_secs(1), "{spent:?}");
    let (low, high) = estimate.interval;
    assert!(low < corpus.value() && corpus.value() < high && high - low < 10.0, "{estimate}");
}
