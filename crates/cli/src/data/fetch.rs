//! `wuji data fetch`.

use anyhow::Result;
use clap::Args as ClapArgs;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use wuji::data::catalogue::{FetchEvent, FetchOptions, FetchOutcome, FetchReport};

use super::{DataRoot, catalogue};
use crate::common::Common;

/// Options of `data fetch`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Data sets, as `wuji data list` names them.
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    /// Attempts per file before giving up.
    #[arg(long, default_value_t = 4, value_name = "N")]
    attempts: u32,
    #[command(flatten)]
    root: DataRoot,
}

/// Runs the verb.
pub fn run(args: &Args, common: &Common) -> Result<()> {
    let catalogue = catalogue()?;
    let root = args.root.path();
    // A slip in the last id should not cost the download of the first.
    let manifests = args.ids.iter().map(|id| Ok(&catalogue.get(id)?.manifest));
    let manifests = manifests.collect::<Result<Vec<_>>>()?;
    let options =
        FetchOptions { attempts: args.attempts, proxy: proxy(), ..FetchOptions::default() };
    let mut values = Vec::new();
    let mut lines = Vec::new();
    for manifest in manifests {
        let mut progress = Progress::new(common.quiet);
        let fetched = manifest.fetch(&root, &options, &mut |event| progress.show(&event));
        progress.bar.finish_and_clear();
        let report = fetched?;
        lines.push(describe(&manifest.id, &report));
        values.push(value(&manifest.id, &report));
    }
    let value = json!({ "data_root": root, "datasets": values });
    common.print(&value, || format!("{}\nin {}", lines.join("\n"), root.display()))
}

/// The proxy that the environment asks for, in the usual variables.
fn proxy() -> Option<String> {
    let names =
        ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy"];
    names.into_iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
}

struct Progress {
    bar: ProgressBar,
}

impl Progress {
    fn new(quiet: bool) -> Self {
        let target =
            if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(None, target);
        let style = "  {bar:24} {bytes}/{total_bytes}  {bytes_per_sec}  {msg}  {eta} left";
        bar.set_style(ProgressStyle::with_template(style).expect("the template is valid"));
        Self { bar }
    }

    fn show(&mut self, event: &FetchEvent<'_>) {
        match event {
            FetchEvent::Started { path, have, total } => {
                self.bar.set_length(*total);
                self.bar.set_position(*have);
                self.bar.set_message((*path).to_string());
                self.bar.reset_eta();
            }
            FetchEvent::Received { have, .. } => self.bar.set_position(*have),
            FetchEvent::Retrying { attempt, reason } => {
                self.bar.println(format!("  attempt {attempt}: {reason}"));
            }
            FetchEvent::Finished { .. } => {}
        }
    }
}

fn outcome(outcome: &FetchOutcome) -> String {
    match outcome {
        FetchOutcome::Present => "was there".to_string(),
        FetchOutcome::Downloaded => "fetched and verified".to_string(),
        FetchOutcome::NeedsLocalCopy { steps } => format!("needs a local copy ({steps})"),
    }
}

fn describe(id: &str, report: &FetchReport) -> String {
    let lines = report.files.iter().map(|(path, found)| format!("  {path}: {}", outcome(found)));
    format!("{id}\n{}", lines.collect::<Vec<_>>().join("\n"))
}

fn value(id: &str, report: &FetchReport) -> Value {
    let files = report.files.iter();
    let files: Vec<Value> =
        files.map(|(path, found)| json!({ "path": path, "outcome": outcome(found) })).collect();
    json!({ "id": id, "complete": report.is_complete(), "files": files })
}
