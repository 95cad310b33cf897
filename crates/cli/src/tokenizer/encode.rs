//! `wuji tokenizer encode`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args as ClapArgs;
use wuji::tokenizer::Encoding;

use super::{load, read_text};
use crate::common::Common;
use crate::layout::table;

/// Options of `tokenizer encode`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// A tokenizer: a file, a directory, a model directory or that of a run.
    #[arg(short, long, visible_alias = "model", value_name = "PATH")]
    tokenizer: PathBuf,
    /// The text; without it and without --file, standard input.
    #[arg(value_name = "TEXT", conflicts_with = "file")]
    text: Option<String>,
    /// A file with the text.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Print a line per token: id and token.
    #[arg(long)]
    tokens: bool,
    /// Print a line per token: id, byte offsets into the text, and the text there.
    #[arg(long)]
    offsets: bool,
    /// Leave out the tokens that the template adds ([CLS] … [SEP], <s> …).
    #[arg(long)]
    no_special_tokens: bool,
    /// Take special tokens that are spelled out in the text as ordinary characters.
    #[arg(long)]
    ordinary: bool,
}

/// Runs the verb.
pub fn run(args: &Args, common: &Common) -> Result<()> {
    let tokenizer = load(&args.tokenizer)?;
    let text = match &args.text {
        Some(text) => text.clone(),
        None => read_text(args.file.as_deref())?,
    };
    let encoding = match args.ordinary {
        true => tokenizer.encode_ordinary(&text)?,
        false => tokenizer.encode(&text, !args.no_special_tokens)?,
    };
    common.print(&encoding, || args.layout(&text, &encoding))
}

impl Args {
    fn layout(&self, text: &str, encoding: &Encoding) -> String {
        if !self.tokens && !self.offsets {
            let ids: Vec<String> = encoding.ids.iter().map(u32::to_string).collect();
            return ids.join(" ");
        }
        let mut header = vec!["id"];
        if self.offsets {
            header.extend(["start", "end"]);
        }
        if self.tokens {
            header.push("token");
        }
        if self.offsets {
            header.push("text");
        }
        let rows: Vec<Vec<String>> =
            (0..encoding.len()).map(|index| self.row(text, encoding, index)).collect();
        let right: &[usize] = if self.offsets { &[0, 1, 2] } else { &[0] };
        table(&header, &rows, right)
    }

    fn row(&self, text: &str, encoding: &Encoding, index: usize) -> Vec<String> {
        let (start, end) = encoding.offsets[index];
        let mut row = vec![encoding.ids[index].to_string()];
        if self.offsets {
            row.extend([start.to_string(), end.to_string()]);
        }
        if self.tokens {
            // Escaped, so that a token is one line, whatever it holds.
            row.push(encoding.tokens[index].escape_debug().to_string());
        }
        if self.offsets {
            row.push(format!("{:?}", text.get(start..end).unwrap_or_default()));
        }
        row
    }
}
