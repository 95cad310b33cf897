//! Options of generation, named and defined as in `transformers`.

use serde::{Deserialize, Serialize};

use crate::{InvalidOption, TextModelError};

/// How tokens are chosen and when generation ends.
///
/// The adjustments are applied in the order of `transformers`: repetition penalty, no-repeat n-grams, bad words, minimum
/// length, then temperature, top-k, top-p, min-p, typical, epsilon, eta; what remains is renormalised and drawn from.
/// At temperature 0 everything after the minimum length is skipped and the most likely token is taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GenerateOptions {
    /// Most tokens to generate; at least 1. Default 256.
    pub max_new_tokens: usize,
    /// End-of-text tokens are not chosen before this many tokens. Default 0.
    pub min_new_tokens: usize,
    /// Divides the logits: 0 is greedy, below 1 sharper, above 1 flatter. Default 1.
    pub temperature: f32,
    /// Keeps the `top_k` most likely tokens (and those as likely as the last of them).
    pub top_k: Option<usize>,
    /// Keeps the smallest set of most likely tokens whose probabilities reach `top_p` (nucleus sampling).
    pub top_p: Option<f32>,
    /// Keeps the tokens at least `min_p` times as likely as the most likely one.
    pub min_p: Option<f32>,
    /// Keeps the tokens whose surprise is closest to the expected one, up to this mass (locally typical sampling).
    pub typical_p: Option<f32>,
    /// Drops tokens with a probability below this.
    pub epsilon_cutoff: Option<f32>,
    /// Drops tokens with a probability below `min(eta, sqrt(eta) · exp(-entropy))`.
    pub eta_cutoff: Option<f32>,
    /// Divides positive and multiplies negative logits of tokens already in the text (CTRL). Default 1: off.
    pub repetition_penalty: f32,
    /// No n-gram of this many tokens appears twice.
    pub no_repeat_ngram_size: Option<usize>,
    /// Words or phrases that are never generated.
    pub bad_words: Vec<String>,
    /// Generation ends before the first of these strings, which is not part of the text.
    pub stop: Vec<String>,
    /// Continuations that are followed at once; more than 1 is beam search, which needs temperature 0. Default 1.
    pub num_beams: usize,
    /// Beam search divides the log-probability of a finished text by its length in tokens to this power: above 0
    /// favours long texts, below 0 short ones. Default 1.
    pub length_penalty: f32,
    /// Whether beam search ends once `num_beams` texts are finished, even if a better one might follow. Default false.
    pub early_stopping: bool,
    /// Seed of the draws: the same seed and request give the same text on the same device.
    pub seed: u64,
}

impl Default for GenerateOptions {
    fn default() -> Self {
        Self {
            max_new_tokens: 256,
            min_new_tokens: 0,
            temperature: 1.0,
            top_k: None,
            top_p: None,
            min_p: None,
            typical_p: None,
            epsilon_cutoff: None,
            eta_cutoff: None,
            repetition_penalty: 1.0,
            no_repeat_ngram_size: None,
            bad_words: Vec::new(),
            stop: Vec::new(),
            num_beams: 1,
            length_penalty: 1.0,
            early_stopping: false,
            seed: 0,
        }
    }
}

impl GenerateOptions {
    /// Always the most likely token.
    pub fn greedy() -> Self {
        Self { temperature: 0.0, ..Self::default() }
    }

    /// Checks every option against its range.
    ///
    /// # Errors
    /// [`TextModelError::InvalidOptions`] with all options that are out of range.
    pub fn validate(&self) -> Result<(), TextModelError> {
        let mut problems = Problems::default();
        self.check_lengths(&mut problems);
        self.check_distribution(&mut problems);
        self.check_history(&mut problems);
        self.check_beams(&mut problems);
        if problems.0.is_empty() {
            Ok(())
        } else {
            Err(TextModelError::InvalidOptions { problems: problems.0 })
        }
    }

