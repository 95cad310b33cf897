//! Files to documents.

use std::io::Read;

use anyhow::Context;
use flate2::read::MultiGzDecoder;
use wuji_classical::{Terms, WordVocabulary};

/// Texts as ids.
pub struct Corpus {
    pub vocabulary: WordVocabulary,
    pub documents: Vec<Vec<u32>>,
}

impl Corpus {
    /// Of the words that come at least `min_count` times.
    pub fn new(texts: &[String], min_count: usize) -> Self {
        let words: Vec<Vec<String>> = texts.iter().map(|text| tokens(text)).collect();
        let vocabulary = WordVocabulary::build(words.iter().map(|words| words.iter()), min_count);
        let documents = words.iter().map(|words| vocabulary.encode(words)).collect();
        Self { vocabulary, documents }
    }

    pub fn tokens(&self) -> usize {
        self.documents.iter().map(Vec::len).sum()
    }
}

/// Words in lower case.
pub fn tokens(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let terms = Terms::Words { shortest: 1, longest: 1, min_length: 1 };
    terms.each(text, &mut |word| words.push(word.to_owned()));
    words
}

/// A classification set: texts and labels to learn from, and to be measured on.
pub struct Labelled {
    pub classes: usize,
    pub train: (Vec<String>, Vec<usize>),
    pub test: (Vec<String>, Vec<usize>),
}

/// Lines of text files that are not blank.
pub fn lines(paths: &[&str]) -> anyhow::Result<Vec<String>> {
    let mut lines = Vec::new();
    for path in paths {
        let text = read(path)?;
        lines.extend(text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned));
    }
    Ok(lines)
}

/// AG News: training texts with the names of their classes, test texts with their numbers. The training
/// file has no titles, so those of the test file are left out.
pub fn ag_news(train: &str, test: &str) -> anyhow::Result<Labelled> {
    let names = ["World", "Sports", "Business", "Sci/Tech"];
    let train = pairs(read(train)?.lines().map(|line| {
        let (text, name) = line.rsplit_once('\t').context("a text, a tab and a class")?;
        let label = names.iter().position(|known| *known == name);
        Ok((text.to_owned(), label.with_context(|| format!("no class is named {name}"))?))
    }))?;
    let test = read(test)?;
    let mut rows = csv::ReaderBuilder::new().has_headers(false).from_reader(test.as_bytes());
    let test = pairs(rows.records().map(|row| {
        let row = row?;
        let class: usize = row.get(0).context("a class")?.parse()?;
        Ok((row.get(2).context("a description")?.to_owned(), class - 1))
    }))?;
    Ok(Labelled { classes: 4, train, test })
}

/// SST-2: phrases and sentences to learn from, GLUE's validation sentences to be measured on.
pub fn sst2(train: &str, validation: &str) -> anyhow::Result<Labelled> {
    let train = pairs(read(train)?.lines().skip(1).map(|line| {
        let (text, label) = line.rsplit_once('\t').context("a text, a tab and a label")?;
        Ok((text.to_owned(), label.parse()?))
    }))?;
    let test = pairs(read(validation)?.lines().map(|line| {
        let row: serde_json::Value = serde_json::from_str(line)?;
        let text = row["sentence"].as_str().context("a sentence")?;
        Ok((text.to_owned(), row["label"].as_u64().context("a label")? as usize))
    }))?;
    Ok(Labelled { classes: 2, train, test })
}

fn pairs(
    pairs: impl Iterator<Item = anyhow::Result<(String, usize)>>,
) -> anyhow::Result<(Vec<String>, Vec<usize>)> {
    Ok(pairs.collect::<anyhow::Result<Vec<_>>>()?.into_iter().unzip())
}

fn read(path: &str) -> anyhow::Result<String> {
    let file = std::fs::File::open(path).with_context(|| format!("cannot open {path}"))?;
    let mut text = String::new();
    let read = if path.ends_with(".gz") {
        MultiGzDecoder::new(file).read_to_string(&mut text)
    } else {
        std::io::BufReader::new(file).read_to_string(&mut text)
    };
    read.with_context(|| format!("cannot read {path}"))?;
    Ok(text)
}
