//! `wuji train`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Args as ClapArgs;
use wuji::WujiError;
use wuji::config::{ConfigLayers, PRESETS, Preset, RunConfig, reference};
use wuji::data::{PairOptions, SourceOptions};
use wuji::evaluation::uncertainty::Estimate;
use wuji::pretrain::{
    PretrainOptions, PretrainSummary, TranslatedExample, TranslationScores, pretrain_with,
};
use wuji::training::{StopReason, StopSignal};

use crate::bar::Console;
use crate::common::{Common, print};
use crate::exit::Wrong;
use crate::signals::stop_on_signals;
use crate::text_args::TextArgs;

/// Options of `train`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// A config that comes with the program; `--list-presets` names them.
    #[arg(long, value_name = "NAME")]
    preset: Option<String>,
    /// A config of your own, over the preset.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Text to learn from: files, directories or patterns; .txt .jsonl .csv .parquet, plain or .gz.
    /// Without it, and without sources in the config, the embedded story world is used.
    #[arg(long, value_name = "PATH", num_args = 1..)]
    data: Vec<String>,
    /// Pairs to learn from: two files of one text per line, aligned. May be given several times.
    #[arg(long, value_names = ["SOURCE", "TARGET"], num_args = 2, conflicts_with = "data")]
    pairs: Vec<String>,
    /// Pairs that are held out, likewise.
    #[arg(long, value_names = ["SOURCE", "TARGET"], num_args = 2, conflicts_with = "data")]
    validation_pairs: Vec<String>,
    /// Further pairs that are translated and scored at the end, likewise.
    #[arg(long, value_names = ["SOURCE", "TARGET"], num_args = 2, conflicts_with = "data")]
    test_pairs: Vec<String>,
    /// One key of the config, as in training.max_steps=100.
    #[arg(long, value_name = "SECTION.KEY=VALUE")]
    set: Vec<String>,
    /// Seed of weights, data order and dropout.
    #[arg(long)]
    seed: Option<u64>,
    /// Where to write the run; runs/PRESET-N by default.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Continue the run in this directory.
    #[arg(long, value_name = "DIR", conflicts_with_all = [
        "preset", "config", "data", "pairs", "validation_pairs", "test_pairs", "out", "seed",
    ])]
    resume: Option<PathBuf>,
    /// Name the presets and stop.
    #[arg(long)]
    list_presets: bool,
    /// Print the resolved config and stop.
    #[arg(long)]
    print_config: bool,
    /// Print the configuration reference as Markdown and stop.
    #[arg(long, hide = true)]
    config_reference: bool,
    #[command(flatten)]
    text: TextArgs,
}

/// Runs the verb.
pub fn run(args: &Args, common: &Common) -> Result<()> {
    if args.list_presets {
        let names = PRESETS.iter().map(|preset| (preset.name, preset.summary));
        let names: BTreeMap<&str, &str> = names.collect();
        let line = |preset: &Preset| format!("{:24} {}", preset.name, preset.summary);
        return common.print(&names, || PRESETS.iter().map(line).collect::<Vec<_>>().join("\n"));
    }
    if args.config_reference {
        return print(reference().trim_end());
    }
    let config = resolve(args)?;
    if args.print_config {
        return common.print(&config, || config.to_toml().trim_end().to_string());
    }
    let stop = StopSignal::default();
    stop_on_signals(&stop)?;
    let options = PretrainOptions {
        run_dir: run_dir(args),
        device: common.device.clone(),
        resume: args.resume.is_some(),
        stop,
        revision: std::env::var("WUJI_REVISION").unwrap_or_else(|_| "unknown".to_string()),
    };
    let summary = pretrain_with(&config, &options, &mut Console::new(common.quiet))?;
    common.print(&summary, || describe(&summary))?;
    if summary.reason == StopReason::Interrupted {
        let dir = summary.run_dir.display();
        bail!("interrupted at step {}; continue with --resume {dir}", summary.steps);
    }
    Ok(())
}

fn resolve(args: &Args) -> Result<RunConfig> {
    let layers = match &args.resume {
        Some(dir) => {
            let file = dir.join("config.toml");
            if !file.is_file() {
                let dir = dir.display();
                return Err(Wrong(format!("{dir} holds no run to resume: no config.toml")).into());
            }
            ConfigLayers { preset: None, file: Some(file), set: args.set.clone() }
        }
        None => layers(args)?,
    };
    let mut config = RunConfig::resolve(&layers)?;
    if !args.data.is_empty() {
        config.data.sources = vec![SourceOptions::new(args.data.iter().map(absolute))];
    }
    for source in &mut config.data.sources {
        args.text.apply(source);
    }
    Ok(config)
}

