//! The trained model: probabilities after any context.

use std::borrow::Borrow;

use super::automaton::{Automaton, ROOT};
use super::config::NgramConfig;
use super::construction::{Construction, build};
use super::counted::Method;
use super::counts::NgramCounts;
use super::level::Level;
use super::smoothing::Estimation;
use crate::ClassicalError;

/// An n-gram language model over token ids: smoothed counts of any [`Smoothing`](super::Smoothing),
/// a pruned model, or one read from an ARPA file.
///
/// Every distribution of a model made from counts or by pruning adds up to one within rounding,
/// after contexts seen and unseen.
///
/// Token ids outside the vocabulary are no error when asked for: their probability is zero, and a
/// context is read only from behind the last of them.
///
/// ```
/// use wuji_classical::{NgramConfig, NgramModel, Smoothing};
///
/// # fn main() -> Result<(), wuji_classical::ClassicalError> {
/// let tokens = [0, 1, 2, 0, 1, 3, 0, 1, 2];
/// for smoothing in [Smoothing::KneserNey, Smoothing::WittenBell, Smoothing::KATZ] {
///     let model = NgramModel::train(NgramConfig::new(3, 4), smoothing, [tokens.as_slice()])?;
///     assert!(model.log_prob(&[0, 1], 2) > model.log_prob(&[0, 1], 3));
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct NgramModel {
    pub(super) config: NgramConfig,
    pub(super) automaton: Automaton,
    pub(super) ngrams: Vec<usize>,
}

impl NgramModel {
    /// Counts `documents` and builds the model of `config.order`.
    ///
    /// To compare orders and smoothings, count once with [`NgramCounts::collect`] and take each
    /// [`smoothed`](NgramCounts::smoothed) model from there.
    ///
    /// # Errors
    /// As for [`NgramCounts::collect`], and count cut-offs that fall with the order.
    pub fn train<'a>(
        config: NgramConfig,
        estimation: impl Into<Estimation>,
        documents: impl IntoIterator<Item = &'a [u32]>,
    ) -> Result<Self, ClassicalError> {
        let estimation = estimation.into();
        estimation.validate()?;
        NgramCounts::collect(config, documents)?.into_smoothed(&estimation)
    }

    /// Builds the model of order `config.order` from as many levels.
    pub(super) fn from_levels(
        config: NgramConfig,
        estimation: &Estimation,
        levels: impl Iterator<Item: Borrow<Level>>,
    ) -> Self {
        let construction = build(&config, &Method::Smoothed(estimation), levels);
        Self::from_construction(config, construction)
    }

    pub(super) fn from_construction(config: NgramConfig, construction: Construction) -> Self {
        let Construction { automaton, ngrams, .. } = construction;
        let model = Self { config, automaton, ngrams };
        let memory_bytes = model.memory_bytes();
        tracing::debug!(order = config.order, ngrams = model.ngram_count(), memory_bytes, "built");
        model
    }

    /// Tokens per n-gram.
    pub fn order(&self) -> usize {
        self.config.order
    }

    /// The options it was trained with.
    pub fn config(&self) -> &NgramConfig {
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
        self.automaton.walk(ROOT, self.config.used(context))
    }

    /// The state at the start of a document.
    pub(super) fn start_state(&self) -> u32 {
        self.automaton.start()
    }
}
