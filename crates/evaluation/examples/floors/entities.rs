//! Entities in texts, by a conditional random field.

use std::path::Path;

use anyhow::Context;
use wuji_classical::{TaggedSentence, Tagger, TaggerConfig};
use wuji_evaluation::entities::{EntityScores, Scheme};
use wuji_evaluation::uncertainty::{BootstrapOptions, bootstrap};

use crate::{Figure, files, timed};

/// Chemicals and diseases: what is trained on the training part is tested on the other two, and what is
/// trained on training and development part, as published figures are, on the test part.
pub fn bc5cdr(data: &Path) -> anyhow::Result<Vec<Figure>> {
    let part = |name: &str| sentences(&data.join(format!("medical/bc5cdr/{name}.tsv.gz")));
    let [train, devel, test] = [part("train")?, part("devel")?, part("test")?];
    let small =
        train_and_test(&train, &[("F1, development", &devel[..]), ("F1, test", &test[..])])?;
    let both = [train, devel].concat();
    let large = train_and_test(&both, &[("F1, test, trained with development", &test[..])])?;
    Ok([small, large].into_iter().flatten().collect())
}

/// Diseases: trained on the training part, tested on the development part.
pub fn ncbi_disease(data: &Path) -> anyhow::Result<Vec<Figure>> {
    let part = |name: &str| sentences(&data.join(format!("medical/ncbi-disease/{name}.tsv.gz")));
    train_and_test(&part("train")?, &[("F1, development", &part("devel")?[..])])
}

/// A token and its tag in a line; an empty line ends a sentence.
fn sentences(path: &Path) -> anyhow::Result<Vec<TaggedSentence>> {
    let text = files::text(path)?;
    let mut sentences = vec![TaggedSentence::default()];
    for line in text.lines() {
        if line.trim().is_empty() {
            sentences.push(TaggedSentence::default());
            continue;
        }
        let (token, tag) = line.split_once('\t').context("a line without a tab")?;
        let sentence = sentences.last_mut().context("no sentence")?;
        sentence.tokens.push(token.to_owned());
        sentence.tags.push(tag.to_owned());
    }
    sentences.retain(|sentence| !sentence.tokens.is_empty());
    Ok(sentences)
}

fn train_and_test(
    train: &[TaggedSentence],
    parts: &[(&'static str, &[TaggedSentence])],
) -> anyhow::Result<Vec<Figure>> {
    let (tagger, training) = timed(|| Ok(Tagger::train(&TaggerConfig::default(), train)?))?;
    let mut figures = Vec::new();
    for &(what, part) in parts {
        let tokens: Vec<Vec<String>> = part.iter().map(|s| s.tokens.clone()).collect();
        let truth: Vec<Vec<String>> = part.iter().map(|s| s.tags.clone()).collect();
        let (found, tagging) = timed(|| Ok(tagger.tag_all(&tokens)))?;
        let scores = EntityScores::new(&truth, &found, Scheme::Iob2)?;
        let estimate = bootstrap(&scores, &BootstrapOptions::default())?;
        figures.push(Figure { model: "CRF", what, estimate, seconds: training + tagging });
    }
    Ok(figures)
}
