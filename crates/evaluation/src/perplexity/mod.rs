//! Perplexity and bits per unit of a corpus, never without the [`Recipe`] that says what they are
//! of: corpus, detokenizer, context, stride and unit change the number as much as the model does
//! (Merity et al., "Regularizing and optimizing LSTM language models", 2018, for words; Gao et al.,
//! "The Pile", 2020, for bits per byte).
//!
//! The log-probabilities come from elsewhere, as those of a `TextModel`. A corpus' perplexity is
//! the exponential of the sum of nats by the sum of units, not a mean over documents.
//!
//! ```
//! use wuji_evaluation::perplexity::{Perplexity, Recipe, TextUnit};
//! use wuji_evaluation::uncertainty::BootstrapOptions;
//!
//! # fn main() -> wuji_evaluation::Result<()> {
//! let recipe = Recipe {
//!     corpus: "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9".to_owned(),
//!     detokenizer: "none".to_owned(),
//!     context: 512,
//!     stride: 256,
//!     unit: TextUnit::Byte,
//! };
//! let mut perplexity = Perplexity::new(recipe)?;
//! perplexity.add(11.0 * 2_f64.ln(), 11)?;
//! perplexity.add(22.0 * 2_f64.ln(), 11)?;
//!
//! let report = perplexity.report(&BootstrapOptions::default())?;
//! assert!((report.bits_per_unit.value - 1.5).abs() < 1e-12);
//! assert!(report.to_string().ends_with("|detok:none|context:512|stride:256|unit:byte"));
//! # Ok(())
//! # }
//! ```

mod recipe;

use std::f64::consts::LN_2;
use std::fmt;

use serde::{Deserialize, Serialize};

pub use recipe::{Recipe, TextUnit};

use crate::error::{EvaluationError, Result, all_finite};
use crate::statistics::{CorpusMetric, Statistics};
use crate::uncertainty::{BootstrapOptions, Estimate, bootstrap};

/// The perplexity of a corpus, document by document. As a [`CorpusMetric`] it is the perplexity.
#[derive(Clone, Debug)]
pub struct Perplexity {
    recipe: Recipe,
    statistics: Statistics,
}

impl Perplexity {
    /// No documents yet.
    pub fn new(recipe: Recipe) -> Result<Self> {
        recipe.check()?;
        Ok(Self { recipe, statistics: Statistics::new(2) })
    }

    /// Adds a document: the sum of its negative log-probabilities in nats, and how many units of
    /// the recipe were scored, which may be none.
    pub fn add(&mut self, nats: f64, units: usize) -> Result<()> {
        let position = self.statistics.documents();
        if nats.is_finite() && nats >= 0.0 {
            self.statistics.push(&[nats, units as f64]);
            return Ok(());
        }
        let (what, expected) = ("sum of nats", "a finite number that is not negative");
        Err(EvaluationError::InvalidValue { what, position, expected, found: nats })
    }

    /// How it is measured.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// How many units were scored.
    pub fn units(&self) -> usize {
        self.statistics.sums()[1] as usize
    }

    /// Perplexity and bits per unit with intervals over resampled documents.
    pub fn report(&self, options: &BootstrapOptions) -> Result<PerplexityReport> {
        if self.units() == 0 {
            let reason = "no unit was scored";
            return Err(EvaluationError::Undefined { what: "perplexity", reason });
        }
        let perplexity = bootstrap(self, options)?;
        let (low, high) = perplexity.interval;
        all_finite("perplexity", &[perplexity.value, low, high])?;
        let bits_per_unit = bootstrap(&BitsPerUnit(&self.statistics), options)?;
        let recipe = self.recipe.clone();
        Ok(PerplexityReport { perplexity, bits_per_unit, units: self.units(), recipe })
    }
}

impl CorpusMetric for Perplexity {
    fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    fn score_of(&self, sums: &[f64]) -> f64 {
        nats_per_unit(sums).exp()
    }
}

/// The same sums, as bits.
struct BitsPerUnit<'a>(&'a Statistics);

impl CorpusMetric for BitsPerUnit<'_> {
    fn statistics(&self) -> &Statistics {
        self.0
    }

    fn score_of(&self, sums: &[f64]) -> f64 {
        nats_per_unit(sums) / LN_2
    }
}

fn nats_per_unit(sums: &[f64]) -> f64 {
    if sums[1] == 0.0 { 0.0 } else { sums[0] / sums[1] }
}

/// A perplexity as it is reported.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PerplexityReport {
    /// Perplexity; its `n` are documents.
    pub perplexity: Estimate,
    /// Its logarithm to base 2: bits per byte where the unit is a byte.
    pub bits_per_unit: Estimate,
    /// Units that were scored.
    pub units: usize,
    /// How it was measured.
    pub recipe: Recipe,
}

impl fmt::Display for PerplexityReport {
    /// Both figures and the recipe on one line, with as many decimals as asked for, or 2.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = f.precision().unwrap_or(2);
        let Self { perplexity, bits_per_unit, units, recipe } = self;
        let unit = recipe.unit;
        write!(f, "perplexity {perplexity:.decimals$}, ")?;
        // Bits are a logarithm: they need two more decimals to say as much.
        let finer = decimals + 2;
        write!(f, "{bits_per_unit:.finer$} bits per {unit}, {units} {unit}s | {recipe}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn perplexity(unit: TextUnit) -> Perplexity {
        let (corpus, detokenizer) = ("0a4e55a8".repeat(8), "none".to_owned());
        Perplexity::new(Recipe { corpus, detokenizer, context: 4, stride: 2, unit }).unwrap()
    }

    #[test]
    fn long_documents_weigh_more_than_short_ones() {
        let mut corpus = perplexity(TextUnit::Word);
        corpus.add(10.0 * 8_f64.ln(), 10).unwrap();
        corpus.add(30.0 * 2_f64.ln(), 30).unwrap();
        // (10 · 3 + 30 · 1) / 40 bits.
        let report = corpus.report(&BootstrapOptions::default()).unwrap();
        assert!((report.bits_per_unit.value - 1.5).abs() < 1e-12);
        assert!((report.perplexity.value - 1.5_f64.exp2()).abs() < 1e-12);
        let (low, high) = report.perplexity.interval;
        assert!((low - 2.0).abs() < 1e-9 && (high - 8.0).abs() < 1e-9);
        assert_eq!(
            report.to_string(),
            "perplexity 2.83 [2.00, 8.00] (n = 2), 1.5000 [1.0000, 3.0000] (n = 2) bits per word, \
             40 words | corpus:0a4e55a8|detok:none|context:4|stride:2|unit:word"
        );
    }

    #[test]
    fn documents_that_have_no_perplexity_are_errors() {
        let mut corpus = perplexity(TextUnit::Token);
        assert!(corpus.add(f64::INFINITY, 3).is_err() && corpus.add(-0.1, 3).is_err());
        assert!(corpus.report(&BootstrapOptions::default()).is_err());
        corpus.add(0.0, 0).unwrap();
        assert!(corpus.report(&BootstrapOptions::default()).is_err());
    }
}
