//! `wuji data prepare`.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args as ClapArgs;
use serde::Serialize;
use wuji::data::catalogue::CatalogueError;
use wuji::data::{
    Corpus, CorpusOptions, Manifest, PreparedCorpus, SourceOptions, SplitOptions, TokenShards,
};
use wuji::tokenizer::Tokenizer;

use super::{DataRoot, catalogue};
use crate::common::Common;
use crate::exit::Wrong;
use crate::layout::{grouped, table};
use crate::model_path::model_dir;
use crate::text_args::{TextArgs, named};

/// Options of `data prepare`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Data sets of the catalogue, or files, directories and patterns.
    #[arg(value_name = "ID|PATH", required = true)]
    inputs: Vec<String>,
    /// A tokenizer: a file, a directory, a model directory or that of a run.
    #[arg(short, long, value_name = "PATH")]
    tokenizer: PathBuf,
    /// The directory to write shards to.
    #[arg(short, long, value_name = "DIR")]
    out: PathBuf,
    /// How the held-out side is chosen.
    #[arg(long, value_parser = named::<Split>(SPLITS), default_value = "position")]
    split: Split,
    /// Share of the text that is held out.
    #[arg(long, default_value_t = 0.1, value_name = "SHARE")]
    validation_fraction: f64,
    /// Seed of a split by content hash.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    root: DataRoot,
    #[command(flatten)]
    text: TextArgs,
}

const SPLITS: &[&str] = &["position", "content-hash"];

#[derive(Debug, Clone, Copy, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Split {
    Position,
    ContentHash,
}

#[derive(Serialize)]
struct Output<'a> {
    directory: &'a Path,
    reused: bool,
    train: Side,
    validation: Side,
    manifest: &'a Manifest,
}

#[derive(Serialize)]
struct Side {
    tokens: u64,
    documents: u64,
    bytes: u64,
}

impl Side {
    fn of(shards: &TokenShards) -> Self {
        Self {
            tokens: shards.token_count(),
            documents: shards.document_count(),
            bytes: shards.source_bytes(),
        }
    }
}

/// Runs the verb.
pub fn run(args: &Args, common: &Common) -> Result<()> {
    let tokenizer = Tokenizer::load(&model_dir(&args.tokenizer))?;
    let corpus = Corpus::open(&CorpusOptions { sources: args.sources()? })?;
    common.note("· tokenizing and sharding");
    let prepared = wuji::data::prepare(&corpus, &tokenizer, &args.split(), &args.out)?;
    let output = Output {
        directory: &prepared.directory,
        reused: prepared.reused,
        train: Side::of(&prepared.train),
        validation: Side::of(&prepared.validation),
        manifest: &prepared.manifest,
    };
    common.print(&output, || describe(&prepared, &output))
}

impl Args {
    fn split(&self) -> SplitOptions {
        let validation_fraction = self.validation_fraction;
        match self.split {
            Split::Position => SplitOptions::Position { validation_fraction },
            Split::ContentHash => {
                SplitOptions::ContentHash { validation_fraction, seed: self.seed }
            }
        }
    }

    /// Each data set is a source; all paths together are one.
    fn sources(&self) -> Result<Vec<SourceOptions>> {
        let catalogue = catalogue()?;
        let root = self.root.path();
        let (mut sources, mut paths) = (Vec::new(), Vec::new());
        for input in &self.inputs {
            let is_pattern = input.contains(['*', '?', '[', '/']);
            if is_pattern || Path::new(input).exists() {
                paths.push(input.clone());
                continue;
            }
            match catalogue.get(input) {
                Ok(dataset) => sources.push(dataset.manifest.prepare(&root)?),
                Err(error @ CatalogueError::Unknown { .. }) => {
                    return Err(Wrong(format!("{input} is no file, and {error}")).into());
                }
                Err(error) => return Err(error.into()),
            }
        }
        if !paths.is_empty() {
            sources.push(SourceOptions::new(paths));
        }
        for source in &mut sources {
            self.text.apply(source);
        }
        Ok(sources)
    }
}

fn describe(prepared: &PreparedCorpus, output: &Output) -> String {
    let row = |name: &str, side: &Side| {
        let numbers = [side.tokens, side.documents, side.bytes].map(grouped);
        std::iter::once(name.to_string()).chain(numbers).collect::<Vec<_>>()
    };
    let rows = [row("train", &output.train), row("validation", &output.validation)];
    let state = if prepared.reused { " (as prepared before)" } else { "" };
    format!(
        "{}\n\n{}{state}",
        table(&["", "tokens", "documents", "bytes"], &rows, &[1, 2, 3]),
        prepared.directory.display()
    )
}
