//! The Kneser–Ney model: an n-gram model that remembers its discounts.

use std::borrow::Borrow;
use std::ops::Deref;

use super::config::NgramConfig;
use super::construction::build;
use super::counted::Method;
use super::counts::NgramCounts;
use super::discounts::Discounts;
use super::estimate::Estimate;
use super::level::Level;
use super::model::NgramModel;
use super::smoothing::Estimation;
use crate::ClassicalError;

/// A modified, interpolated Kneser–Ney language model over token ids: the [`NgramModel`] to take
/// unless there is a reason for another, and all that one does, it does.
///
/// Every distribution it gives is a product and sum of exact shares: it adds up to one within
/// rounding (1e-12), for contexts seen and unseen.
#[derive(Debug)]
pub struct KneserNey {
    model: NgramModel,
    discounts: Vec<Discounts>,
}

impl Deref for KneserNey {
    type Target = NgramModel;

    fn deref(&self) -> &NgramModel {
        &self.model
    }
}

impl From<KneserNey> for NgramModel {
    fn from(kneser_ney: KneserNey) -> Self {
        kneser_ney.model
    }
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
        config: NgramConfig,
        documents: impl IntoIterator<Item = &'a [u32]>,
    ) -> Result<Self, ClassicalError> {
        Ok(NgramCounts::collect(config, documents)?.into_model())
    }

    /// Builds the model of order `config.order` from as many levels.
    pub(super) fn from_levels(
        config: NgramConfig,
        levels: impl Iterator<Item: Borrow<Level>>,
    ) -> Self {
        let construction = build(&config, &Method::Smoothed(&Estimation::default()), levels);
        let discounts = construction.estimates.iter().map(|estimate| match estimate {
            Estimate::Discounted(discounts) => *discounts,
            other => unreachable!("Kneser-Ney has discounts, not {other:?}"),
        });
        let discounts = discounts.collect();
        Self { model: NgramModel::from_construction(config, construction), discounts }
    }

    /// The discounts of order 1, 2, …
    pub fn discounts(&self) -> &[Discounts] {
        &self.discounts
    }
}
