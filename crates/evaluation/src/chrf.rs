//! chrF and chrF++ with sacreBLEU's numbers: F-score of character n-grams, and of word n-grams
//! beside them (Popović, "chrF: character n-gram F-score for automatic MT evaluation", WMT 2015;
//! "chrF++: words helping character n-grams", WMT 2017).
//!
//! Leaves intervals to [`uncertainty`](crate::uncertainty): a [`CorpusChrf`] is a [`CorpusMetric`].

use std::hash::Hash;

use serde::{Deserialize, Serialize};

use crate::error::{EvaluationError, Result, same_length};
use crate::ngrams;
use crate::signature::{self, ReferenceCount, yes};
use crate::statistics::{CorpusMetric, Statistics};
use crate::words::words;

/// How chrF is computed. The default is chrF2; [`ChrfOptions::plus_plus`] is chrF2++.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChrfOptions {
    /// The longest character n-gram; 6 by default.
    pub char_order: usize,
    /// The longest word n-gram; 0, which is none, by default.
    pub word_order: usize,
    /// How many times as much recall weighs as precision; 2 by default.
    pub beta: f64,
    /// Whether case is ignored; no by default.
    pub lowercase: bool,
    /// Whether white space is kept in character n-grams; no by default.
    pub whitespace: bool,
    /// Whether missing orders count a tiny number, as in chrF++.py, Moses and NLTK, instead of
    /// being left out of the mean; no by default.
    pub eps_smoothing: bool,
}

impl Default for ChrfOptions {
    fn default() -> Self {
        Self {
            char_order: 6,
            word_order: 0,
            beta: 2.0,
            lowercase: false,
            whitespace: false,
            eps_smoothing: false,
        }
    }
}

impl ChrfOptions {
    /// chrF++: with words and pairs of words.
    pub fn plus_plus() -> Self {
        Self { word_order: 2, ..Self::default() }
    }

    fn orders(&self) -> usize {
        self.char_order + self.word_order
    }

    fn signature(&self, references: ReferenceCount) -> String {
        let parts = [
            ("case", if self.lowercase { "lc" } else { "mixed" }.to_owned()),
            ("eff", yes(!self.eps_smoothing)),
            ("nc", self.char_order.to_string()),
            ("nw", self.word_order.to_string()),
            ("space", yes(self.whitespace)),
        ];
        signature::signature(references, &parts)
    }
}

/// chrF of a corpus or a sentence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChrfScore {
    /// From 0 to 100.
    pub score: f64,
    /// The longest character n-gram.
    pub char_order: usize,
    /// The longest word n-gram; 0 if there are none.
    pub word_order: usize,
    /// The weight of recall. sacreBLEU's signature leaves it out.
    pub beta: f64,
    /// What the score is made with, in sacreBLEU's notation.
    pub signature: String,
}

/// chrF of a corpus, document by document.
///
/// A row of its statistics is, per order, the n-grams of the hypothesis, of the reference, and of
/// both; of several references, the one with the highest chrF for this document.
#[derive(Clone, Debug)]
pub struct CorpusChrf {
    options: ChrfOptions,
    references: ReferenceCount,
    statistics: Statistics,
}

impl CorpusChrf {
    /// No documents yet.
    pub fn new(options: ChrfOptions) -> Result<Self> {
        if options.orders() == 0 {
            return Err(EvaluationError::InvalidOption {
                option: "char_order",
                expected: "at least 1 where word_order is 0",
                found: options.char_order.to_string(),
            });
        }
        if !(options.beta.is_finite() && options.beta > 0.0) {
            return Err(EvaluationError::InvalidOption {
                option: "beta",
                expected: "a number above 0",
                found: options.beta.to_string(),
            });
        }
        let statistics = Statistics::new(3 * options.orders());
        Ok(Self { options, references: ReferenceCount::default(), statistics })
    }

    /// Adds a document and its references, of which there must be at least one.
    pub fn add<S: AsRef<str>>(&mut self, hypothesis: &str, references: &[S]) -> Result<()> {
        let hypothesis = Units::new(hypothesis, &self.options);
        let best = references
            .iter()
            .map(|reference| {
                hypothesis.compare(&Units::new(reference.as_ref(), &self.options), &self.options)
            })
            .map(|row| (f_score(&row, &self.options), row))
            // Of equals the first, which `max_by` would not give.
            .reduce(|best, next| if next.0 > best.0 { next } else { best });
        let Some((_, row)) = best else {
            return Err(EvaluationError::NoReference { document: self.statistics.documents() });
        };
        self.references.observe(references.len());
        self.statistics.push(&row);
        Ok(())
    }

    /// The score of the documents so far.
    pub fn score(&self) -> ChrfScore {
        ChrfScore {
            score: self.value(),
            char_order: self.options.char_order,
            word_order: self.options.word_order,
            beta: self.options.beta,
            signature: self.signature(),
        }
    }

    /// What the score is made with.
    pub fn signature(&self) -> String {
        self.options.signature(self.references)
    }
}

impl CorpusMetric for CorpusChrf {
    fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    fn score_of(&self, sums: &[f64]) -> f64 {
        f_score(sums, &self.options)
    }
}

/// chrF of a corpus: a hypothesis and its references per document.
pub fn corpus_chrf<H: AsRef<str>, R: AsRef<str>>(
    hypotheses: &[H],
    references: &[Vec<R>],
    options: &ChrfOptions,
) -> Result<ChrfScore> {
    same_length("documents with references", hypotheses.len(), references.len())?;
    let mut corpus = CorpusChrf::new(options.clone())?;
    for (hypothesis, references) in hypotheses.iter().zip(references) {
        corpus.add(hypothesis.as_ref(), references)?;
    }
    Ok(corpus.score())
}

