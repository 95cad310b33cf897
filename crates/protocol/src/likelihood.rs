//! How likely a text is: the question and its answer.

use serde::{Deserialize, Serialize};

/// Asks for the log-probability of `continuation` after `context`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoglikelihoodRequest {
    /// What comes before; conditioned on, not scored. Empty means: from the beginning of a text.
    pub context: String,
    /// What is scored. Not empty.
    pub continuation: String,
}

impl LoglikelihoodRequest {
    /// Asks for the log-probability of `continuation` after `context`.
    pub fn new(context: impl Into<String>, continuation: impl Into<String>) -> Self {
        Self { context: context.into(), continuation: continuation.into() }
    }
}

/// How likely a piece of text is under a model.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Loglikelihood {
    /// Sum of the natural logarithms of the probabilities of the scored tokens, in nats.
    pub log_prob: f64,
    /// Whether greedy decoding would have given exactly the scored tokens.
    pub is_greedy: bool,
    /// How many tokens were scored.
    pub tokens: usize,
    /// How many bytes of UTF-8 were scored.
    pub bytes: usize,
}

impl Loglikelihood {
    /// Bits needed for each byte: comparable between models with different vocabularies. `None` for no bytes.
    pub fn bits_per_byte(&self) -> Option<f64> {
        (self.bytes > 0).then(|| -self.log_prob / std::f64::consts::LN_2 / self.bytes as f64)
    }

    /// Perplexity of one token, `exp(-log_prob / tokens)`. `None` for no tokens.
    pub fn perplexity(&self) -> Option<f64> {
        (self.tokens > 0).then(|| (-self.log_prob / self.tokens as f64).exp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fair_coin_for_every_byte_costs_one_bit_per_byte() {
        let score = Loglikelihood {
            log_prob: -8.0 * std::f64::consts::LN_2,
            is_greedy: false,
            tokens: 4,
            bytes: 8,
        };
        assert_eq!(score.bits_per_byte(), Some(1.0));
        assert!((score.perplexity().unwrap() - 4.0).abs() < 1e-12);
    }

    #[test]
    fn nothing_scored_has_no_average() {
        let score = Loglikelihood { log_prob: 0.0, is_greedy: true, tokens: 0, bytes: 0 };
        assert_eq!(score.bits_per_byte(), None);
        assert_eq!(score.perplexity(), None);
    }
}
