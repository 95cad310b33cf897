//! ROUGE with rouge-score's numbers: n-grams and longest common subsequences that a summary shares
//! with a reference (Lin, "ROUGE: a package for automatic evaluation of summaries", 2004).
//!
//! Words of [`rouge`] are runs of a–z and 0–9 after lowercasing; all other characters part them.
//! Chinese text has no such words and scores 0: there, [`rouge_by_character`] is meant.
//!
//! The figure of a corpus is the mean, which [`DocumentMean`](crate::DocumentMean) makes
//! resamplable.

mod common_subsequence;
mod porter;

use serde::{Deserialize, Serialize};

pub use porter::porter_stem;

use crate::error::{EvaluationError, Result};
use crate::ngrams;
use crate::words::segments;

/// Which ROUGE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RougeKind {
    /// N-grams of one order, at least 1.
    N(usize),
    /// The longest common subsequence of the whole texts.
    L,
    /// Common subsequences line by line: for each line of the reference, the words that it shares,
    /// in order, with some line of the summary.
    LSum,
}

/// How words are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RougeOptions {
    /// Whether words of more than three letters are reduced to Porter's stems; no by default.
    pub stemmer: bool,
}

/// ROUGE of one summary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RougeScore {
    /// The share of the summary that is in the reference.
    pub precision: f64,
    /// The share of the reference that is in the summary.
    pub recall: f64,
    /// Their harmonic mean, which is what is reported.
    pub f1: f64,
}

impl RougeScore {
    fn new(shared: u64, summary: u64, reference: u64) -> Self {
        let precision = shared as f64 / summary.max(1) as f64;
        let recall = shared as f64 / reference.max(1) as f64;
        let both = precision + recall;
        let f1 = if both > 0.0 { 2.0 * precision * recall / both } else { 0.0 };
        Self { precision, recall, f1 }
    }
}

/// ROUGE of a summary against the reference for which F1 is highest, of which there must be one.
pub fn rouge<S: AsRef<str>>(
    kind: RougeKind,
    summary: &str,
    references: &[S],
    options: RougeOptions,
) -> Result<RougeScore> {
    best(kind, summary, references, |text| english_words(text, options))
}

/// The same for Chinese, as papers on LCSTS and CNewSum report it: each Chinese character and kana
/// is a token, and so is each run of other letters and digits, in lower case; punctuation is
/// dropped.
pub fn rouge_by_character<S: AsRef<str>>(
    kind: RougeKind,
    summary: &str,
    references: &[S],
) -> Result<RougeScore> {
    best(kind, summary, references, |text| {
        segments(text).into_iter().map(|range| text[range].to_lowercase()).collect()
    })
}

fn best<S: AsRef<str>>(
    kind: RougeKind,
    summary: &str,
    references: &[S],
    tokens: impl Fn(&str) -> Vec<String>,
) -> Result<RougeScore> {
    if kind == RougeKind::N(0) {
        return Err(EvaluationError::InvalidOption {
            option: "order of ROUGE-N",
            expected: "at least 1",
            found: "0".to_owned(),
        });
    }
    references
        .iter()
        .map(|reference| one(kind, summary, reference.as_ref(), &tokens))
        // Of equals the first, which `max_by` would not give.
        .reduce(|best, next| if next.f1 > best.f1 { next } else { best })
        .ok_or(EvaluationError::NoReference { document: 0 })
}

fn one(
    kind: RougeKind,
    summary: &str,
    reference: &str,
    tokens: &impl Fn(&str) -> Vec<String>,
) -> RougeScore {
    if kind == RougeKind::LSum {
        return line_by_line(summary, reference, tokens);
    }
    let (summary, reference) = (tokens(summary), tokens(reference));
    match kind {
        RougeKind::N(order) => {
            let (a, b) = (ngrams::count(&summary, order), ngrams::count(&reference, order));
            let total = |tokens: &[String]| ngrams::total(tokens.len(), order);
            RougeScore::new(ngrams::shared(&a, &b), total(&summary), total(&reference))
        }
        _ => {
            let shared = common_subsequence::length(&reference, &summary) as u64;
            RougeScore::new(shared, summary.len() as u64, reference.len() as u64)
        }
    }
}

fn line_by_line(
    summary: &str,
    reference: &str,
    tokens: &impl Fn(&str) -> Vec<String>,
) -> RougeScore {
    let lines = |text: &str| text.split('\n').map(tokens).collect::<Vec<Vec<String>>>();
    let (summary, reference) = (lines(summary), lines(reference));
    let words = |lines: &[Vec<String>]| lines.iter().map(Vec::len).sum::<usize>() as u64;
    let shared = common_subsequence::shared_over_lines(&reference, &summary);
    RougeScore::new(shared, words(&summary), words(&reference))
}

fn english_words(text: &str, options: RougeOptions) -> Vec<String> {
    text.to_lowercase()
        .split(|character: char| !matches!(character, 'a'..='z' | '0'..='9'))
        .filter(|word| !word.is_empty())
        .map(
            |word| {
                if options.stemmer && word.len() > 3 { porter_stem(word) } else { word.to_owned() }
            },
        )
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn f1(kind: RougeKind, summary: &str, reference: &str) -> f64 {
        rouge(kind, summary, &[reference], RougeOptions::default()).unwrap().f1
    }

    #[test]
    fn the_examples_of_lins_paper() {
        // "police killed the gunman" against the two candidates: 3/4 and 1/2.
        let reference = "police killed the gunman";
        assert_eq!(f1(RougeKind::L, "police kill the gunman", reference), 0.75);
        assert_eq!(f1(RougeKind::L, "the gunman kill police", reference), 0.5);
        // w1 w2 w3 w4 w5 against w1 w2 w6 w7 w8 and w1 w3 w8 w9 w5: four words of five.
        let score = rouge(
            RougeKind::LSum,
            "w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5",
            &["w1 w2 w3 w4 w5"],
            RougeOptions::default(),
        );
        assert_eq!(score.unwrap().recall, 0.8);
    }

    #[test]
    fn of_several_references_the_best_counts() {
        let score = rouge(RougeKind::N(1), "a b", &["c", "a", "a b"], RougeOptions::default());
        assert_eq!(score.unwrap().f1, 1.0);
        assert!(rouge::<&str>(RougeKind::L, "a", &[], RougeOptions::default()).is_err());
        assert!(rouge(RougeKind::N(0), "a", &["a"], RougeOptions::default()).is_err());
    }

    #[test]
    fn chinese_is_compared_by_character_and_gives_what_the_words_of_english_would() {
        let spaced = |text: &str| {
            let parts = text.chars().map(|c| format!("w{} ", u32::from(c)));
            parts.collect::<String>()
        };
        let (summary, reference) = ("警方击毙枪手", "枪手被警方击毙");
        for kind in [RougeKind::N(1), RougeKind::N(2), RougeKind::L] {
            let by_character = rouge_by_character(kind, summary, &[reference]).unwrap();
            let by_word = f1(kind, &spaced(summary), &spaced(reference));
            assert_eq!(by_character.f1, by_word);
        }
        // 警方 击毙 are four of six and of seven characters in a row.
        let score = rouge_by_character(RougeKind::L, summary, &[reference]).unwrap();
        assert_eq!((score.precision, score.recall), (4.0 / 6.0, 4.0 / 7.0));
        let score = rouge_by_character(RougeKind::N(1), "GPT-2，模型。", &["gpt 3模型"]).unwrap();
        assert_eq!(score.f1, 0.75);
        assert_eq!(f1(RougeKind::L, summary, reference), 0.0);
    }
}
