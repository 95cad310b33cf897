//! Metrics of text, labels and rankings with the numbers of the field's own tools, each with its
//! interval.
//!
//! Texts are compared by [`bleu`], [`chrf`], [`ter`], [`rouge`], [`error_rate`], [`squad`] and
//! [`cmrc`]; what a model writes repeats itself by [`distinct`] and [`repetition`], and how well it
//! predicts is its [`perplexity`]. Labels, numbers, entities and rankings are compared by
//! [`classification`], [`regression`], [`entities`] and [`ranking`]. A figure without its
//! uncertainty says little, so whatever is a function of sums over documents (a [`CorpusMetric`])
//! can be resampled by [`uncertainty`], corpus BLEU as well as a mean.
//!
//! Two runs are set side by side by [`comparison`]; what is tuned and tested on the same data needs
//! [`cross_validation`]; what may have been in the training text is found by [`contamination`].
//! [`html`] has the parts of a report of all this.
//!
//! ```
//! use wuji_evaluation::bleu::{BleuOptions, CorpusBleu};
//! use wuji_evaluation::uncertainty::{BootstrapOptions, bootstrap};
//!
//! # fn main() -> wuji_evaluation::Result<()> {
//! let mut bleu = CorpusBleu::new(BleuOptions::default())?;
//! bleu.add("The cat sat on the mat.", &["The cat is sitting on the mat.", "There is a cat on the mat."])?;
//! bleu.add("A dog is in the garden.", &["There is a dog in the garden."])?;
//!
//! let score = bleu.score();
//! assert!((score.score - 40.99).abs() < 0.005);
//! assert!(score.signature.starts_with("nrefs:var|case:mixed|eff:no|tok:13a|smooth:exp|"));
//!
//! // The interval over resampled documents; the same seed gives the same interval.
//! let estimate = bootstrap(&bleu, &BootstrapOptions { seed: 7, ..Default::default() })?;
//! assert_eq!((estimate.value, estimate.n), (score.score, 2));
//! assert!(estimate.interval.0 <= score.score && score.score <= estimate.interval.1);
//! # Ok(())
//! # }
//! ```
//!
//! What each metric is, what its options mean and where its truth comes from is in
//! `docs/metrics.md`; how an evaluation is made of them is in `docs/evaluation.md`.

pub mod bleu;
pub mod chrf;
pub mod ter;

pub mod cmrc;
pub mod error_rate;
pub mod rouge;
pub mod squad;

pub mod distinct;
pub mod perplexity;
pub mod repetition;

pub mod classification;
pub mod entities;
pub mod ranking;
pub mod regression;

pub mod uncertainty;

pub mod comparison;
pub mod contamination;
pub mod cross_validation;

pub mod harness;
pub mod html;

mod error;
mod ngrams;
mod signature;
mod statistics;
mod tails;
mod words;

pub use error::{EvaluationError, Result};
pub use signature::SACREBLEU_VERSION;
pub use statistics::{CorpusMetric, DocumentMean, Statistics};

/// The snippets of the page about evaluation, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/evaluation.md")]
struct Page;
