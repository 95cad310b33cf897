//! How sure a figure is: intervals around it, tests of a difference, corrections for many tests.
//!
//! Resampling works on anything that is a [`CorpusMetric`](crate::CorpusMetric), corpus BLEU as
//! well as a mean: it sums rows of statistics and never looks at a text twice. Every draw comes
//! from a seed that is passed in.

mod bootstrap;
mod corrections;
mod estimate;
mod mcnemar;
mod pass_at_k;
mod percentile;
mod permutation;
mod proportion;
mod rank_tests;
mod ranks;
mod resamples;
mod seeds;
mod t_tests;

pub use bootstrap::{
    BootstrapOptions, PairedBootstrap, bootstrap, bootstrap_positions, clustered_bootstrap,
    paired_bootstrap, paired_bootstrap_over,
};
pub use corrections::{benjamini_hochberg, bonferroni, holm};
pub use estimate::{Estimate, Method};
pub use mcnemar::McNemar;
pub use pass_at_k::pass_at_k;
pub(crate) use percentile::{check_confidence, mean, variance};
pub use permutation::{PermutationTest, paired_permutation};
pub use proportion::wilson;
pub use rank_tests::{MannWhitney, Wilcoxon, kolmogorov_smirnov, mann_whitney, wilcoxon};
pub(crate) use ranks::{mean_ranks, tie_sizes};
pub use resamples::Resamples;
pub use seeds::{Spread, mean_interval, spread};
pub use t_tests::{TTest, cohen_d_paired, paired_t_test, welch_t_test};
