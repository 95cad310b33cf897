//! `wuji bench tokenizer`.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use clap::Args as ClapArgs;
use serde::Serialize;
use wuji::bench::{TokenizerReport, bench_tokenizer};
use wuji::data::generate::{CorpusSize, StoryCorpusConfig};
use wuji::tokenizer::{Tokenizer, TokenizerKind, TokenizerTrainerConfig};

use super::Measured;
use crate::common::Common;
use crate::layout::{bytes, grouped, pairs};
use crate::model_path::model_dir;
use crate::text_args::{TextArgs, named};

const KINDS: &[&str] = &["byte-level-bpe", "word-piece", "unigram", "char", "word"];

/// Options of `bench tokenizer`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// A tokenizer: a file, a directory, a model directory or that of a run. Without it, one is
    /// trained on the text, and that is timed too.
    #[arg(short, long, value_name = "PATH")]
    tokenizer: Option<PathBuf>,
    /// Kind of tokenizer to train.
    #[arg(long, value_parser = named::<TokenizerKind>(KINDS), default_value = "byte-level-bpe")]
    kind: TokenizerKind,
    /// Number of tokens to train to.
    #[arg(long, default_value_t = 4096, value_name = "N")]
    vocab_size: usize,
    /// Text: files, directories or patterns; without any, the embedded story world.
    #[arg(long, value_name = "PATH", num_args = 1..)]
    data: Vec<String>,
    /// Bytes of text at most.
    #[arg(long, default_value_t = 4_000_000, value_name = "N")]
    bytes: usize,
    #[command(flatten)]
    text: TextArgs,
}

#[derive(Serialize)]
struct Output {
    /// Megabytes of text per second of training, where one was trained.
    train_mb_per_second: Option<f64>,
    #[serde(flatten)]
    report: TokenizerReport,
}

/// Runs the verb.
pub fn run(args: &Args, common: &Common) -> Result<()> {
    common.note("· reading text");
    let texts = args.texts()?;
    let (tokenizer, train_mb_per_second) = match &args.tokenizer {
        Some(path) => (Tokenizer::load(&model_dir(path))?, None),
        None => {
            common.note(&format!("· training a {} tokenizer", args.kind));
            let (tokenizer, rate) = args.train(&texts)?;
            (tokenizer, Some(rate))
        }
    };
    common.note("· encoding and decoding");
    let report = bench_tokenizer(&tokenizer, &texts)?;
    let measured = Measured::new(Output { train_mb_per_second, report }, common);
    common.print(&measured, || describe(&measured))
}

impl Args {
    /// The text in parts, up to the size asked for.
    fn texts(&self) -> Result<Vec<String>> {
        let mut texts = Vec::new();
        let mut size = 0;
        let mut take = |text: String| {
            size += text.len();
            texts.push(text);
            size < self.bytes
        };
        if self.data.is_empty() {
            let stories = StoryCorpusConfig { seed: 0, size: CorpusSize::TargetBytes(self.bytes) };
            stories.documents().all(&mut take);
            return Ok(texts);
        }
        for source in self.text.corpus(&self.data)?.sources() {
            for part in source.source.parts()? {
                if !take(part?.text) {
                    return Ok(texts);
                }
            }
        }
        Ok(texts)
    }

    /// A tokenizer, and megabytes of text per second of its training.
    fn train(&self, texts: &[String]) -> Result<(Tokenizer, f64)> {
        let config = TokenizerTrainerConfig::new(self.kind, self.vocab_size);
        let megabytes = texts.iter().map(String::len).sum::<usize>() as f64 / 1e6;
        let start = Instant::now();
        let tokenizer = Tokenizer::train(&config, texts.iter().cloned())?;
        Ok((tokenizer, megabytes / start.elapsed().as_secs_f64()))
    }
}

fn describe(measured: &Measured<Output>) -> String {
    let Output { train_mb_per_second, report } = &measured.report;
    let rate = |value: f64| format!("{value:.1} MB/s");
    let mut lines = vec![
        ("tokenizer", format!("{}, {} tokens", report.kind, grouped(report.vocab_size as u64))),
        (
            "text",
            format!(
                "{}, {:.2} bytes per token",
                bytes(report.bytes as u64),
                report.bytes_per_token
            ),
        ),
    ];
    lines.extend(train_mb_per_second.map(|value| ("training", rate(value))));
    let parallel = rate(report.encode_parallel_mb_per_second);
    lines.extend([
        ("encoding", rate(report.encode_mb_per_second)),
        ("encoding in parallel", format!("{parallel} on {} threads", measured.threads)),
        ("encoding with offsets", rate(report.encode_offsets_mb_per_second)),
        ("decoding", rate(report.decode_mb_per_second)),
    ]);
    pairs(&lines)
}
