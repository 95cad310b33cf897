//! `wuji tokenizer`.

mod decode;
mod encode;
mod info;
mod train;

use std::io::Read;
use std::path::Path;

use anyhow::Result;
use clap::Subcommand;

use crate::common::Common;
use crate::exit::Wrong;
use crate::model_path::model_dir;

/// The verbs below `tokenizer`.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Train a tokenizer on text and save it as a Hugging Face tokenizer.
    Train(train::Args),
    /// Turn text into token ids.
    Encode(encode::Args),
    /// Turn token ids into text.
    Decode(decode::Args),
    /// Describe a tokenizer.
    Info(info::Args),
}

/// Runs the verb.
pub fn run(verb: &Verb, common: &Common) -> Result<()> {
    match verb {
        Verb::Train(args) => train::run(args, common),
        Verb::Encode(args) => encode::run(args, common),
        Verb::Decode(args) => decode::run(args, common),
        Verb::Info(args) => info::run(args, common),
    }
}

/// The tokenizer in a file, a tokenizer or model directory, or that of a run.
fn load(path: &Path) -> Result<wuji::tokenizer::Tokenizer> {
    Ok(wuji::tokenizer::Tokenizer::load(&model_dir(path))?)
}

/// All of a file, or of standard input where there is none.
fn read_text(file: Option<&Path>) -> Result<String> {
    let mut bytes = Vec::new();
    let name = match file {
        Some(path) => {
            let found = std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes));
            if let Err(source) = found {
                let path = path.to_path_buf();
                return Err(wuji::WujiError::Io { action: "reading", path, source }.into());
            }
            path.display().to_string()
        }
        None => {
            std::io::stdin().read_to_end(&mut bytes)?;
            "standard input".to_string()
        }
    };
    String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        Wrong(format!("{name}: invalid UTF-8 at byte {offset}")).into()
    })
}
