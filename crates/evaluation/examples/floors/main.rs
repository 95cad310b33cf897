//! What the classical models reach on public sets, each figure with its interval and its time:
//! `cargo run --release -p wuji-evaluation --example floors -- DATA [SET…]`, where `DATA` is the folder of
//! data sets and `SET` one of those that `--help` lists; all of them without.

mod entities;
mod files;
mod folds;
mod tables;
mod texts;

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, bail};
use wuji_evaluation::uncertainty::Estimate;

/// One line of the table.
struct Figure {
    model: &'static str,
    what: &'static str,
    estimate: Estimate,
    /// For training and prediction.
    seconds: f64,
}

type Floors = fn(&Path) -> anyhow::Result<Vec<Figure>>;

const SETS: [(&str, Floors); 11] = [
    ("banking77", texts::banking77),
    ("clinc150", texts::clinc150),
    ("phrasebank", texts::phrasebank),
    ("ag-news", texts::ag_news),
    ("sst2", texts::sst2),
    ("bc5cdr", entities::bc5cdr),
    ("ncbi-disease", entities::ncbi_disease),
    ("german-credit", tables::german_credit),
    ("cleveland", tables::cleveland),
    ("pima", tables::pima),
    ("wisconsin", tables::wisconsin),
];

fn main() -> anyhow::Result<()> {
    let names = SETS.map(|(name, _)| name);
    let mut arguments = std::env::args().skip(1);
    let usage = || format!("usage: floors DATA [SET…], where SET is of: {}", names.join(" "));
    let data = arguments.next().filter(|data| data != "--help").with_context(usage)?;
    let chosen: Vec<String> = arguments.collect();
    if let Some(unknown) = chosen.iter().find(|set| !names.contains(&set.as_str())) {
        bail!("no set {unknown}; {}", usage());
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "| set | model | figure | value | 95 % interval | n | seconds |")?;
    writeln!(out, "|---|---|---|--:|--:|--:|--:|")?;
    for (name, floors) in SETS {
        if !chosen.is_empty() && !chosen.iter().any(|set| set == name) {
            continue;
        }
        for Figure { model, what, estimate, seconds } in floors(Path::new(&data))? {
            let Estimate { value, interval: (low, high), n, .. } = estimate;
            writeln!(
                out,
                "| {name} | {model} | {what} | {value:.4} | {low:.4}–{high:.4} | {n} | {seconds:.1} |"
            )?;
        }
    }
    Ok(())
}

/// What `work` gives, and the seconds that it takes.
fn timed<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(T, f64)> {
    let start = Instant::now();
    Ok((work()?, start.elapsed().as_secs_f64()))
}
