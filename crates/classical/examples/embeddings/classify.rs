//! Vectors as features: texts are the means of their words' vectors, learnt from the training texts
//! alone, and classified by logistic regression.

use std::io::Write;
use std::time::Instant;

use wuji_classical::{
    Classifier, LogisticOptions, LogisticRegression, Lsa, SparseMatrix, SvdOptions, TfIdf,
    TfIdfConfig, Word2Vec,
};

use crate::data::{Corpus, Labelled, tokens};
use crate::methods::{Method, methods};

pub fn run(out: &mut impl Write, set: &Labelled) -> anyhow::Result<()> {
    let corpus = Corpus::new(&set.train.0, 2);
    let (tokens, words) = (corpus.tokens(), corpus.vocabulary.len());
    let (train, test) = (set.train.0.len(), set.test.0.len());
    writeln!(
        out,
        "{train} training texts ({tokens} words, {words} different), {test} test texts\n"
    )?;
    writeln!(
        out,
        "| features | numbers per text | C | accuracy | seconds |\n|---|---:|---:|---:|---:|"
    )?;
    let start = Instant::now();
    let tfidf = TfIdf::fit(&TfIdfConfig::default(), &set.train.0);
    let rows = [tfidf.transform(&set.train.0), tfidf.transform(&set.test.0)];
    report(out, "TF-IDF of words", set, &rows, start)?;
    let start = Instant::now();
    let lsa = Lsa::fit(&rows[0], &SvdOptions::default())?;
    let rows = rows.map(|rows| dense(lsa.singular_values().len(), lsa.transform(&rows)));
    report(out, "LSA", set, &rows, start)?;
    for Method { name, train } in methods() {
        let start = Instant::now();
        report(out, name, set, &pooled(set, &train(&corpus)?), start)?;
    }
    for batch_words in [1, 256, 1024] {
        let start = Instant::now();
        let options = Word2Vec { epochs: 10, batch_words, ..Word2Vec::default() };
        let vectors = options.train(&corpus.vocabulary, &corpus.documents)?;
        let name = format!("skip-gram, batches of {batch_words}");
        report(out, &name, set, &pooled(set, &vectors), start)?;
    }
    Ok(())
}

fn pooled(set: &Labelled, vectors: &wuji_classical::WordVectors) -> [SparseMatrix; 2] {
    [&set.train.0, &set.test.0].map(|texts| vectors.pooled_rows(texts.iter().map(|t| tokens(t))))
}

fn dense(width: usize, rows: Vec<Vec<f64>>) -> SparseMatrix {
    let narrow = |row: Vec<f64>| (0..).zip(row.into_iter().map(|value| value as f32)).collect();
    SparseMatrix::from_rows(width, rows.into_iter().map(narrow))
}

fn report(
    out: &mut impl Write,
    name: &str,
    set: &Labelled,
    [train, test]: &[SparseMatrix; 2],
    start: Instant,
) -> anyhow::Result<()> {
    let c = choose_c(train, &set.train.1, set.classes)?;
    let model = fit(train, &set.train.1, set.classes, c)?;
    let found = model.predict(test);
    let accuracy = 100.0 * right(&found, &set.test.1) as f64 / found.len() as f64;
    let seconds = start.elapsed().as_secs_f64();
    writeln!(out, "| {name} | {} | {c} | {accuracy:.2} | {seconds:.1} |", train.width())?;
    Ok(())
}

/// The strength of the penalty that suits every tenth training text best, learnt from the others.
fn choose_c(rows: &SparseMatrix, labels: &[usize], classes: usize) -> anyhow::Result<f64> {
    let (held_out, kept): (Vec<usize>, Vec<usize>) = (0..rows.len()).partition(|row| row % 10 == 0);
    let pick = |part: &[usize]| (rows.select(part), part.iter().map(|&i| labels[i]).collect());
    let (train, train_labels): (SparseMatrix, Vec<usize>) = pick(&kept);
    let (test, test_labels): (SparseMatrix, Vec<usize>) = pick(&held_out);
    let mut best = (0, 0.0);
    for c in [1.0, 10.0, 100.0, 1000.0] {
        let model = fit(&train, &train_labels, classes, c)?;
        let right = right(&model.predict(&test), &test_labels);
        if right > best.0 {
            best = (right, c);
        }
    }
    Ok(best.1)
}

fn fit(
    rows: &SparseMatrix,
    labels: &[usize],
    classes: usize,
    c: f64,
) -> anyhow::Result<LogisticRegression> {
    let options = LogisticOptions { c, ..LogisticOptions::default() };
    Ok(LogisticRegression::fit(rows, labels, classes, &options)?)
}

fn right(found: &[usize], expected: &[usize]) -> usize {
    found.iter().zip(expected).filter(|(a, b)| a == b).count()
}
