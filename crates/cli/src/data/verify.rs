//! `wuji data verify`.

use anyhow::{Result, bail};
use clap::Args as ClapArgs;
use serde_json::{Value, json};
use wuji::data::catalogue::{DatasetManifest, FileReport, FileStatus};

use super::{DataRoot, catalogue};
use crate::common::Common;

/// Options of `data verify`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Data sets, as `wuji data list` names them; without any, all that lie under the data root.
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    #[command(flatten)]
    root: DataRoot,
}

/// Runs the verb.
pub fn run(args: &Args, common: &Common) -> Result<()> {
    let catalogue = catalogue()?;
    let root = args.root.path();
    let is_here = |manifest: &DatasetManifest| {
        manifest.files.iter().any(|file| root.join(&file.path).is_file())
    };
    let manifests: Vec<&DatasetManifest> = if args.ids.is_empty() {
        catalogue.list().map(|dataset| &dataset.manifest).filter(|found| is_here(found)).collect()
    } else {
        let found = args.ids.iter().map(|id| Ok(&catalogue.get(id)?.manifest));
        found.collect::<Result<_>>()?
    };
    if manifests.is_empty() {
        bail!("no data set lies under {}", root.display());
    }
    let mut reports = Vec::new();
    for manifest in &manifests {
        reports.extend(manifest.verify(&root)?);
    }
    let bad = reports.iter().filter(|report| !report.status.is_good()).count();
    let value = json!({
        "data_root": root,
        "files": reports.iter().map(value).collect::<Vec<_>>(),
        "bad": bad,
    });
    common.print(&value, || describe(&reports, manifests.len()))?;
    if bad > 0 {
        bail!(
            "{bad} of {} files under {} are not what they should be",
            reports.len(),
            root.display()
        );
    }
    Ok(())
}

fn value(report: &FileReport) -> Value {
    json!({
        "id": report.dataset,
        "path": report.path,
        "good": report.status.is_good(),
        "status": report.status.to_string(),
    })
}

fn describe(reports: &[FileReport], datasets: usize) -> String {
    let mut lines: Vec<String> = reports
        .iter()
        .filter(|report| report.status != FileStatus::Ok)
        .map(|report| format!("{}: {}", report.path, report.status))
        .collect();
    let good = reports.iter().filter(|report| report.status.is_good()).count();
    lines.push(format!("{datasets} data sets, {good} of {} files are right", reports.len()));
    lines.join("\n")
}
