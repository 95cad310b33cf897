//! `wuji generate`: the prompt and its continuation, as it is made.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args as ClapArgs;
use serde::Serialize;
use wuji::WujiError;
use wuji::inference::Engine;
use wuji::protocol::{FinishReason, GenerateOptions, GenerateRequest, TextModel, Usage};

use crate::common::{Common, print};
use crate::model_path::model_path;

/// Options of `generate`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// A model directory, that of a run, a GGUF file, or the name of a model on the Hugging Face Hub.
    #[arg(long, value_name = "MODEL")]
    model: PathBuf,
    /// The text to continue; without it, a text is begun.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
    prompt: String,
    /// A file with the text to continue.
    #[arg(long, value_name = "FILE", conflicts_with = "prompt")]
    prompt_file: Option<PathBuf>,
    /// Tokens to add at most.
    #[arg(long, default_value_t = 200, value_name = "N")]
    max_new_tokens: usize,
    /// Tokens to add at least, before the text may end.
    #[arg(long, default_value_t = 0, value_name = "N")]
    min_new_tokens: usize,
    /// 0 is greedy; below 1 sharper, above 1 flatter [default: 0.8, or 0 with `--beams`].
    #[arg(long, value_name = "T")]
    temperature: Option<f32>,
    /// Follow the N best continuations and print the best (beam search).
    #[arg(long, default_value_t = 1, value_name = "N")]
    beams: usize,
    /// Beam search: above 0 favours long texts, below 0 short ones.
    #[arg(long, default_value_t = 1.0, value_name = "POWER", allow_negative_numbers = true)]
    length_penalty: f32,
    /// Beam search: end as soon as N texts are finished.
    #[arg(long)]
    early_stopping: bool,
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
    /// Let no run of N tokens appear twice.
    #[arg(long, value_name = "N")]
    no_repeat_ngram_size: Option<usize>,
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
    let prompt = args.prompt()?;
    let request = GenerateRequest::new(prompt.as_str()).with_options(args.options());
    request.validate()?;
    let engine = Engine::load(&model_path(&args.model, common)?, &common.device.open()?)?;
    if common.json {
        let response = engine.complete(&request)?;
        let (finish_reason, usage) = (response.finish_reason, response.usage);
        let output = Output { prompt: &prompt, text: response.text, finish_reason, usage };
        return common.print(&output, String::new);
    }
    stream(&engine, &prompt, &request)
}

/// Prints the prompt, and every piece of text as soon as it is certain.
fn stream(engine: &Engine, prompt: &str, request: &GenerateRequest) -> Result<()> {
    let mut out = std::io::stdout();
    write!(out, "{prompt}")?;
    out.flush()?;
    let mut failed = None;
    let mut sink = |piece: &str| match write!(out, "{piece}").and_then(|()| out.flush()) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            failed = Some(error);
            ControlFlow::Break(())
        }
    };
    engine.generate(request, &mut sink)?;
    match failed {
        Some(error) => Err(error.into()),
        None => print(""),
    }
}

impl Args {
    fn prompt(&self) -> Result<String> {
        let Some(path) = &self.prompt_file else { return Ok(self.prompt.clone()) };
        let read = std::fs::read_to_string(path);
        let explain = |source| WujiError::Io { action: "reading", path: path.clone(), source };
        Ok(read.map_err(explain)?)
    }

    fn options(&self) -> GenerateOptions {
        GenerateOptions {
            max_new_tokens: self.max_new_tokens,
            min_new_tokens: self.min_new_tokens,
            temperature: self.temperature.unwrap_or(if self.beams > 1 { 0.0 } else { 0.8 }),
            num_beams: self.beams,
            length_penalty: self.length_penalty,
            early_stopping: self.early_stopping,
            top_k: self.top_k,
            top_p: self.top_p,
            min_p: self.min_p,
            repetition_penalty: self.repetition_penalty,
            no_repeat_ngram_size: self.no_repeat_ngram_size,
            stop: self.stop.clone(),
            seed: self.seed,
            ..GenerateOptions::default()
        }
    }
}
