//! `wuji experiment objectives`.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args as ClapArgs;
use wuji::experiment::objectives::{
    ObjectivesOptions, ObjectivesSetup, ObjectivesTexts, compare_objectives,
};
use wuji::training::StopSignal;

use crate::bar::Console;
use crate::common::Common;
use crate::data::DataRoot;
use crate::exit::Wrong;
use crate::signals::stop_on_signals;

/// Options of `experiment objectives`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Where to write the runs, summary.json and table.md.
    #[arg(long, value_name = "DIR", default_value = "runs/objectives")]
    out: PathBuf,
    /// Seeds of each row.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=100))]
    seeds: u64,
    /// Share of the steps, hidden tokens and classified texts.
    #[arg(long, default_value_t = 1.0, value_name = "SHARE")]
    scale: f64,
    /// Keep the runs that are in the directory and carry out the others.
    #[arg(long)]
    resume: bool,
    #[command(flatten)]
    root: DataRoot,
}

/// Runs the verb.
pub fn run(args: &Args, common: &Common) -> Result<()> {
    if !(args.scale > 0.0 && args.scale.is_finite()) {
        let found = args.scale;
        return Err(Wrong(format!("--scale: expected a number above 0, got {found}")).into());
    }
    let stop = StopSignal::default();
    stop_on_signals(&stop)?;
    let texts = ObjectivesTexts::from_data_root(&args.root.path())?;
    let options = ObjectivesOptions {
        device: common.device.clone(),
        seeds: args.seeds,
        setup: ObjectivesSetup::default().scaled(args.scale),
        resume: args.resume,
        stop,
        ..ObjectivesOptions::new(&args.out)
    };
    let summary = compare_objectives(&texts, &options, &mut Console::new(common.quiet))?;
    common.print(&summary, || summary.to_markdown())?;
    if !summary.complete {
        let (runs, planned) = (summary.runs, summary.planned_runs);
        bail!("interrupted after {runs} of {planned} runs; go on with --resume");
    }
    Ok(())
}
