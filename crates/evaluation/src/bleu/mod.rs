//! BLEU with sacreBLEU's numbers: clipped n-gram precisions of a corpus, their geometric mean, and
//! a penalty for brevity (Papineni et al., "BLEU: a method for automatic evaluation of machine
//! translation", ACL 2002; tokenization, reference lengths and smoothing as sacreBLEU has them).
//!
//! Leaves intervals to [`uncertainty`](crate::uncertainty): a [`CorpusBleu`] is a [`CorpusMetric`].

mod score;
pub(crate) mod tokenizer;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

pub use score::BleuScore;
pub use tokenizer::BleuTokenizer;

use crate::error::{EvaluationError, Result, same_length};
use crate::ngrams;
use crate::signature::{self, ReferenceCount, yes};
use crate::statistics::{CorpusMetric, Statistics};
use crate::words::{trim_end, words};

/// What to do about an order of which no n-gram matches, for which the geometric mean would be 0
/// (Chen and Cherry, "A systematic comparison of smoothing techniques for sentence-level BLEU",
/// WMT 2014).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Smoothing {
    /// Nothing: the score is then 0.
    None,
    /// The number of matches becomes `value`; sacreBLEU's default is 0.1.
    Floor {
        /// What no match counts.
        value: f64,
    },
    /// `value` more matches and n-grams for every order above 1; sacreBLEU's default is 1.
    AddK {
        /// What is added.
        value: f64,
    },
    /// The first such order counts half a match, the next a quarter, and so on, as NIST's script.
    #[default]
    Exp,
}

/// How BLEU is computed. The default is what the field reports: sacreBLEU's default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BleuOptions {
    /// How text becomes words; 13a by default.
    pub tokenizer: BleuTokenizer,
    /// What is done about orders without a match; exponential by default.
    pub smoothing: Smoothing,
    /// Whether case is ignored; no by default.
    pub lowercase: bool,
    /// The longest n-gram; 4 by default.
    pub max_ngram_order: usize,
    /// Whether orders that the hypothesis is too short for are left out of the mean, as suits
    /// single sentences; no by default.
    pub effective_order: bool,
}

impl Default for BleuOptions {
    fn default() -> Self {
        Self {
            tokenizer: BleuTokenizer::default(),
            smoothing: Smoothing::default(),
            lowercase: false,
            max_ngram_order: 4,
            effective_order: false,
        }
    }
}

impl BleuOptions {
    /// The default for single sentences: with the effective order.
    pub fn sentence() -> Self {
        Self { effective_order: true, ..Self::default() }
    }

    /// The default with another tokenizer, as [`BleuTokenizer::Zh`] for Chinese.
    pub fn with_tokenizer(tokenizer: BleuTokenizer) -> Self {
        Self { tokenizer, ..Self::default() }
    }

    fn tokenize(&self, text: &str) -> String {
        if self.lowercase {
            self.tokenizer.tokenize(trim_end(&text.to_lowercase()))
        } else {
            self.tokenizer.tokenize(trim_end(text))
        }
    }

    fn signature(&self, references: ReferenceCount) -> String {
        let smoothing = match self.smoothing {
            Smoothing::None => "none".to_owned(),
            Smoothing::Exp => "exp".to_owned(),
            Smoothing::Floor { value } => format!("floor[{value:.2}]"),
            Smoothing::AddK { value } => format!("add-k[{value:.2}]"),
        };
        let parts = [
            ("case", if self.lowercase { "lc" } else { "mixed" }.to_owned()),
            ("eff", yes(self.effective_order)),
            ("tok", self.tokenizer.name().to_owned()),
            ("smooth", smoothing),
        ];
        signature::signature(references, &parts)
    }
}

/// BLEU of a corpus, document by document.
///
/// A row of its statistics is the hypothesis' length, the closest reference's length, the matches
/// per order and the n-grams per order.
#[derive(Clone, Debug)]
pub struct CorpusBleu {
    options: BleuOptions,
    references: ReferenceCount,
    statistics: Statistics,
}

impl CorpusBleu {
    /// No documents yet.
    pub fn new(options: BleuOptions) -> Result<Self> {
        let orders = options.max_ngram_order;
        if let Smoothing::Floor { value } | Smoothing::AddK { value } = options.smoothing
            && !(value.is_finite() && value >= 0.0)
        {
            return Err(EvaluationError::InvalidOption {
                option: "smoothing.value",
                expected: "a number that is not negative",
                found: value.to_string(),
            });
        }
        if orders == 0 {
            return Err(EvaluationError::InvalidOption {
                option: "max_ngram_order",
                expected: "at least 1",
                found: orders.to_string(),
            });
        }
        let statistics = Statistics::new(2 + 2 * orders);
        Ok(Self { options, references: ReferenceCount::default(), statistics })
    }

