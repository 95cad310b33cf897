//! `wuji bench generate`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args as ClapArgs;
use serde::Serialize;
use wuji::bench::{BenchShape, GenerateBench, GenerateLimits, GenerateReport, bench_generate};
use wuji::device::BackendKind;
use wuji::model::{CausalLm, WeightFormat};

use super::{Measured, of_peak};
use crate::common::Common;
use crate::exit::Wrong;
use crate::layout::pairs;
use crate::model_path::model_path;
use crate::text_args::{WEIGHT_FORMATS, named};

/// Options of `bench generate`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// A model directory, that of a run, a GGUF file, or the name of a model on the Hugging Face Hub.
    #[arg(long, value_name = "MODEL", required_unless_present = "shape")]
    model: Option<PathBuf>,
    /// Or a GPT-2 with random weights: 1xCONTEXT,LAYERSxHEADSxWIDTH,VOCABULARY.
    #[arg(long, conflicts_with = "model")]
    shape: Option<BenchShape>,
    /// How the matrices are held.
    #[arg(long, value_parser = named::<WeightFormat>(WEIGHT_FORMATS), default_value = "f32")]
    weights: WeightFormat,
    /// Tokens of the prompt; half of the model's positions, at most 256, when absent.
    #[arg(long, value_name = "N")]
    prompt_tokens: Option<usize>,
    /// Tokens to write; what the positions leave, at most 128, when absent.
    #[arg(long, value_name = "N")]
    new_tokens: Option<usize>,
    /// Repetitions, of which the medians are reported.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    rounds: u64,
    /// Seed of weights and prompt.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// Runs the verb.
pub fn run(args: &Args, common: &Common) -> Result<()> {
    let model = args.model(common)?.with_weights(args.weights)?;
    let limit = model.config().max_position_embeddings();
    let prompt_tokens = args.prompt_tokens.unwrap_or((limit / 2).clamp(1, 256));
    let left = limit.saturating_sub(prompt_tokens);
    let new_tokens = args.new_tokens.unwrap_or(left.min(128));
    let rounds = args.rounds as usize;
    let bench = GenerateBench { prompt_tokens, new_tokens, rounds, seed: args.seed };
    let bar = super::rounds(common, args.rounds + 1);
    let report = bench_generate(&model, &bench, &mut || bar.inc(1));
    bar.finish_and_clear();
    let report = report?;
    let is_cpu = matches!(common.device.backend, BackendKind::Flex | BackendKind::Ndarray);
    let measure =
        || GenerateLimits::measure(model.config(), args.weights, &report, &common.device.open()?);
    let limits = is_cpu.then(measure).transpose()?;
    let measured = Measured::new(Generation { report, limits }, common);
    common.print(&measured, || describe(&measured))
}

/// What was timed, and on the CPU how near that is to the limits of the machine.
#[derive(Serialize)]
struct Generation {
    #[serde(flatten)]
    report: GenerateReport,
    #[serde(flatten)]
    limits: Option<GenerateLimits>,
}

impl Args {
    fn model(&self, common: &Common) -> Result<CausalLm> {
        let device = common.device.open()?;
        match (&self.model, self.shape) {
            (Some(dir), _) => Ok(CausalLm::from_dir(&model_path(dir, common)?, &device)?),
            (None, Some(shape)) if shape.batch == 1 => {
                Ok(CausalLm::init(&shape.model()?, self.seed, &device)?)
            }
            (None, Some(shape)) => {
                let problem = "one sequence at a time is timed: expected a batch of 1";
                Err(Wrong(format!("--shape {shape}: {problem}")).into())
            }
            (None, None) => Err(Wrong("expected --model or --shape".to_string()).into()),
        }
    }
}

fn describe(measured: &Measured<Generation>) -> String {
    let Generation { report, limits } = &measured.report;
    let mut lines = vec![
        ("device", format!("{}, {} threads", measured.device, measured.threads)),
        (
            "prefill",
            format!(
                "{} tokens in {:.1} ms: {:.0} tokens/s",
                report.prompt_tokens, report.first_token_ms, report.prefill_tokens_per_second
            ),
        ),
        (
            "decode",
            format!(
                "{:.2} ms per token: {:.0} tokens/s over {} tokens",
                report.ms_per_token, report.decode_tokens_per_second, report.new_tokens
            ),
        ),
    ];
    if let Some(limits) = limits {
        let GenerateLimits { decode_gb_per_second, memory_gb_per_second, .. } = limits;
        let (prefill, peak) = (limits.prefill_gflops, limits.peak_gflops);
        lines.push(("prefill rate", of_peak(prefill, limits.prefill_peak_fraction, peak)));
        let percent = 100.0 * limits.bandwidth_fraction;
        let decode = format!(
            "{decode_gb_per_second:.1} GB/s, {percent:.0} % of the {memory_gb_per_second:.1} that \
             can be read from memory here"
        );
        lines.push(("decode rate", decode));
    }
    if let Some(mib) = report.peak_rss_mib {
        lines.push(("memory", format!("{mib} MiB at most")));
    }
    pairs(&lines)
}
