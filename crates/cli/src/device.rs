//! `wuji device list`.

use anyhow::Result;
use clap::{Args as ClapArgs, Subcommand};
use wuji::device::{BackendReport, Capabilities, capabilities};

use crate::common::Common;

/// Options of `device`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// The backends of this build and what this machine has for them.
    List,
}

/// Runs the verb.
pub fn run(args: &Args, common: &Common) -> Result<()> {
    match args.verb {
        Verb::List => {
            let found = capabilities();
            common.print(&found, || describe(&found))
        }
    }
}

fn describe(found: &Capabilities) -> String {
    let mut lines: Vec<String> = found.backends.iter().map(line).collect();
    let simd = if found.simd.is_empty() { "none".to_string() } else { found.simd.join(", ") };
    lines.push(format!(
        "\n{} threads of {}; vector extensions: {simd}",
        found.threads, found.architecture
    ));
    lines.join("\n")
}

fn line(backend: &BackendReport) -> String {
    let state = match &backend.available {
        None => format!("not in this build; build with --features {}", backend.name),
        Some(Ok(())) => "ready".to_string(),
        Some(Err(reason)) => format!("compiled in, but: {reason}"),
    };
    format!("{:8} {state}", backend.name)
}
