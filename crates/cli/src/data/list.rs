//! `wuji data list`.

use std::path::Path;

use anyhow::Result;
use clap::Args as ClapArgs;
use serde::Serialize;
use wuji::data::catalogue::DatasetManifest;

use super::{DataRoot, catalogue};
use crate::common::Common;
use crate::exit::Wrong;
use crate::layout::{bytes, pairs, table};

/// Options of `data list`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Describe this one.
    #[arg(value_name = "ID")]
    id: Option<String>,
    /// Only those of this area: pretrain, medical …
    #[arg(long)]
    area: Option<String>,
    #[command(flatten)]
    root: DataRoot,
}

#[derive(Serialize)]
struct Entry<'a> {
    id: &'a str,
    title: &'a str,
    area: &'a str,
    task: &'a str,
    language: &'a [String],
    licence: &'a str,
    noncommercial: bool,
    bytes: u64,
    files: usize,
    /// Whether it is a corpus that `data prepare` takes.
    text: bool,
    /// Whether every file can be had from its source.
    fetchable: bool,
    /// Whether every file lies under the data root.
    present: bool,
}

/// Runs the verb.
pub fn run(args: &Args, common: &Common) -> Result<()> {
    let catalogue = catalogue()?;
    let root = args.root.path();
    if let Some(id) = &args.id {
        let dataset = catalogue.get(id)?;
        return common
            .print(&dataset.manifest, || describe(&dataset.manifest, &dataset.card, &root));
    }
    let entries: Vec<Entry> = catalogue
        .list()
        .map(|dataset| entry(&dataset.manifest, &root))
        .filter(|entry| args.area.as_ref().is_none_or(|area| area == entry.area))
        .collect();
    if entries.is_empty() {
        let mut areas: Vec<&str> =
            catalogue.list().map(|dataset| dataset.manifest.area.as_str()).collect();
        areas.sort_unstable();
        areas.dedup();
        let area = args.area.as_deref().unwrap_or_default();
        return Err(
            Wrong(format!("no area is called {area:?}; there are {}", areas.join(", "))).into()
        );
    }
    common.print(&entries, || layout(&entries))
}

fn entry<'a>(manifest: &'a DatasetManifest, root: &Path) -> Entry<'a> {
    Entry {
        id: &manifest.id,
        title: &manifest.title,
        area: &manifest.area,
        task: &manifest.task,
        language: &manifest.language,
        licence: &manifest.licence,
        noncommercial: manifest.noncommercial,
        bytes: manifest.bytes(),
        files: manifest.files.len(),
        text: manifest.text.is_some(),
        fetchable: manifest.is_fetchable(),
        present: is_present(manifest, root),
    }
}

fn is_present(manifest: &DatasetManifest, root: &Path) -> bool {
    manifest.files.iter().all(|file| root.join(&file.path).is_file())
}

fn layout(entries: &[Entry]) -> String {
    let rows: Vec<Vec<String>> = entries
        .iter()
        .map(|entry| {
            let state = match (entry.present, entry.fetchable) {
                (true, _) => "here",
                (false, true) => "fetch",
                (false, false) => "copy",
            };
            vec![
                entry.id.to_string(),
                entry.area.to_string(),
                entry.language.join(" "),
                bytes(entry.bytes),
                state.to_string(),
                entry.task.to_string(),
            ]
        })
        .collect();
    let header = ["id", "area", "language", "size", "state", "task"];
    let note = "here: under the data root; fetch: `wuji data fetch ID` gets it; copy: part of it was made from its \
                source by hand, so --data-root must point at a copy";
    format!("{}\n\n{} data sets. {note}", table(&header, &rows, &[3]), entries.len())
}

fn describe(manifest: &DatasetManifest, card: &str, root: &Path) -> String {
    let state = if is_present(manifest, root) { "here" } else { "not here" };
    let facts = pairs(&[
        ("id", manifest.id.clone()),
        ("size", format!("{} in {} files", bytes(manifest.bytes()), manifest.files.len())),
        ("state", format!("{state}: {}", root.display())),
    ]);
    format!("{facts}\n\n{}", card.trim_end())
}
