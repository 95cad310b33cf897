//! `wuji bench`.

mod generate;
mod tokenizer;
mod train;

use anyhow::Result;
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::common::Common;

/// The verbs below `bench`.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Time a training step, split by phase.
    Train(train::Args),
    /// Time reading a prompt and writing after it.
    Generate(generate::Args),
    /// Time encoding and decoding.
    Tokenizer(tokenizer::Args),
}

/// Runs the verb.
pub fn run(verb: &Verb, common: &Common) -> Result<()> {
    match verb {
        Verb::Train(args) => train::run(args, common),
        Verb::Generate(args) => generate::run(args, common),
        Verb::Tokenizer(args) => tokenizer::run(args, common),
    }
}

/// A report and what it was measured on.
#[derive(Serialize)]
struct Measured<T> {
    #[serde(flatten)]
    report: T,
    device: String,
    threads: usize,
}

impl<T> Measured<T> {
    fn new(report: T, common: &Common) -> Self {
        let threads = rayon::current_num_threads();
        Self { report, device: common.device.to_string(), threads }
    }
}

/// A rate of arithmetic, in units of 10⁹ per second, beside that of a matrix product.
fn of_peak(gflops: f64, fraction: f64, peak: f64) -> String {
    let percent = 100.0 * fraction;
    format!(
        "{gflops:.1} GFLOP/s, {percent:.0} % of the {peak:.0} that an f32 matrix product reaches here"
    )
}

/// A bar of `count` rounds.
fn rounds(common: &Common, count: u64) -> ProgressBar {
    let target =
        if common.quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(Some(count), target);
    let style = ProgressStyle::with_template("  {bar:24} {pos}/{len}  {eta} left");
    bar.set_style(style.expect("the template is valid"));
    bar
}
