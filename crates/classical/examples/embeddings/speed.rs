//! Words per second: words of the text times passes over it, by the time of the whole training.

use std::io::Write;
use std::time::Instant;

use wuji_classical::{GloVe, PpmiSvd, Word2Vec, WordVectors};

use crate::data::Corpus;

pub fn run(out: &mut impl Write, texts: &[String]) -> anyhow::Result<()> {
    let corpus = Corpus::new(texts, 5);
    let (tokens, words) = (corpus.tokens(), corpus.vocabulary.len());
    let threads = rayon::current_num_threads();
    writeln!(out, "{tokens} words, {words} different ones, {threads} threads\n")?;
    writeln!(out, "| method | passes | seconds | words/s |\n|---|---:|---:|---:|")?;
    let mut row = |name: &str, passes: usize, train: &dyn Fn() -> WordVectors| {
        let start = Instant::now();
        train();
        let seconds = start.elapsed().as_secs_f64();
        let rate = (tokens * passes) as f64 / seconds / 1000.0;
        writeln!(out, "| {name} | {passes} | {seconds:.2} | {rate:.0} k |")
    };
    let ppmi = PpmiSvd::default();
    let (vocabulary, documents) = (&corpus.vocabulary, &corpus.documents);
    row("PPMI-SVD", 1, &|| ppmi.train(vocabulary, documents).expect("good options"))?;
    let glove = GloVe::default();
    row("GloVe", glove.epochs, &|| glove.train(vocabulary, documents).expect("good options"))?;
    let cases = [
        ("skip-gram", Word2Vec::default()),
        ("CBOW", Word2Vec::cbow()),
        ("fastText", Word2Vec::fast_text()),
    ];
    for (name, options) in cases {
        let train = || options.train(vocabulary, documents).expect("good options");
        row(name, options.epochs, &train)?;
    }
    for batch_words in [1, 16, 256, 1024] {
        let options = Word2Vec { batch_words, ..Word2Vec::default() };
        let train = || options.train(vocabulary, documents).expect("good options");
        row(&format!("skip-gram, batches of {batch_words}"), options.epochs, &train)?;
    }
    Ok(())
}
