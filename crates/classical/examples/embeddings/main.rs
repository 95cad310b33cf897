//! Word vectors from plain text, and how good and how quick they are:
//!
//! ```text
//! cargo run --release -p wuji-classical --example embeddings -- COMMAND …
//!   neighbours TEXT WORD…          the words most like each WORD, by each method
//!   export TEXT OUT                skip-gram vectors in word2vec's text format
//!   figure TEXT OUT.svg            the most frequent words on a plane
//!   speed TEXT…                    words per second, by method and by length of the batches
//!   ag-news TRAIN TEST             vectors as features, beside TF-IDF
//!   sst2 TRAIN VALIDATION          the same on SST-2
//!   search                         BM25 over 100,000 made-up documents
//! ```
//!
//! Files may be plain or `.gz`. A line of a TEXT is a document.

mod classify;
mod data;
mod methods;
mod search;
mod speed;

use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};
use wuji_classical::{Tsne, Word2Vec, WordVectors};

use data::Corpus;
use methods::{Method, methods};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut out = std::io::stdout().lock();
    match arguments[..] {
        ["neighbours", text, ref words @ ..] => neighbours(&mut out, &read(text)?, words),
        ["export", text, file] => Ok(skip_gram(&read(text)?)?.save_text(Path::new(file))?),
        ["figure", text, file] => figure(&read(text)?, file),
        ["speed", ref texts @ ..] if !texts.is_empty() => {
            speed::run(&mut out, &data::lines(texts)?)
        }
        ["ag-news", train, test] => classify::run(&mut out, &data::ag_news(train, test)?),
        ["sst2", train, validation] => classify::run(&mut out, &data::sst2(train, validation)?),
        ["search"] => search::run(&mut out),
        _ => bail!("usage: embeddings neighbours|export|figure|speed|ag-news|sst2|search …"),
    }
}

fn read(text: &str) -> anyhow::Result<Corpus> {
    Ok(Corpus::new(&data::lines(&[text])?, 5))
}

fn skip_gram(corpus: &Corpus) -> anyhow::Result<WordVectors> {
    Ok(Word2Vec { epochs: 10, ..Word2Vec::default() }
        .train(&corpus.vocabulary, &corpus.documents)?)
}

fn neighbours(out: &mut impl Write, corpus: &Corpus, words: &[&str]) -> anyhow::Result<()> {
    for Method { name, train } in methods() {
        let vectors = train(corpus)?;
        for word in words {
            let Ok(near) = vectors.neighbours(word, 6) else {
                writeln!(out, "{name:18} {word}: no vector")?;
                continue;
            };
            let near = near.iter().map(|n| format!("{} {:.2}", n.word, n.score));
            writeln!(out, "{name:18} {word}: {}", near.collect::<Vec<_>>().join(", "))?;
        }
    }
    Ok(())
}

fn figure(corpus: &Corpus, file: &str) -> anyhow::Result<()> {
    // The very first words of a vocabulary are punctuation and articles.
    let vectors = skip_gram(corpus)?;
    let words: Vec<&String> = vectors.words().iter().skip(100).take(300).collect();
    let plane = vectors.project_tsne(&words, &Tsne::default())?;
    std::fs::write(file, plane.svg("Word vectors (skip-gram, t-SNE)"))
        .with_context(|| format!("cannot write {file}"))
}