    fn check_lengths(&self, problems: &mut Problems) {
        let (min, max) = (self.min_new_tokens, self.max_new_tokens);
        problems.unless(max >= 1, "max_new_tokens", max, "at least 1");
        problems.unless(min <= max, "min_new_tokens", min, "at most max_new_tokens");
        problems.unless(
            !self.stop.iter().any(String::is_empty),
            "stop",
            "\"\"",
            "strings that are not empty",
        );
    }

    fn check_distribution(&self, problems: &mut Problems) {
        let temperature = self.temperature;
        let finite = temperature.is_finite() && temperature >= 0.0;
        problems.unless(finite, "temperature", temperature, "a finite number of at least 0");
        problems.unless_option("top_k", self.top_k, |k| k >= 1, "at least 1");
        problems.unless_option(
            "top_p",
            self.top_p,
            |p| p > 0.0 && p <= 1.0,
            "more than 0 and at most 1",
        );
        problems.unless_option("min_p", self.min_p, |p| (0.0..=1.0).contains(&p), "from 0 to 1");
        problems.unless_option(
            "typical_p",
            self.typical_p,
            |p| p > 0.0 && p <= 1.0,
            "more than 0 and at most 1",
        );
        let cutoff = |p| (0.0..1.0).contains(&p);
        problems.unless_option(
            "epsilon_cutoff",
            self.epsilon_cutoff,
            cutoff,
            "at least 0 and less than 1",
        );
        problems.unless_option("eta_cutoff", self.eta_cutoff, cutoff, "at least 0 and less than 1");
    }

    fn check_history(&self, problems: &mut Problems) {
        let penalty = self.repetition_penalty;
        let positive = penalty.is_finite() && penalty > 0.0;
        problems.unless(positive, "repetition_penalty", penalty, "a finite number above 0");
        problems.unless_option(
            "no_repeat_ngram_size",
            self.no_repeat_ngram_size,
            |n| n >= 1,
            "at least 1",
        );
        let words = !self.bad_words.iter().any(String::is_empty);
        problems.unless(words, "bad_words", "\"\"", "strings that are not empty");
    }

    fn check_beams(&self, problems: &mut Problems) {
        problems.unless(self.num_beams >= 1, "num_beams", self.num_beams, "at least 1");
        problems.unless(
            self.num_beams <= 1 || self.temperature == 0.0,
            "temperature",
            self.temperature,
            "0 with several beams",
        );
        let penalty = self.length_penalty;
        problems.unless(penalty.is_finite(), "length_penalty", penalty, "a finite number");
    }
}

#[derive(Default)]
struct Problems(Vec<InvalidOption>);

impl Problems {
    fn unless(
        &mut self,
        valid: bool,
        option: &'static str,
        got: impl ToString,
        expected: &'static str,
    ) {
        if !valid {
            self.0.push(InvalidOption { option, got: got.to_string(), expected });
        }
    }

