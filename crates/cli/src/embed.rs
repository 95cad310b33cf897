//! `wuji embed`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args as ClapArgs;
use serde::Serialize;
use wuji::WujiError;
use wuji::embed::SentenceEncoder;

use crate::common::{Common, print};
use crate::model_path::model_path;

/// Options of `embed`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// A directory with an encoder and its tokenizer, as sentence-transformers writes it or without
    /// its files, or the name of a model on the Hugging Face Hub.
    #[arg(long, value_name = "MODEL")]
    model: PathBuf,
    /// A text; may be given several times.
    #[arg(long, value_name = "TEXT", required_unless_present = "file")]
    text: Vec<String>,
    /// A file with a text in each line.
    #[arg(long, value_name = "FILE", conflicts_with = "text")]
    file: Option<PathBuf>,
}

/// A text and its vector.
#[derive(Debug, Serialize)]
struct Embedded<'a> {
    text: &'a str,
    embedding: Vec<f32>,
}

/// Runs the verb: a line of JSON for each text, or with `--json` one array.
pub fn run(args: &Args, common: &Common) -> Result<()> {
    let texts = args.texts()?;
    let device = common.device.open()?;
    let encoder = SentenceEncoder::from_dir(&model_path(&args.model, common)?, &device)?;
    let vectors = encoder.embed(&texts)?;
    let embedded = texts.iter().zip(vectors);
    let embedded: Vec<Embedded> =
        embedded.map(|(text, embedding)| Embedded { text, embedding }).collect();
    if common.json {
        return print(&serde_json::to_string(&embedded)?);
    }
    let lines: Result<Vec<String>, _> = embedded.iter().map(serde_json::to_string).collect();
    print(&lines?.join("\n"))
}

impl Args {
    fn texts(&self) -> Result<Vec<String>, WujiError> {
        let Some(path) = &self.file else { return Ok(self.text.clone()) };
        let read = std::fs::read(path);
        let bytes =
            read.map_err(|source| WujiError::Io { action: "reading", path: path.clone(), source })?;
        let text = String::from_utf8(bytes).map_err(|error| WujiError::Input {
            path: path.clone(),
            problem: format!("not UTF-8 at byte {}", error.utf8_error().valid_up_to()),
        })?;
        let lines: Vec<String> = text.lines().map(str::to_string).collect();
        if lines.is_empty() {
            let problem = "it is empty; expected a text in each line".to_string();
            return Err(WujiError::Input { path: path.clone(), problem });
        }
        Ok(lines)
    }
}
