//! `wuji bench train`.

use anyhow::Result;
use clap::Args as ClapArgs;
use wuji::bench::{BenchFamily, BenchShape, Precision, TrainBench, TrainReport, bench_train};

use super::{Measured, of_peak, rounds};
use crate::common::Common;
use crate::layout::{grouped, pairs};
use crate::text_args::named;

const FAMILIES: &[&str] = &["gpt2", "bert", "t5"];
const PRECISIONS: &[&str] = &["f32", "bf16"];

/// Options of `bench train`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// A decoder (GPT-2 without biases, with a head of its own), an encoder on padded rows, or an
    /// encoder–decoder.
    #[arg(long, value_parser = named::<BenchFamily>(FAMILIES), default_value = "gpt2")]
    family: BenchFamily,
    /// BATCHxCONTEXT,LAYERSxHEADSxWIDTH,VOCABULARY.
    #[arg(long, default_value = "8x256,6x6x384,4096")]
    shape: BenchShape,
    /// Number format of the arithmetic.
    #[arg(long, value_parser = named::<Precision>(PRECISIONS), default_value = "f32")]
    precision: Precision,
    /// Timed steps, after 3 that are not.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    steps: u64,
    /// Seed of weights and tokens.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// Runs the verb.
pub fn run(args: &Args, common: &Common) -> Result<()> {
    let Args { family, shape, precision, steps, seed } = *args;
    let device = common.device.open()?;
    let bench = TrainBench { family, shape, precision, steps, seed };
    let bar = rounds(common, steps + 3);
    let report = bench_train(&bench, &device, &std::env::temp_dir(), &mut || bar.inc(1));
    bar.finish_and_clear();
    let measured = Measured::new(report?, common);
    common.print(&measured, || describe(&measured))
}

fn describe(measured: &Measured<TrainReport>) -> String {
    let report = &measured.report;
    let phases = &report.phases_ms;
    let mut lines = vec![
        (
            "shape",
            format!(
                "{} {} on {}, {} threads",
                report.family, report.shape, measured.device, measured.threads
            ),
        ),
        ("parameters", grouped(report.params as u64)),
        ("step", format!("{:.1} ms (fastest {:.1})", report.ms_per_step, report.min_ms_per_step)),
        (
            "phases",
            format!(
                "data {:.1} ms, forward {:.1} ms, backward {:.1} ms, optimiser {:.1} ms",
                phases.data, phases.forward, phases.backward, phases.optimizer
            ),
        ),
        ("tokens per second", format!("{:.0}", report.tokens_per_second)),
        ("arithmetic", of_peak(report.gflops, report.peak_fraction, report.peak_gflops)),
    ];
    if let Some(mib) = report.peak_rss_mib {
        lines.push(("memory", format!("{mib} MiB at most")));
    }
    pairs(&lines)
}
