//! The trained model: probabilities after any context.

use std::borrow::Borrow;

use super::automaton::{Automaton, ROOT};
use super::config::KneserNeyConfig;
use super::construction::{Construction, build};
use super::counts::NgramCounts;
use super::discounts::Discounts;
use super::level::Level;
use crate::ClassicalError;

/// A modified, interpolated Kneser–Ney language model over token ids.
///
/// Every distribution it gives is a product and sum of exact shares: it adds up to one within
/// rounding (1e-12), for contexts seen and unseen.
///
/// Token ids outside the vocabulary are no error when asked for: their probability is zero, and a
/// context is read only from behind the last of them.
#[derive(Debug)]
pub struct KneserNey {
    config: KneserNeyConfig,
    pub(super) automaton: Automaton,
    discounts: Vec<Discounts>,
    ngrams: Vec<usize>,
}

impl KneserNey {
    /// Counts `documents` and builds the model of `config.order`.
    ///
    /// To compare orders, count once with [`NgramCounts::collect`] and take each
    /// [`model`](NgramCounts::model) from there.
    ///
    /// # Errors
    /// Wrong options, no tokens at all, a token id outside the vocabulary (with its place), or a
    /// text too large for 32-bit tables.
    pub fn train<'a>(
        config: KneserNeyConfig,
        documents: impl IntoIterator<Item = &'a [u32]>,
    ) -> Result<Self, ClassicalError> {
        Ok(NgramCounts::collect(config, documents)?.into_model())
    }

    /// Builds the model of order `config.order` from as many levels.
    pub(super) fn from_levels(
        config: KneserNeyConfig,
        levels: impl Iterator<Item: Borrow<Level>>,
    ) -> Self {
        let Construction { automaton, discounts, ngrams } = build(&config, levels);
        let model = Self { config, automaton, discounts, ngrams };
        let memory_bytes = model.memory_bytes();
        tracing::debug!(order = config.order, ngrams = model.ngram_count(), memory_bytes, "built");
        model
    }

    /// Tokens per n-gram.
    pub fn order(&self) -> usize {
        self.config.order
    }

    /// The options it was trained with.
    pub fn config(&self) -> &KneserNeyConfig {
        &self.config
    }

    /// How many different n-grams of all orders it holds.
    pub fn ngram_count(&self) -> usize {
        self.ngrams.iter().sum()
    }

    /// How many different n-grams it holds of order 1, 2, …
    pub fn ngram_counts(&self) -> &[usize] {
        &self.ngrams
    }

    /// The discounts of order 1, 2, …
    pub fn discounts(&self) -> &[Discounts] {
        &self.discounts
    }

    /// Bytes held by the model's tables.
    pub fn memory_bytes(&self) -> usize {
        self.automaton.memory_bytes()
    }

    /// The natural logarithm of the probability of `token` after `context`, of which the last
    /// `order - 1` tokens are used. Negative infinity for an id that cannot be predicted.
    ///
    /// With [`Boundaries::Sentences`](super::Boundaries::Sentences), `bos` in the context stands for the start of a document,
    /// however many of them there are; without it the context may begin anywhere in a document.
    pub fn log_prob(&self, context: &[u32], token: u32) -> f64 {
        self.automaton.step(self.state_after(context), token).0.ln()
    }

    /// Writes the probability of each token of the vocabulary after `context` to `out`, which
    /// is cleared first. The same numbers as [`log_prob`](Self::log_prob), before the logarithm.
    pub fn distribution(&self, context: &[u32], out: &mut Vec<f64>) {
        self.automaton.distribution(self.state_after(context), out);
    }

    /// The state after the last `order - 1` tokens of `context`.
    pub(super) fn state_after(&self, context: &[u32]) -> u32 {
        let used = context.len().min(self.config.order - 1);
        self.automaton.walk(ROOT, &context[context.len() - used..])
    }

    /// The state at the start of a document.
    pub(super) fn start_state(&self) -> u32 {
        self.automaton.start()
    }
}
