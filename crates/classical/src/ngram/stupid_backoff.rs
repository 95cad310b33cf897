//! Stupid back-off (Brants et al. 2007, "Large language models in machine translation").

use super::automaton::{Automaton, ROOT};
use super::config::NgramConfig;
use super::construction::{Construction, build};
use super::counted::Method;
use super::counts::NgramCounts;
use super::generate::{Start, continue_prompt};
use crate::ClassicalError;

/// Relative frequencies, and a fixed factor for each token of context that has to be given up:
/// S(w | h) = c(hw) / c(h) if that was seen, and factor · S(w | h') if not. Nothing seen scores zero.
///
/// Scores rank tokens; they are no probabilities and do not sum to one. So this type
/// has no `log_prob`, no perplexity and no ARPA file, and what needs those does not take it.
///
/// `c(h)` counts what followed h, not h itself: the same but at the ends of documents.
///
/// ```
/// use wuji_classical::{NgramConfig, NgramCounts, StupidBackoff};
///
/// # fn main() -> Result<(), wuji_classical::ClassicalError> {
/// let tokens = [0, 1, 0, 2, 0, 1];
/// let counts = NgramCounts::collect(NgramConfig::new(2, 4), [tokens.as_slice()])?;
/// let scores = counts.stupid_backoff(2, StupidBackoff::FACTOR)?;
/// assert_eq!(scores.relative_score(&[0], 1), 2.0 / 3.0); // 0 1 twice of three
/// assert_eq!(scores.relative_score(&[0], 0), 0.4 * (3.0 / 6.0)); // after 0 never; 0 three times of six
/// assert_eq!(scores.relative_score(&[0], 3), 0.0);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct StupidBackoff {
    config: NgramConfig,
    automaton: Automaton,
}

impl StupidBackoff {
    /// The factor of the paper.
    pub const FACTOR: f64 = 0.4;

    /// Tokens per n-gram.
    pub fn order(&self) -> usize {
        self.config.order
    }

    /// The score of `token` after the last `order - 1` tokens of `context`.
    pub fn relative_score(&self, context: &[u32], token: u32) -> f64 {
        self.automaton.step(self.state_after(context), token).0
    }

    /// Writes the score of each token of the vocabulary after `context` to `out`, which is cleared
    /// first.
    pub fn relative_scores(&self, context: &[u32], out: &mut Vec<f64>) {
        self.automaton.distribution(self.state_after(context), out);
    }

    /// Continues `prompt` by up to `n` tokens, drawn in proportion to their scores; the rest is as
    /// for [`NgramModel::generate`](super::NgramModel::generate).
    pub fn generate(&self, prompt: &[u32], n: usize, temperature: f64, seed: u64) -> Vec<u32> {
        let start = Start { automaton: &self.automaton, eos: self.config.eos(), prompt };
        continue_prompt(start, n, temperature, seed)
    }

    fn state_after(&self, context: &[u32]) -> u32 {
        self.automaton.walk(ROOT, self.config.used(context))
    }
}

impl NgramCounts {
    /// Stupid back-off scores of `order`, with a factor above 0 and at most 1, such as
    /// [`StupidBackoff::FACTOR`].
    ///
    /// # Errors
    /// [`ClassicalError::Order`] unless `order` is from 1 to the order counted, and
    /// [`ClassicalError::BackoffFactor`].
    pub fn stupid_backoff(
        &self,
        order: usize,
        factor: f64,
    ) -> Result<StupidBackoff, ClassicalError> {
        if !(factor > 0.0 && factor <= 1.0) {
            return Err(ClassicalError::BackoffFactor { factor });
        }
        let (config, levels) = self.of_order(order)?;
        let Construction { automaton, .. } =
            build(&config, &Method::StupidBackoff(factor), levels.iter());
        Ok(StupidBackoff { config, automaton })
    }
}
