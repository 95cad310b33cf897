//! The counts behind the models of every order.

use super::config::NgramConfig;
use super::corpus::Corpus;
use super::kneser_ney::KneserNey;
use super::level::{Level, build_levels};
use super::model::NgramModel;
use super::smoothing::Estimation;
use super::sort::sort_by_context;
use crate::ClassicalError;

/// All n-grams of a text up to one order, with how often each occurred and after how many
/// different tokens.
///
/// One collection serves the models of all its orders exactly: a model of order `k` takes the raw
/// counts of its k-grams and the continuation counts of all shorter ones, and neither depends on
/// the longest order that was counted.
///
/// ```
/// use wuji_classical::{KneserNey, NgramConfig, NgramCounts};
///
/// # fn main() -> Result<(), wuji_classical::ClassicalError> {
/// let tokens = [0, 1, 2, 0, 1, 3, 0, 1, 2];
/// let counts = NgramCounts::collect(NgramConfig::new(5, 4), [tokens.as_slice()])?;
/// let bigram = counts.model(2)?;
/// let trained = KneserNey::train(NgramConfig::new(2, 4), [tokens.as_slice()])?;
/// assert_eq!(bigram.log_prob(&[1], 2), trained.log_prob(&[1], 2));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct NgramCounts {
    pub(super) config: NgramConfig,
    /// Index = context length.
    pub(super) levels: Vec<Level>,
    pub(super) tokens: usize,
}

impl NgramCounts {
    /// Counts the n-grams of orders 1 to `config.order`.
    ///
    /// # Errors
    /// Wrong options, no tokens at all, a token id outside the vocabulary (with its place), or a
    /// text too large for 32-bit tables.
    pub fn collect<'a>(
        config: NgramConfig,
        documents: impl IntoIterator<Item = &'a [u32]>,
    ) -> Result<Self, ClassicalError> {
        config.validate()?;
        let Corpus { stream, positions } = Corpus::read(&config, documents)?;
        let tokens = positions.len();
        let length = config.order - 1;
        let largest_id = config.vocab_size as u32; // a stream's boundary is one past the vocabulary
        let positions = sort_by_context(&stream, positions, length, largest_id);
        let levels = build_levels(&stream, &positions, length, config.vocab_size);
        tracing::debug!(order = config.order, tokens, "counted n-grams");
        Ok(Self { config, levels, tokens })
    }

    /// The Kneser–Ney model of `order`, the same as one trained at that order.
    ///
    /// # Errors
    /// [`ClassicalError::Order`] unless `order` is from 1 to the order counted.
    pub fn model(&self, order: usize) -> Result<KneserNey, ClassicalError> {
        let (config, levels) = self.of_order(order)?;
        Ok(KneserNey::from_levels(config, levels.iter()))
    }

    /// The model of `order` with any smoothing and count cut-offs.
    ///
    /// # Errors
    /// [`ClassicalError::Order`] unless `order` is from 1 to the order counted, and
    /// [`ClassicalError::MinCounts`] for cut-offs that fall with the order.
    pub fn smoothed(
        &self,
        order: usize,
        estimation: &Estimation,
    ) -> Result<NgramModel, ClassicalError> {
        estimation.validate()?;
        let (config, levels) = self.of_order(order)?;
        Ok(NgramModel::from_levels(config, estimation, levels.iter()))
    }

    /// The Kneser–Ney model of the longest order, freeing the counts on the way: the least memory.
    pub fn into_model(self) -> KneserNey {
        KneserNey::from_levels(self.config, self.levels.into_iter())
    }

    /// As [`smoothed`](Self::smoothed) for the longest order, freeing the counts on the way.
    ///
    /// # Errors
    /// [`ClassicalError::MinCounts`] for cut-offs that fall with the order.
    pub fn into_smoothed(self, estimation: &Estimation) -> Result<NgramModel, ClassicalError> {
        estimation.validate()?;
        Ok(NgramModel::from_levels(self.config, estimation, self.levels.into_iter()))
    }

    /// What a model of `order` is made from.
    pub(super) fn of_order(&self, order: usize) -> Result<(NgramConfig, &[Level]), ClassicalError> {
        if !(1..=self.config.order).contains(&order) {
            return Err(ClassicalError::Order { order, max: self.config.order });
        }
        Ok((NgramConfig { order, ..self.config }, &self.levels[..order]))
    }

    /// The longest order counted.
    pub fn order(&self) -> usize {
        self.config.order
    }

    /// How many tokens were counted, ends of documents included where they are predicted.
    pub fn tokens(&self) -> usize {
        self.tokens
    }
}
