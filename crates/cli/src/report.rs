//! `wuji report`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args as ClapArgs;
use serde_json::json;
use wuji::pretrain::RunDir;

use crate::common::Common;

/// Options of `report`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// The directory of a finished run.
    #[arg(value_name = "RUN_DIR")]
    run_dir: PathBuf,
}

/// Runs the verb.
pub fn run(args: &Args, common: &Common) -> Result<()> {
    let run_dir = RunDir::existing(&args.run_dir)?;
    wuji::report::rewrite(&run_dir)?;
    let report = args.run_dir.join("report.html");
    let card = args.run_dir.join("MODEL_CARD.md");
    let value = json!({ "report": report, "model_card": card });
    common.print(&value, || format!("{}\n{}", report.display(), card.display()))
}
