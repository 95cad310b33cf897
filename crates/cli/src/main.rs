//! The `wuji` command: verbs over the facade.
//!
//! Results go to standard output, progress and logs to standard error. Exit code 0 is done, 1
//! failed, 2 wrong usage, config or data. One file per verb, a folder where a verb has verbs of its
//! own; nothing here decides anything about models or data.
#![expect(clippy::print_stderr, reason = "this is the binary that prints")]

mod bar;
mod bench;
mod common;
mod convert;
mod data;
mod device;
mod embed;
mod eval;
mod exit;
mod experiment;
mod forward;
mod generate;
mod info;
mod layout;
mod model_path;
mod panics;
mod report;
mod search;
mod signals;
mod text_args;
mod tokenizer;
mod train;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

// Training allocates and frees large tensors every step; mimalloc keeps their pages once it is told.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Train, adapt, check and ship language models on your own machine.
#[derive(Debug, Parser)]
#[command(name = "wuji", version, propagate_version = true, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    common: common::Common,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Pre-train a model: raw text to a trained, resumable, reported model directory.
    Train(Box<train::Args>),
    /// Continue a text.
    Generate(generate::Args),
    /// Score a model on tasks, with intervals and beside baselines; compare two models.
    Eval(Box<eval::Args>),
    /// Vectors of texts, near for texts that mean the same.
    Embed(embed::Args),
    /// One forward pass over named tensors, for inspection and parity.
    Forward(forward::Args),
    /// Train, try and describe tokenizers.
    #[command(subcommand)]
    Tokenizer(tokenizer::Verb),
    /// List, fetch, verify and prepare data sets.
    #[command(subcommand)]
    Data(data::Verb),
    /// Convert a checkpoint to a Hugging Face model directory, or to a GGUF file.
    Convert(convert::Args),
    /// Describe a model: its shape, its parameters by part, its memory and arithmetic.
    Info(info::Args),
    /// Time training, generation or tokenizing.
    #[command(subcommand)]
    Bench(bench::Verb),
    /// Carry out a comparison that takes several runs.
    #[command(subcommand)]
    Experiment(experiment::Verb),
    /// Search hyper-parameters: trials of a space, each a training run or a classical model.
    Search(Box<search::Args>),
    /// Render the report of a run again.
    Report(report::Args),
    /// What this build and this machine can compute on.
    Device(device::Args),
}

fn main() -> ExitCode {
    wuji_kernels::allocator::keep_freed_memory();
    let cli = Cli::parse();
    common::start_log();
    match panics::catch(|| run(&cli)) {
        Ok(result) => exit::code(result),
        Err(panic) => exit::panicked(&panic),
    }
}

fn run(cli: &Cli) -> Result<()> {
    let common = &cli.common;
    common::Common::limit_instructions()?;
    common.start_threads()?;
    match &cli.verb {
        Verb::Train(args) => train::run(args, common),
        Verb::Generate(args) => generate::run(args, common),
        Verb::Eval(args) => eval::run(args, common),
        Verb::Embed(args) => embed::run(args, common),
        Verb::Forward(args) => forward::run(args, common),
        Verb::Tokenizer(verb) => tokenizer::run(verb, common),
        Verb::Data(verb) => data::run(verb, common),
        Verb::Convert(args) => convert::run(args, common),
        Verb::Info(args) => info::run(args, common),
        Verb::Bench(verb) => bench::run(verb, common),
        Verb::Experiment(verb) => experiment::run(verb, common),
        Verb::Search(args) => search::run(args, common),
        Verb::Report(args) => report::run(args, common),
        Verb::Device(args) => device::run(args, common),
    }
}