    fn unless_option<T: Copy + ToString>(
        &mut self,
        option: &'static str,
        value: Option<T>,
        valid: impl Fn(T) -> bool,
        expected: &'static str,
    ) {
        if let Some(value) = value {
            self.unless(valid(value), option, value, expected);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(options: GenerateOptions, expected: &str) {
        assert_eq!(
            options.validate().unwrap_err().to_string(),
            format!("invalid generation options: {expected}")
        );
    }

    #[test]
    fn the_defaults_and_greedy_are_valid() {
        GenerateOptions::default().validate().unwrap();
        GenerateOptions::greedy().validate().unwrap();
    }

    #[test]
    fn every_option_is_checked_against_its_range() {
        let base = GenerateOptions::default;
        let cases = [
            (
                GenerateOptions { max_new_tokens: 0, ..base() },
                "max_new_tokens is 0, expected at least 1",
            ),
            (
                GenerateOptions { max_new_tokens: 2, min_new_tokens: 3, ..base() },
                "min_new_tokens is 3, expected at most max_new_tokens",
            ),
            (
                GenerateOptions { stop: vec![String::new()], ..base() },
                "stop is \"\", expected strings that are not empty",
            ),
            (
                GenerateOptions { temperature: -0.5, ..base() },
                "temperature is -0.5, expected a finite number of at least 0",
            ),
            (
                GenerateOptions { temperature: f32::NAN, ..base() },
                "temperature is NaN, expected a finite number of at least 0",
            ),
            (GenerateOptions { top_k: Some(0), ..base() }, "top_k is 0, expected at least 1"),
            (
                GenerateOptions { top_p: Some(0.0), ..base() },
                "top_p is 0, expected more than 0 and at most 1",
            ),
            (
                GenerateOptions { top_p: Some(1.5), ..base() },
                "top_p is 1.5, expected more than 0 and at most 1",
            ),
            (
                GenerateOptions { top_p: Some(f32::NAN), ..base() },
                "top_p is NaN, expected more than 0 and at most 1",
            ),
            (
                GenerateOptions { min_p: Some(-0.1), ..base() },
                "min_p is -0.1, expected from 0 to 1",
            ),
            (
                GenerateOptions { typical_p: Some(0.0), ..base() },
                "typical_p is 0, expected more than 0 and at most 1",
            ),
            (
                GenerateOptions { epsilon_cutoff: Some(1.0), ..base() },
                "epsilon_cutoff is 1, expected at least 0 and less than 1",
            ),
            (
                GenerateOptions { eta_cutoff: Some(-1.0), ..base() },
                "eta_cutoff is -1, expected at least 0 and less than 1",
            ),
            (
                GenerateOptions { repetition_penalty: 0.0, ..base() },
                "repetition_penalty is 0, expected a finite number above 0",
            ),
            (
                GenerateOptions { no_repeat_ngram_size: Some(0), ..base() },
                "no_repeat_ngram_size is 0, expected at least 1",
            ),
            (
                GenerateOptions { bad_words: vec![String::new()], ..base() },
                "bad_words is \"\", expected strings that are not empty",
            ),
            (GenerateOptions { num_beams: 0, ..base() }, "num_beams is 0, expected at least 1"),
            (
                GenerateOptions { num_beams: 2, ..base() },
                "temperature is 1, expected 0 with several beams",
            ),
            (
                GenerateOptions { length_penalty: f32::NAN, ..base() },
                "length_penalty is NaN, expected a finite number",
            ),
        ];
        for (options, expected) in cases {
            check(options, expected);
        }
    }

    #[test]
    fn the_ends_of_each_range_are_allowed() {
        GenerateOptions {
            max_new_tokens: 1,
            min_new_tokens: 1,
            top_k: Some(1),
            top_p: Some(1.0),
            min_p: Some(1.0),
            typical_p: Some(1.0),
            epsilon_cutoff: Some(0.0),
            eta_cutoff: Some(0.0),
            no_repeat_ngram_size: Some(1),
            ..GenerateOptions::default()
        }
        .validate()
        .unwrap();
    }

    #[test]
    fn all_problems_are_reported_at_once() {
        check(
            GenerateOptions { temperature: -1.0, top_p: Some(2.0), ..GenerateOptions::default() },
            "temperature is -1, expected a finite number of at least 0; top_p is 2, expected more than 0 and at most 1",
        );
    }

    #[test]
    fn a_partial_file_keeps_the_other_defaults_and_a_misspelt_key_is_an_error() {
        let options: GenerateOptions = serde_json::from_str(r#"{"top_k": 5}"#).unwrap();
        assert_eq!(options, GenerateOptions { top_k: Some(5), ..GenerateOptions::default() });
        assert!(serde_json::from_str::<GenerateOptions>(r#"{"topk": 5}"#).is_err());
    }
}
