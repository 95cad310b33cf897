//! `wuji tokenizer decode`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args as ClapArgs;
use serde_json::json;

use super::{load, read_text};
use crate::common::Common;
use crate::exit::Wrong;

/// Options of `tokenizer decode`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// A tokenizer: a file, a directory, a model directory or that of a run.
    #[arg(short, long, visible_alias = "model", value_name = "PATH")]
    tokenizer: PathBuf,
    /// Token ids; without any, standard input, where commas and brackets are passed over.
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// Leave out special tokens.
    #[arg(long)]
    skip_special_tokens: bool,
}

/// Runs the verb.
pub fn run(args: &Args, common: &Common) -> Result<()> {
    let tokenizer = load(&args.tokenizer)?;
    let text = if args.ids.is_empty() { read_text(None)? } else { args.ids.join(" ") };
    let ids = parse(&text)?;
    let size = tokenizer.vocab_size();
    if let Some(at) = ids.iter().position(|id| *id as usize >= size) {
        let problem =
            format!("id {} at position {at} is outside the vocabulary of {size}", ids[at]);
        return Err(Wrong(problem).into());
    }
    let decoded = tokenizer.decode(&ids, args.skip_special_tokens)?;
    common.print(&json!({ "text": decoded }), || decoded.clone())
}

fn parse(text: &str) -> Result<Vec<u32>> {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | '[' | ']'));
    let words = words.filter(|word| !word.is_empty());
    let parse = |word: &str| {
        word.parse()
            .map_err(|_| Wrong(format!("{word:?} is no token id: expected a whole number")).into())
    };
    words.map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_may_be_words_or_a_json_list() {
        assert_eq!(parse("1 2\n3").unwrap(), [1, 2, 3]);
        assert_eq!(parse("[1, 2,3]").unwrap(), [1, 2, 3]);
        assert_eq!(parse("").unwrap(), [0_u32; 0]);
        assert!(parse("1 x").unwrap_err().to_string().contains("\"x\" is no token id"));
        assert!(parse("-1").is_err());
    }
}
