//! `wuji generate`: the prompt and its continuation, as it is made.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args as ClapArgs;
use serde::Serialize;
use wuji::inference::Engine;
use wuji::protocol::{FinishReason, GenerateOptions, GenerateRequest, TextModel, Usage};

use crate::common::Common;

/// Options of `generate`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// A model directory.
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// The text to continue.
    #[arg(long, default_value = "")]
    prompt: String,
    /// Tokens to add at most.
    #[arg(long, default_value_t = 200)]
    max_new_tokens: usize,
    /// 0 is greedy; below 1 sharper, above 1 flatter.
    #[arg(long, default_value_t = 0.8)]
    temperature: f32,
    /// Keep the K most likely tokens.
    #[arg(long, value_name = "K")]
    top_k: Option<usize>,
    /// Keep the smallest set of tokens whose probabilities reach P.
    #[arg(long, value_name = "P")]
    top_p: Option<f32>,
    /// Keep tokens at least P times as likely as the likeliest.
    #[arg(long, value_name = "P")]
    min_p: Option<f32>,
    /// Make tokens that are already in the text less likely; 1 is off.
    #[arg(long, default_value_t = 1.0, value_name = "FACTOR")]
    repetition_penalty: f32,
    /// End before this text; may be given several times.
    #[arg(long, value_name = "TEXT")]
    stop: Vec<String>,
    /// Seed of the draws.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

#[derive(Serialize)]
struct Output<'a> {
    prompt: &'a str,
    text: String,
    finish_reason: FinishReason,
    usage: Usage,
}

/// Runs the verb.
pub fn run(args: &Args, common: &Common) -> Result<()> {
    let device = common.device.open().map_err(wuji::WujiError::from)?;
    let engine = Engine::load(&args.model, &device).map_err(wuji::WujiError::from)?;
    let options = GenerateOptions {
        max_new_tokens: args.max_new_tokens,
        temperature: args.temperature,
        top_k: args.top_k,
        top_p: args.top_p,
        min_p: args.min_p,
        repetition_penalty: args.repetition_penalty,
        stop: args.stop.clone(),
        seed: args.seed,
        ..GenerateOptions::default()
    };
    let request = GenerateRequest::new(args.prompt.as_str()).with_options(options);
    let mut out = std::io::stdout();
    if !common.json {
        write!(out, "{}", args.prompt)?;
    }
    let mut failed = None;
    let mut sink = |piece: &str| {
        if common.json {
            return ControlFlow::Continue(());
        }
        match write!(out, "{piece}").and_then(|()| out.flush()) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    };
    let response = engine.generate(&request, &mut sink).map_err(wuji::WujiError::from)?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    let (prompt, text) = (args.prompt.as_str(), response.text);
    let (finish_reason, usage) = (response.finish_reason, response.usage);
    common.print(&Output { prompt, text, finish_reason, usage }, String::new)
}
