//! `wuji data`.

mod fetch;
mod list;
mod prepare;
mod verify;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};
use wuji::data::catalogue::Catalogue;

use crate::common::Common;

/// The verbs below `data`.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// The data sets that are known.
    List(list::Args),
    /// Download data sets from their sources and verify them; a broken download is resumed.
    Fetch(fetch::Args),
    /// Check that files are what the catalogue says.
    Verify(verify::Args),
    /// Tokenize text into shards.
    Prepare(prepare::Args),
}

/// Runs the verb.
pub fn run(verb: &Verb, common: &Common) -> Result<()> {
    match verb {
        Verb::List(args) => list::run(args, common),
        Verb::Fetch(args) => fetch::run(args, common),
        Verb::Verify(args) => verify::run(args, common),
        Verb::Prepare(args) => prepare::run(args, common),
    }
}

/// Where data sets lie.
#[derive(Debug, Clone, Args)]
pub struct DataRoot {
    /// Where data sets lie [default: $WUJI_DATA, or else wuji/data in the user's cache].
    #[arg(long, value_name = "DIR")]
    data_root: Option<PathBuf>,
}

impl DataRoot {
    /// The directory, whether it is there or not.
    pub fn path(&self) -> PathBuf {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        if let Some(given) = &self.data_root {
            return given.clone();
        }
        if let Some(named) = variable("WUJI_DATA") {
            return named.into();
        }
        let cache = variable("XDG_CACHE_HOME").map(PathBuf::from);
        let cache = cache.or_else(|| Some(PathBuf::from(variable("HOME")?).join(".cache")));
        cache.unwrap_or_else(|| PathBuf::from(".cache")).join("wuji/data")
    }
}

/// All data sets.
fn catalogue() -> Result<Catalogue> {
    Ok(Catalogue::embedded()?)
}
