//! A figure with its interval, as every result of an evaluation is reported.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where an interval comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Method {
    /// Percentiles over resampled documents.
    Bootstrap {
        /// How many times the corpus was drawn.
        resamples: usize,
        /// The seed of the draws; none where they were given.
        seed: Option<u64>,
    },
    /// Percentiles over resampled clusters of documents.
    ClusteredBootstrap {
        /// How many clusters there are.
        clusters: usize,
        /// How many times they were drawn.
        resamples: usize,
        /// The seed of the draws.
        seed: u64,
    },
    /// Wilson's interval of a proportion.
    Wilson,
    /// Student's interval of a mean.
    StudentT,
    /// Student's interval of the mean over cross-validation's folds, whose variance is corrected
    /// for the training items that they share.
    CorrectedResampledT,
}

/// A figure, its interval, and what it is a figure of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// The interval around it, lower end first.
    pub interval: (f64, f64),
    /// How often such intervals hold the true figure, as 0.95.
    pub confidence: f64,
    /// The standard error of the figure.
    pub standard_error: f64,
    /// How many documents, answers or runs it is a figure of.
    pub n: usize,
    /// Where the interval comes from.
    pub method: Method,
}

impl Estimate {
    /// Half the width of the interval.
    pub fn half_width(&self) -> f64 {
        (self.interval.1 - self.interval.0) / 2.0
    }
}

impl fmt::Display for Estimate {
    /// `31.42 [29.80, 33.07] (n = 1000)`, with as many decimals as asked for, or 2.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = f.precision().unwrap_or(2);
        let (low, high) = self.interval;
        let Self { value, n, .. } = self;
        write!(f, "{value:.decimals$} [{low:.decimals$}, {high:.decimals$}] (n = {n})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_is_shown_with_its_interval_and_read_back_from_json() {
        let estimate = Estimate {
            value: 0.5,
            interval: (0.25, 0.75),
            confidence: 0.95,
            standard_error: 0.125,
            n: 16,
            method: Method::Wilson,
        };
        assert_eq!(estimate.to_string(), "0.50 [0.25, 0.75] (n = 16)");
        assert_eq!(format!("{estimate:.1}"), "0.5 [0.2, 0.8] (n = 16)");
        let json = serde_json::to_string(&estimate).unwrap();
        assert_eq!(serde_json::from_str::<Estimate>(&json).unwrap(), estimate);
    }
}
