//! Exact match and token F1 of short answers, normalised as SQuAD's official script does
//! (Rajpurkar et al., "SQuAD: 100,000+ questions for machine comprehension of text", EMNLP 2016;
//! "Know what you don't know", ACL 2018, for questions without an answer).
//!
//! The figure of a set of questions is the mean, which [`DocumentMean`](crate::DocumentMean) makes
//! resamplable; questions about one passage belong in one cluster.

use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::ngrams;
use crate::words::{single_spaced, words};

/// The score of one answer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SquadScore {
    /// 1 if the answer is one of the right ones, else 0.
    pub exact_match: f64,
    /// F1 of the words that it shares with the right answer that is most like it.
    pub f1: f64,
}

static ARTICLES: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b(a|an|the)\b").expect("a constant pattern is valid"));

/// Lower case, without the punctuation of ASCII and without articles, one space between words.
pub fn normalize_answer(text: &str) -> String {
    let mut text = text.to_lowercase();
    text.retain(|character| !character.is_ascii_punctuation());
    single_spaced(&ARTICLES.replace_all(&text, " "))
}

/// Scores an answer against the right ones. No right answers mean that the question has none, and
/// only an empty answer is right.
pub fn squad<S: AsRef<str>>(prediction: &str, golds: &[S]) -> SquadScore {
    let prediction = normalize_answer(prediction);
    let mut golds: Vec<String> = golds.iter().map(|gold| normalize_answer(gold.as_ref())).collect();
    golds.retain(|gold| !gold.is_empty());
    if golds.is_empty() {
        golds.push(String::new());
    }
    SquadScore {
        exact_match: f64::from(u8::from(golds.contains(&prediction))),
        f1: golds.iter().map(|gold| token_f1(&prediction, gold)).fold(0.0, f64::max),
    }
}

fn token_f1(prediction: &str, gold: &str) -> f64 {
    let (prediction, gold): (Vec<&str>, Vec<&str>) =
        (words(prediction).collect(), words(gold).collect());
    if prediction.is_empty() || gold.is_empty() {
        return f64::from(u8::from(prediction == gold));
    }
    let shared = ngrams::shared(&ngrams::count(&prediction, 1), &ngrams::count(&gold, 1));
    2.0 * shared as f64 / (prediction.len() + gold.len()) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_right_answer_counts() {
        let score = squad("the big cat", &["dog", "Cat."]);
        assert_eq!((score.exact_match, score.f1), (0.0, 2.0 / 3.0));
        assert_eq!(squad("A cat!", &["dog", "the cat"]).exact_match, 1.0);
    }

    #[test]
    fn a_question_without_answer_wants_silence() {
        assert_eq!(squad::<&str>("", &[]), SquadScore { exact_match: 1.0, f1: 1.0 });
        assert_eq!(squad::<&str>("the", &[]), SquadScore { exact_match: 1.0, f1: 1.0 });
        assert_eq!(squad::<&str>("yes", &[]), SquadScore { exact_match: 0.0, f1: 0.0 });
    }
}