    /// Adds a document and its references, of which there must be at least one.
    pub fn add<S: AsRef<str>>(&mut self, hypothesis: &str, references: &[S]) -> Result<()> {
        if references.is_empty() {
            return Err(EvaluationError::NoReference { document: self.statistics.documents() });
        }
        let hypothesis = self.options.tokenize(hypothesis);
        let references: Vec<String> =
            references.iter().map(|text| self.options.tokenize(text.as_ref())).collect();
        let hypothesis: Vec<&str> = words(&hypothesis).collect();
        let references: Vec<Vec<&str>> =
            references.iter().map(|text| words(text).collect()).collect();
        self.references.observe(references.len());
        self.statistics.push(&row(&hypothesis, &references, self.options.max_ngram_order));
        Ok(())
    }

    /// The score of the documents so far.
    pub fn score(&self) -> BleuScore {
        let sums = self.statistics.sums();
        BleuScore::new(&sums, &self.options, self.signature())
    }

    /// What the score is made with.
    pub fn signature(&self) -> String {
        self.options.signature(self.references)
    }
}

impl CorpusMetric for CorpusBleu {
    fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    fn score_of(&self, sums: &[f64]) -> f64 {
        BleuScore::new(sums, &self.options, String::new()).score
    }
}

/// BLEU of a corpus: a hypothesis and its references per document.
pub fn corpus_bleu<H: AsRef<str>, R: AsRef<str>>(
    hypotheses: &[H],
    references: &[Vec<R>],
    options: &BleuOptions,
) -> Result<BleuScore> {
    same_length("documents with references", hypotheses.len(), references.len())?;
    let mut corpus = CorpusBleu::new(options.clone())?;
    for (hypothesis, references) in hypotheses.iter().zip(references) {
        corpus.add(hypothesis.as_ref(), references)?;
    }
    Ok(corpus.score())
}

/// BLEU of one sentence; [`BleuOptions::sentence`] suits it.
pub fn sentence_bleu<R: AsRef<str>>(
    hypothesis: &str,
    references: &[R],
    options: &BleuOptions,
) -> Result<BleuScore> {
    let mut corpus = CorpusBleu::new(options.clone())?;
    corpus.add(hypothesis, references)?;
    Ok(corpus.score())
}

/// The statistics of one document.
fn row(hypothesis: &[&str], references: &[Vec<&str>], orders: usize) -> Vec<f64> {
    let mut row = vec![hypothesis.len() as f64, closest(hypothesis.len(), references) as f64];
    row.extend((1..=orders).map(|order| clipped_matches(hypothesis, references, order) as f64));
    row.extend((1..=orders).map(|order| ngrams::total(hypothesis.len(), order) as f64));
    row
}

/// The length of the reference that is closest in length; of two, the shorter.
fn closest(length: usize, references: &[Vec<&str>]) -> usize {
    let lengths = references.iter().map(Vec::len);
    lengths.min_by_key(|other| (other.abs_diff(length), *other)).unwrap_or(0)
}

/// The n-grams of the hypothesis that are in a reference, each at most as often as in the
/// reference that has it most often.
fn clipped_matches(hypothesis: &[&str], references: &[Vec<&str>], order: usize) -> u64 {
    let found = ngrams::count(hypothesis, order);
    if let [reference] = references {
        return ngrams::shared(&found, &ngrams::count(reference, order));
    }
    let mut most = HashMap::new();
    for reference in references {
        for (ngram, count) in ngrams::count(reference, order) {
            let most = most.entry(ngram).or_insert(0);
            *most = count.max(*most);
        }
    }
    ngrams::shared(&found, &most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_are_clipped_by_the_reference_with_most_of_them() {
        // The example of Papineni et al.: seven times "the" matches twice.
        let the = ["the"; 7];
        let references =
            [vec!["the", "cat", "is", "on", "the", "mat"], vec!["there", "is", "the", "cat"]];
        assert_eq!(clipped_matches(&the, &references, 1), 2);
        assert_eq!(clipped_matches(&the, &references, 2), 0);
    }

    #[test]
    fn of_two_references_as_close_the_shorter_counts() {
        let references = [vec!["a"; 7], vec!["a"; 5]];
        assert_eq!(closest(6, &references), 5);
        assert_eq!(closest(7, &references), 7);
    }

    #[test]
    fn what_cannot_be_scored_is_an_error() {
        let mut corpus = CorpusBleu::new(BleuOptions::default()).unwrap();
        assert_eq!(corpus.add::<&str>("a", &[]), Err(EvaluationError::NoReference { document: 0 }));
        assert!(CorpusBleu::new(BleuOptions { max_ngram_order: 0, ..Default::default() }).is_err());
        let smoothing = Smoothing::Floor { value: -1.0 };
        assert!(CorpusBleu::new(BleuOptions { smoothing, ..Default::default() }).is_err());
        let references = [vec!["a"], vec!["b"]];
        assert!(corpus_bleu(&["a"], &references, &BleuOptions::default()).is_err());
    }

    #[test]
    fn the_signature_says_when_documents_differ_in_references() {
        let mut corpus = CorpusBleu::new(BleuOptions::default()).unwrap();
        corpus.add("a", &["a"]).unwrap();
        corpus.add("a", &["a", "b"]).unwrap();
        let expected = "nrefs:var|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0";
        assert_eq!(corpus.signature(), expected);
    }
}
