//! Translation edit rate with sacreBLEU's numbers: the fewest edits, where moving a run of words
//! is one edit, per word of the reference (Snover et al., "A study of translation edit rate with
//! targeted human annotation", AMTA 2006).
//!
//! The fewest edits with moves are hard to find; Tercom's greedy search with its limits, as
//! sacreBLEU has it, is part of the definition.
//! Leaves intervals to [`uncertainty`](crate::uncertainty): a [`CorpusTer`] is a [`CorpusMetric`].

mod edit_distance;
mod shifts;
mod tokenizer;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::error::{EvaluationError, Result, same_length};
use crate::signature::{self, ReferenceCount, yes};
use crate::statistics::{CorpusMetric, Statistics};
use crate::words::words;

/// How TER is computed. The default is sacreBLEU's default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TerOptions {
    /// Whether punctuation is set apart from words first; no by default.
    pub normalized: bool,
    /// Whether punctuation is removed; no by default.
    pub no_punct: bool,
    /// Whether the two above know Chinese and Japanese characters and punctuation; no by default.
    pub asian_support: bool,
    /// Whether case matters; no by default.
    pub case_sensitive: bool,
}

impl TerOptions {
    fn signature(&self, references: ReferenceCount) -> String {
        let parts = [
            ("case", if self.case_sensitive { "mixed" } else { "lc" }.to_owned()),
            ("tok", "tercom".to_owned()),
            ("norm", yes(self.normalized)),
            ("punct", yes(!self.no_punct)),
            ("asian", yes(self.asian_support)),
        ];
        signature::signature(references, &parts)
    }
}

/// TER of a corpus or a sentence; lower is better.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TerScore {
    /// Edits per hundred words; 0 is perfect, and more than 100 is possible.
    pub score: f64,
    /// Insertions, deletions, substitutions and shifts.
    pub num_edits: u64,
    /// Words of the references, the mean over the references of each document.
    pub reference_length: f64,
    /// What the score is made with, in sacreBLEU's notation.
    pub signature: String,
}

/// TER of a corpus, document by document.
///
/// A row of its statistics is the edits towards the reference that takes fewest, and the mean
/// length of the references.
#[derive(Clone, Debug)]
pub struct CorpusTer {
    options: TerOptions,
    references: ReferenceCount,
    statistics: Statistics,
}

impl CorpusTer {
    /// No documents yet.
    pub fn new(options: TerOptions) -> Self {
        Self { options, references: ReferenceCount::default(), statistics: Statistics::new(2) }
    }

    /// Adds a document and its references, of which there must be at least one.
    pub fn add<S: AsRef<str>>(&mut self, hypothesis: &str, references: &[S]) -> Result<()> {
        let hypothesis = tokenizer::tokenize(hypothesis, &self.options);
        let references: Vec<String> = references
            .iter()
            .map(|reference| tokenizer::tokenize_reference(reference.as_ref(), &self.options))
            .collect();
        let mut ids = HashMap::new();
        let hypothesis = intern(&hypothesis, &mut ids);
        let (mut fewest, mut length) = (None, 0);
        for reference in &references {
            let reference = intern(reference, &mut ids);
            let edits = shifts::edits(&hypothesis, &reference);
            fewest = Some(fewest.map_or(edits, |fewest: usize| fewest.min(edits)));
            length += reference.len();
        }
        let Some(fewest) = fewest else {
            return Err(EvaluationError::NoReference { document: self.statistics.documents() });
        };
        self.references.observe(references.len());
        self.statistics.push(&[fewest as f64, length as f64 / references.len() as f64]);
        Ok(())
    }

    /// The score of the documents so far.
    pub fn score(&self) -> TerScore {
        let sums = self.statistics.sums();
        TerScore {
            score: self.score_of(&sums),
            num_edits: sums[0] as u64,
            reference_length: sums[1],
            signature: self.signature(),
        }
    }

    /// What the score is made with.
    pub fn signature(&self) -> String {
        self.options.signature(self.references)
    }
}

impl CorpusMetric for CorpusTer {
    fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    fn score_of(&self, sums: &[f64]) -> f64 {
        let (edits, length) = (sums[0], sums[1]);
        match length {
            _ if length > 0.0 => 100.0 * (edits / length),
            _ if edits > 0.0 => 100.0,
            _ => 0.0,
        }
    }
}

/// TER of a corpus: a hypothesis and its references per document.
pub fn corpus_ter<H: AsRef<str>, R: AsRef<str>>(
    hypotheses: &[H],
    references: &[Vec<R>],
    options: &TerOptions,
) -> Result<TerScore> {
    same_length("documents with references", hypotheses.len(), references.len())?;
    let mut corpus = CorpusTer::new(options.clone());
    for (hypothesis, references) in hypotheses.iter().zip(references) {
        corpus.add(hypothesis.as_ref(), references)?;
    }
    Ok(corpus.score())
}

/// TER of one sentence.
pub fn sentence_ter<R: AsRef<str>>(
    hypothesis: &str,
    references: &[R],
    options: &TerOptions,
) -> Result<TerScore> {
    let mut corpus = CorpusTer::new(options.clone());
    corpus.add(hypothesis, references)?;
    Ok(corpus.score())
}

/// Words as numbers, which compare faster.
fn intern<'a>(text: &'a str, ids: &mut HashMap<String, u32>) -> Vec<u32> {
    let mut id = |word: &'a str| {
        let next = ids.len() as u32;
        *ids.entry(word.to_owned()).or_insert(next)
    };
    words(text).map(&mut id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ter(hypothesis: &str, reference: &str) -> f64 {
        sentence_ter(hypothesis, &[reference], &TerOptions::default()).unwrap().score
    }

    #[test]
    fn moving_a_run_of_words_is_one_edit() {
        assert_eq!(ter("c d a b", "a b c d"), 25.0);
        assert_eq!(ter("a b x d", "A B C D"), 25.0);
    }

    #[test]
    fn empty_texts_have_a_rate() {
        assert_eq!((ter("", ""), ter("a", ""), ter("", "a b")), (0.0, 100.0, 100.0));
    }

    #[test]
    fn a_document_without_references_is_an_error() {
        let mut corpus = CorpusTer::new(TerOptions::default());
        corpus.add("a", &["a"]).unwrap();
        assert_eq!(corpus.add::<&str>("a", &[]), Err(EvaluationError::NoReference { document: 1 }));
    }
}