/// chrF of one sentence.
pub fn sentence_chrf<R: AsRef<str>>(
    hypothesis: &str,
    references: &[R],
    options: &ChrfOptions,
) -> Result<ChrfScore> {
    let mut corpus = CorpusChrf::new(options.clone())?;
    corpus.add(hypothesis, references)?;
    Ok(corpus.score())
}

/// What n-grams of a text are made of.
struct Units {
    characters: Vec<char>,
    words: Vec<String>,
}

impl Units {
    fn new(text: &str, options: &ChrfOptions) -> Self {
        let lowered;
        let text = if options.lowercase {
            lowered = text.to_lowercase();
            &lowered
        } else {
            text
        };
        let characters = if options.whitespace {
            text.chars().collect()
        } else {
            words(text).flat_map(str::chars).collect()
        };
        let words = if options.word_order == 0 { Vec::new() } else { punctuated_words(text) };
        Self { characters, words }
    }

    /// The statistics of this hypothesis beside a reference.
    fn compare(&self, reference: &Self, options: &ChrfOptions) -> Vec<f64> {
        let mut row = Vec::with_capacity(3 * options.orders());
        for order in 1..=options.char_order {
            row.extend(compare_order(&self.characters, &reference.characters, order));
        }
        for order in 1..=options.word_order {
            row.extend(compare_order(&self.words, &reference.words, order));
        }
        row
    }
}

/// N-grams of one order in the hypothesis, the reference, and both. An order that the reference is
/// too short for does not count against the hypothesis.
fn compare_order<T: Eq + Hash>(hypothesis: &[T], reference: &[T], order: usize) -> [f64; 3] {
    let in_reference = ngrams::total(reference.len(), order);
    if in_reference == 0 {
        return [0.0; 3];
    }
    let shared =
        ngrams::shared(&ngrams::count(hypothesis, order), &ngrams::count(reference, order));
    [ngrams::total(hypothesis.len(), order) as f64, in_reference as f64, shared as f64]
}

/// Words, with one punctuation mark of ASCII taken off the end, or else off the start.
fn punctuated_words(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    for word in words(text) {
        let mut characters = word.chars();
        let (first, last) = (characters.next(), characters.next_back());
        match (first, last) {
            (Some(_), Some(last)) if last.is_ascii_punctuation() => {
                all.push(word[..word.len() - last.len_utf8()].to_owned());
                all.push(last.to_string());
            }
            (Some(first), Some(_)) if first.is_ascii_punctuation() => {
                all.push(first.to_string());
                all.push(word[first.len_utf8()..].to_owned());
            }
            _ => all.push(word.to_owned()),
        }
    }
    all
}

/// The F-score, from 0 to 100, of counts that are three per order.
fn f_score(counts: &[f64], options: &ChrfOptions) -> f64 {
    if options.eps_smoothing {
        return smoothed_f_score(counts, options);
    }
    let (mut precision, mut recall, mut orders) = (0.0, 0.0, 0.0);
    for counts in counts.chunks_exact(3) {
        let [hypothesis, reference, both] = [counts[0], counts[1], counts[2]];
        if hypothesis > 0.0 && reference > 0.0 {
            precision += both / hypothesis;
            recall += both / reference;
            orders += 1.0;
        }
    }
    if precision + recall == 0.0 {
        return 0.0;
    }
    100.0 * f_beta(precision / orders, recall / orders, options.beta)
}

/// The mean of the orders' F-scores, in which nothing is quite 0.
fn smoothed_f_score(counts: &[f64], options: &ChrfOptions) -> f64 {
    const EPS: f64 = 1e-16;
    let mut sum = 0.0;
    for counts in counts.chunks_exact(3) {
        let [hypothesis, reference, both] = [counts[0], counts[1], counts[2]];
        let precision = if hypothesis > 0.0 { both / hypothesis } else { EPS };
        let recall = if reference > 0.0 { both / reference } else { EPS };
        let nothing = precision + recall == 0.0;
        sum += if nothing { EPS } else { f_beta(precision, recall, options.beta) };
    }
    100.0 * sum / options.orders() as f64
}

fn f_beta(precision: f64, recall: f64, beta: f64) -> f64 {
    let factor = beta * beta;
    (1.0 + factor) * precision * recall / (factor * precision + recall)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_mark_is_taken_off_a_word_the_last_first() {
        assert_eq!(punctuated_words("(a) 'tis . b!?"), ["(a", ")", "'", "tis", ".", "b!", "?"]);
        assert_eq!(punctuated_words("好。 “a”"), ["好。", "“a”"]);
    }

    #[test]
    fn the_f_score_of_a_hand_made_pair() {
        // Characters: 3 of 4 and 3 of 3. Pairs: "ab" and "bc" of 3 and of 2.
        let options = ChrfOptions { char_order: 2, ..ChrfOptions::default() };
        let score = sentence_chrf("ab cd", &["abc"], &options).unwrap().score;
        let (precision, recall) = ((3.0 / 4.0 + 2.0 / 3.0) / 2.0, 1.0);
        assert!((score - 500.0 * precision * recall / (4.0 * precision + recall)).abs() < 1e-9);
    }

    #[test]
    fn options_that_measure_nothing_are_errors() {
        assert!(CorpusChrf::new(ChrfOptions { char_order: 0, ..Default::default() }).is_err());
        assert!(CorpusChrf::new(ChrfOptions { beta: f64::NAN, ..Default::default() }).is_err());
        let mut corpus = CorpusChrf::new(ChrfOptions::default()).unwrap();
        assert_eq!(corpus.add::<&str>("a", &[]), Err(EvaluationError::NoReference { document: 0 }));
    }
}
