//! Log-probabilities of whole texts, in parallel over fixed chunks.

use std::borrow::Cow;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::automaton::ROOT;
use super::config::MAX_ORDER;
use super::model::NgramModel;

/// Tokens per unit of parallel work. Fixed, so that sums are made in the same order and give the
/// same bits on any number of threads.
const CHUNK: usize = 1 << 14;

/// The negative log-likelihood of a text.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Score {
    /// Sum of -ln p over the tokens; infinite when one of them cannot be predicted.
    pub nats: f64,
    /// How many tokens were predicted.
    pub tokens: usize,
}

impl Score {
    /// Mean nats per token, the cross-entropy loss of neural language models. NaN of no tokens.
    pub fn nats_per_token(&self) -> f64 {
        self.nats / self.tokens as f64
    }

    /// The exponential of [`nats_per_token`](Self::nats_per_token).
    pub fn perplexity(&self) -> f64 {
        self.nats_per_token().exp()
    }

    /// Bits per byte of a text whose tokens stand for `bytes` bytes, comparable between vocabularies.
    pub fn bits_per_byte(&self, bytes: usize) -> f64 {
        self.nats / std::f64::consts::LN_2 / bytes as f64
    }
}

impl std::iter::Sum for Score {
    fn sum<I: Iterator<Item = Self>>(scores: I) -> Self {
        scores.fold(Self::default(), |a, b| Self {
            nats: a.nats + b.nats,
            tokens: a.tokens + b.tokens,
        })
    }
}

impl NgramModel {
    /// Scores `tokens` as one running stream: each is predicted from the tokens before it, the
    /// first from no context.
    ///
    /// Runs on the current rayon pool; the result does not depend on the number of threads.
    pub fn score(&self, tokens: &[u32]) -> Score {
        self.score_from(ROOT, tokens)
    }

    /// The natural log-probability of each token of a running stream, as in
    /// [`score`](Self::score): for interpolation with another model's, token by token.
    pub fn token_log_probs(&self, tokens: &[u32]) -> Vec<f64> {
        self.log_probs_from(ROOT, tokens)
    }

    /// Scores each document by itself, from its start to its end, by the boundaries that the model was
    /// trained with: the end-of-sentence token, if there is one, is predicted too.
    pub fn score_documents(&self, documents: &[&[u32]]) -> Score {
        let score =
            |document: &&[u32]| self.score_from(self.start_state(), &self.with_end(document));
        let scores: Vec<Score> = documents.par_iter().map(score).collect();
        scores.into_iter().sum()
    }

    /// The natural log-probability of each token of one document, as in
    /// [`score_documents`](Self::score_documents), with that of the end-of-sentence token last.
    pub fn document_log_probs(&self, document: &[u32]) -> Vec<f64> {
        self.log_probs_from(self.start_state(), &self.with_end(document))
    }

    /// The document with what its boundaries add behind it.
    fn with_end<'a>(&self, document: &'a [u32]) -> Cow<'a, [u32]> {
        match self.config().eos() {
            Some(eos) => Cow::Owned([document, &[eos]].concat()),
            None => Cow::Borrowed(document),
        }
    }

    fn score_from(&self, state: u32, tokens: &[u32]) -> Score {
        let nats = |(index, chunk)| {
            let mut sum = 0.0;
            let state = self.state_at_chunk(state, tokens, index);
            self.each_log_prob(state, chunk, |log_prob| sum -= log_prob);
            sum
        };
        let sums: Vec<f64> = tokens.par_chunks(CHUNK).enumerate().map(nats).collect();
        Score { nats: sums.iter().sum(), tokens: tokens.len() }
    }

    fn log_probs_from(&self, state: u32, tokens: &[u32]) -> Vec<f64> {
        let log_probs = |(index, chunk): (usize, &[u32])| {
            let mut log_probs = Vec::with_capacity(chunk.len());
            let state = self.state_at_chunk(state, tokens, index);
            self.each_log_prob(state, chunk, |log_prob| log_probs.push(log_prob));
            log_probs
        };
        tokens.par_chunks(CHUNK).enumerate().flat_map_iter(log_probs).collect()
    }

    /// The state in front of a chunk. A chunk is longer than any context, so all but the first
    /// are independent of the state in front of the text.
    fn state_at_chunk(&self, first: u32, tokens: &[u32], index: usize) -> u32 {
        const { assert!(CHUNK >= MAX_ORDER) };
        if index == 0 { first } else { self.state_after(&tokens[..index * CHUNK]) }
    }

    fn each_log_prob(&self, mut state: u32, tokens: &[u32], mut f: impl FnMut(f64)) {
        for &token in tokens {
            let (probability, next) = self.automaton.step(state, token);
            f(probability.ln());
            state = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_follow_from_nats() {
        let score = Score { nats: 8.0 * std::f64::consts::LN_2, tokens: 4 };
        assert!((score.nats_per_token() - 2.0 * std::f64::consts::LN_2).abs() < 1e-15);
        assert!((score.perplexity() - 4.0).abs() < 1e-12);
        assert!((score.bits_per_byte(16) - 0.5).abs() < 1e-15);
    }
}
