//! `wuji tokenizer info`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args as ClapArgs;
use serde::Serialize;
use wuji::tokenizer::TokenizerInfo;
use wuji::tokenizers::{Compression, compression};

use super::load;
use crate::common::Common;
use crate::layout::{grouped, pairs};
use crate::text_args::TextArgs;

/// Options of `tokenizer info`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// A tokenizer: a file, a directory, a model directory or that of a run.
    #[arg(value_name = "TOKENIZER", required_unless_present = "named")]
    path: Option<PathBuf>,
    /// The same by name.
    #[arg(
        short,
        long = "tokenizer",
        visible_alias = "model",
        value_name = "PATH",
        conflicts_with = "path"
    )]
    named: Option<PathBuf>,
    /// Text to count the tokens of: files, directories or patterns.
    #[arg(long, value_name = "PATH", num_args = 1..)]
    file: Vec<String>,
    #[command(flatten)]
    text: TextArgs,
}

#[derive(Serialize)]
struct Output {
    #[serde(flatten)]
    info: TokenizerInfo,
    #[serde(skip_serializing_if = "Option::is_none")]
    compression: Option<Compression>,
}

/// Runs the verb.
pub fn run(args: &Args, common: &Common) -> Result<()> {
    let path = args.path.as_ref().or(args.named.as_ref()).cloned().unwrap_or_default();
    let tokenizer = load(&path)?;
    let compression = match args.file.is_empty() {
        true => None,
        false => Some(compression(&tokenizer, &args.text.corpus(&args.file)?)?),
    };
    let output = Output { info: tokenizer.info(), compression };
    common.print(&output, || describe(&output))
}

fn describe(output: &Output) -> String {
    let info = &output.info;
    let kind = info.kind.map_or_else(|| "of another program".to_string(), |kind| kind.to_string());
    let mut lines = vec![
        ("kind", format!("{kind} ({})", info.model)),
        ("vocabulary", format!("{} ids", grouped(info.vocab_size as u64))),
    ];
    if info.token_count != info.vocab_size {
        lines.push(("tokens", grouped(info.token_count as u64)));
    }
    lines.push(("special tokens", special_tokens(info)));
    lines.push(("fingerprint", info.fingerprint.clone()));
    if let Some(Compression { bytes, characters, tokens, bytes_per_token, unknown_tokens }) =
        output.compression
    {
        let of = format!(
            "{} bytes, {} characters, {} tokens",
            grouped(bytes),
            grouped(characters),
            grouped(tokens)
        );
        lines.push(("text", of));
        lines.push(("bytes per token", format!("{bytes_per_token:.3}")));
        lines.push(("unknown tokens", grouped(unknown_tokens)));
    }
    pairs(&lines)
}

/// Each with its id and its roles.
fn special_tokens(info: &TokenizerInfo) -> String {
    let roles = [
        ("begins", info.bos_token_id),
        ("ends", info.eos_token_id),
        ("pads", info.pad_token_id),
        ("unknown", info.unk_token_id),
        ("mask", info.mask_token_id),
        ("class", info.cls_token_id),
        ("separates", info.sep_token_id),
    ];
    let describe = |(token, id): &(String, u32)| {
        let roles: Vec<&str> =
            roles.iter().filter(|(_, role)| role == &Some(*id)).map(|(name, _)| *name).collect();
        let roles =
            if roles.is_empty() { String::new() } else { format!(" ({})", roles.join(", ")) };
        format!("{token} {id}{roles}")
    };
    if info.special_tokens.is_empty() {
        return "none".to_string();
    }
    info.special_tokens.iter().map(describe).collect::<Vec<_>>().join("; ")
}
