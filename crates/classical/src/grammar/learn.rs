//! Probabilities from sentences without trees: expectation maximisation (Lari and Young 1990).

use rayon::prelude::*;

use super::outside::Expected;
use super::{Grammar, GrammarError, Parser};

/// Sentences per unit of parallel work. Fixed, so that sums do not depend on the number of threads.
const CHUNK: usize = 64;

/// When inside–outside estimation ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InsideOutside {
    /// Steps at most. Default 100.
    pub max_iterations: usize,
    /// Gain in log-likelihood per sentence below which it ends. Default 1e-6.
    pub tolerance: f64,
}

impl Default for InsideOutside {
    fn default() -> Self {
        Self { max_iterations: 100, tolerance: 1e-6 }
    }
}

/// How estimation went.
#[derive(Debug, Clone, PartialEq)]
pub struct InsideOutsideReport {
    /// Log-likelihood of all sentences before each step and after the last; it never falls.
    pub log_likelihoods: Vec<f64>,
    /// Whether it ended before its last step.
    pub converged: bool,
}

impl Grammar {
    /// Estimates the probabilities of the rules from sentences, beginning with those that they have. A rule of
    /// probability zero keeps it, and a nonterminal that no sentence uses keeps its rules as they are.
    ///
    /// Symmetric rules stay symmetric: begin with probabilities that differ.
    ///
    /// # Errors
    /// No sentences, or one that has no tree.
    pub fn learn(
        &self,
        sentences: &[Vec<&str>],
        options: &InsideOutside,
    ) -> Result<(Self, InsideOutsideReport), GrammarError> {
        let (mut grammar, mut before) = (self.clone(), f64::NEG_INFINITY);
        let mut report = InsideOutsideReport { log_likelihoods: Vec::new(), converged: false };
        for step in 0..=options.max_iterations {
            let parser = Parser::new(grammar);
            let expected = parser.expected_of_all(sentences)?;
            report.log_likelihoods.push(expected.log_likelihood);
            let gain = expected.log_likelihood - before;
            report.converged = gain < options.tolerance * sentences.len() as f64;
            if report.converged || step == options.max_iterations {
                return Ok((parser.grammar().clone(), report));
            }
            before = expected.log_likelihood;
            grammar = parser.grammar().with_counts(&expected.rules(&parser));
        }
        unreachable!("the last step returns")
    }

    /// The rules with probabilities in proportion to `counts`.
    fn with_counts(&self, counts: &[f64]) -> Self {
        let mut probabilities: Vec<f64> =
            self.rules().iter().map(|rule| rule.probability).collect();
        for nonterminal in 0..self.nonterminals().len() {
            let rules = self.rules_of(nonterminal);
            let sum: f64 = rules.iter().map(|&rule| counts[rule]).sum();
            if sum > 0.0 {
                rules.iter().for_each(|&rule| probabilities[rule] = counts[rule] / sum);
            }
        }
        self.with_probabilities(&probabilities)
    }
}

impl Parser {
    /// Expected number of times that each rule is used in the trees of `words`, each tree weighted by its
    /// probability; `None` if there is no tree.
    pub fn expected_rules(&self, words: &[&str]) -> Option<Vec<f64>> {
        Some(self.expected(&self.ids(words))?.rules(self))
    }

    fn expected_of_all(&self, sentences: &[Vec<&str>]) -> Result<Expected, GrammarError> {
        if sentences.is_empty() {
            return Err(GrammarError::NoSentences);
        }
        let of_chunk = |(chunk, sentences): (usize, &[Vec<&str>])| {
            let mut sum = Expected::none(self);
            for (index, words) in sentences.iter().enumerate() {
                let expected =
                    self.expected(&self.ids(words)).ok_or_else(|| GrammarError::NoParse {
                        sentence: chunk * CHUNK + index,
                        found: words.join(" "),
                    })?;
                sum.add(&expected);
            }
            Ok(sum)
        };
        let chunks: Vec<Result<Expected, GrammarError>> =
            sentences.par_chunks(CHUNK).enumerate().map(of_chunk).collect();
        chunks.into_iter().try_fold(Expected::none(self), |mut sum, chunk| {
            sum.add(&chunk?);
            Ok(sum)
        })
    }
}
