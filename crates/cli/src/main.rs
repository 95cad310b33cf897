//! The `wuji` command: verbs over the facade.
//!
//! Results go to standard output, progress and logs to standard error. Exit code 0 is done, 1
//! failed, 2 wrong usage, config or data. One file per verb; nothing here decides anything about
//! models or data.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is the binary that prints")]

mod bar;
mod common;
mod device;
mod exit;
mod generate;
mod train;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

// Training allocates and frees large tensors every step; mimalloc keeps their pages.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Train, adapt, check and ship language models on your own machine.
#[derive(Debug, Parser)]
#[command(name = "wuji", version, about, propagate_version = true, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    common: common::Common,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Pre-train a model: raw text to a trained, resumable, reported model directory.
    Train(train::Args),
    /// Continue a text.
    Generate(generate::Args),
    /// What this build and this machine can compute on.
    Device(device::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    common::start_log(&cli.common);
    let result = match cli.verb {
        Verb::Train(args) => train::run(&args, &cli.common),
        Verb::Generate(args) => generate::run(&args, &cli.common),
        Verb::Device(args) => device::run(&args, &cli.common),
    };
    exit::code(result)
}