fn layers(args: &Args) -> Result<ConfigLayers, WujiError> {
    // A config file stands on its own; with neither, the first thing a newcomer runs.
    let preset = match (&args.preset, &args.config) {
        (None, None) => Some("quickstart".to_string()),
        (preset, _) => preset.clone(),
    };
    let mut layers = ConfigLayers { preset, file: args.config.clone(), set: Vec::new() };
    for (key, files) in [
        ("data.pairs.train", &args.pairs),
        ("data.pairs.validation", &args.validation_pairs),
        ("data.pairs.test", &args.test_pairs),
    ] {
        let lines = |files: &[String]| PairOptions::lines(absolute(&files[0]), absolute(&files[1]));
        if !files.is_empty() {
            let pairs: Vec<PairOptions> = files.chunks_exact(2).map(lines).collect();
            layers = layers.with_value(key, &pairs)?;
        }
    }
    layers.set.extend(args.set.iter().cloned());
    layers.set.extend(args.seed.map(|seed| format!("training.seed={seed}")));
    Ok(layers)
}

/// A run must be resumable from anywhere, so its config holds absolute paths.
fn absolute(path: &String) -> String {
    std::path::absolute(path).map_or_else(|_| path.clone(), |path| path.display().to_string())
}

fn run_dir(args: &Args) -> PathBuf {
    if let Some(dir) = args.resume.as_ref().or(args.out.as_ref()) {
        return dir.clone();
    }
    let named = args.preset.clone().or_else(|| {
        let stem = args.config.as_ref()?.file_stem()?;
        Some(stem.to_string_lossy().into_owned())
    });
    let name = named.unwrap_or_else(|| "quickstart".to_string());
    (1..)
        .map(|number| Path::new("runs").join(format!("{name}-{number}")))
        .find(|dir| !dir.exists())
        .expect("some number is free")
}

/// Some translations of a set of pairs and their scores.
fn translations(scores: &TranslationScores) -> String {
    let example = |example: &TranslatedExample| {
        let TranslatedExample { source, reference, translation, .. } = example;
        format!("source       {source}\nreference    {reference}\ntranslation  {translation}\n")
    };
    let examples: Vec<String> = scores.examples.iter().map(example).collect();
    let interval = |estimate: &Estimate| {
        let (low, high) = estimate.interval;
        format!("{:.2} [{low:.2}, {high:.2}]", estimate.value)
    };
    format!(
        "{}\n{}: BLEU {}, chrF {}, {:.1} % to the letter, over {} pairs; the sources themselves: BLEU {:.2}\n\
         {}\n",
        examples.join("\n"),
        scores.name,
        interval(&scores.bleu),
        interval(&scores.chrf),
        100.0 * scores.exact,
        scores.pairs,
        scores.copy_bleu,
        scores.bleu_signature,
    )
}

fn describe(summary: &PretrainSummary) -> String {
    let mut lines = Vec::new();
    let is_text = summary.bits_per_byte.is_some();
    for sample in &summary.samples {
        let between = if is_text { "" } else { "\n" };
        lines.push(format!("{}{between}{}\n", sample.prompt, sample.text));
    }
    lines.extend(summary.translations.iter().map(translations));
    // Other objectives predict some tokens of the text, of which bits per byte mean nothing.
    let row = |name: &str, loss: f64, bits: Option<f64>| {
        let bits = bits.filter(|_| is_text).map(|bits| format!(" {bits:>14.4}"));
        format!("{name:28} {loss:>15.4}{}", bits.unwrap_or_default())
    };
    if let Some(loss) = summary.validation_loss {
        let unit = if is_text { "nats per token" } else { "nats, predicted" };
        let bits = if is_text { format!(" {:>14}", "bits per byte") } else { String::new() };
        lines.push(format!("{:28} {unit:>15}{bits}", ""));
        lines.push(row("this model", loss, summary.bits_per_byte));
    }
    if let Some(ngram) = &summary.ngram {
        let name = format!("{}-gram (Kneser-Ney)", ngram.order);
        lines.push(row(&name, ngram.validation_loss, Some(ngram.bits_per_byte)));
    }
    if let Some(estimate) = &summary.random_batches_estimate {
        lines.push(format!("{:28} {:>15.4}", "this model, random batches", estimate.loss));
    }
    if let Some(pairs) = &summary.sentences {
        let right = 100.0 * pairs.accuracy;
        let name = "its answers about pairs";
        lines.push(format!(
            "{name:28} {:>15.4} {right:>13.1}% of {} right",
            pairs.loss, pairs.pairs
        ));
    }
    lines.push(format!(
        "\n{} steps, {} tokens in {:.0} s: {:.0} tokens/s, {:.0} GFLOP/s ({:.0} % of this machine's matrix product){}",
        summary.steps,
        summary.tokens,
        summary.train_seconds,
        summary.tokens_per_second,
        summary.throughput.gflops,
        100.0 * summary.throughput.peak_fraction,
        summary.peak_rss_mib.map(|mib| format!(", {mib} MiB at most")).unwrap_or_default(),
    ));
    let dir = summary.run_dir.display();
    lines.push(format!("report: {dir}/report.html\nmodel:  {dir}/model"));
    lines.join("\n")
}
