//! `wuji tokenizer train`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args as ClapArgs;
use serde::Serialize;
use wuji::tokenizer::{
    SplitPattern, TieBreak, Tokenizer, TokenizerInfo, TokenizerKind, TokenizerTrainerConfig,
    TrainingReport,
};
use wuji::tokenizers::{Compression, compression, train_tokenizer};

use crate::common::Common;
use crate::exit::Wrong;
use crate::layout::grouped;
use crate::text_args::{TextArgs, named};

const KINDS: &[&str] = &["byte-level-bpe", "word-piece", "unigram", "char", "word"];
const PATTERNS: &[&str] = &["gpt2", "cl100k", "llama3", "qwen2", "o200k"];
const TIE_BREAKS: &[&str] = &["smallest-ids", "greatest-bytes"];

/// Options of `tokenizer train`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Text to learn from: files, directories or patterns; .txt .jsonl .csv .parquet, plain or .gz.
    #[arg(value_name = "PATH", required = true)]
    data: Vec<String>,
    /// The directory to write the tokenizer to.
    #[arg(short, long, value_name = "DIR")]
    out: PathBuf,
    /// Kind of tokenizer.
    #[arg(long, value_parser = named::<TokenizerKind>(KINDS), default_value = "byte-level-bpe")]
    kind: TokenizerKind,
    /// Number of tokens, special ones included; for char, which has what the text has, a limit.
    #[arg(long, default_value_t = 8192, value_name = "N")]
    vocab_size: usize,
    /// How often a merge or a word must occur to be learnt.
    #[arg(long, default_value_t = 2, value_name = "N")]
    min_frequency: u64,
    /// A special token; may be given several times, and replaces the kind's own.
    #[arg(long = "special-token", value_name = "TEXT")]
    special_tokens: Vec<String>,
    /// Train without any special token.
    #[arg(long, conflicts_with = "special_tokens")]
    no_special_tokens: bool,
    /// Fold text to lower case.
    #[arg(long)]
    lowercase: bool,
    /// How byte-level-bpe cuts text into pieces.
    #[arg(long, value_parser = named::<SplitPattern>(PATTERNS), default_value = "gpt2")]
    pattern: SplitPattern,
    /// Keep only the N most frequent characters (word-piece, unigram).
    #[arg(long, value_name = "N")]
    limit_alphabet: Option<usize>,
    /// Longest token in characters (bytes for byte-level-bpe).
    #[arg(long, value_name = "N")]
    max_token_length: Option<usize>,
    /// Which of equally frequent pairs is merged first.
    #[arg(long, value_parser = named::<TieBreak>(TIE_BREAKS), default_value = "smallest-ids")]
    tie_break: TieBreak,
    #[command(flatten)]
    text: TextArgs,
}

#[derive(Serialize)]
struct Output {
    path: PathBuf,
    training: Option<TrainingReport>,
    compression: Compression,
    tokenizer: TokenizerInfo,
}

/// Runs the verb.
pub fn run(args: &Args, common: &Common) -> Result<()> {
    if args.out.join("tokenizer.json").exists() {
        let dir = args.out.display();
        let problem =
            format!("{dir} holds a tokenizer already; choose another --out, or remove it");
        return Err(Wrong(problem).into());
    }
    let config = args.config();
    config.validate()?;
    let corpus = args.text.corpus(&args.data)?;
    common.note(&format!("· training a {} tokenizer", args.kind));
    let tokenizer = train_tokenizer(&config, &corpus)?;
    common.note("· counting tokens");
    let compression = compression(&tokenizer, &corpus)?;
    tokenizer.save(&args.out)?;
    let output = Output {
        path: args.out.clone(),
        training: tokenizer.training_report().cloned(),
        compression,
        tokenizer: tokenizer.info(),
    };
    common.print(&output, || describe(&tokenizer, &output))
}

impl Args {
    fn config(&self) -> TokenizerTrainerConfig {
        TokenizerTrainerConfig {
            kind: self.kind,
            vocab_size: self.vocab_size,
            min_frequency: self.min_frequency,
            special_tokens: self.special_tokens.clone(),
            no_special_tokens: self.no_special_tokens,
            lowercase: self.lowercase,
            pattern: self.pattern,
            limit_alphabet: self.limit_alphabet,
            max_token_length: self.max_token_length,
            tie_break: self.tie_break,
        }
    }
}

fn describe(tokenizer: &Tokenizer, output: &Output) -> String {
    let Compression { bytes, tokens, bytes_per_token, .. } = output.compression;
    format!(
        "{} tokens in {}\n{} bytes of text in {} tokens: {bytes_per_token:.2} bytes per token",
        grouped(tokenizer.vocab_size() as u64),
        output.path.display(),
        grouped(bytes),
        grouped(tokens),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_offers_every_kind_and_every_pattern() {
        assert_eq!(TokenizerKind::ALL.map(TokenizerKind::name), KINDS);
        let spelled = |pattern: &SplitPattern| {
            serde_json::to_value(pattern).unwrap().as_str().unwrap().to_string()
        };
        assert_eq!(SplitPattern::ALL.iter().map(spelled).collect::<Vec<_>>(), PATTERNS);
        for name in TIE_BREAKS {
            assert!(serde_json::from_value::<TieBreak>((*name).into()).is_ok(), "{name}");
        }
    }
}
