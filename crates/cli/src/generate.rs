//! `wuji generate`: the prompt and its continuation, as it is made; or whatever else the model does
//! with a text.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args as ClapArgs;
use serde::Serialize;
use wuji::WujiError;
use wuji::inference::{BlankFiller, FilledText, LoadedModel, MaskFiller};
use wuji::model::WeightFormat;
use wuji::protocol::{FinishReason, GenerateOptions, GenerateRequest, TextModel, Usage};

use crate::common::{Common, print};
use crate::exit::Wrong;
use crate::model_path::model_path;
use crate::text_args::{WEIGHT_FORMATS, named};

/// Candidates for each mask unless `--top-k` says otherwise.
const CANDIDATES: usize = 5;

/// Options of `generate`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// A model directory, that of a run, a GGUF file, or the name of a model on the Hugging Face Hub.
    #[arg(long, value_name = "MODEL")]
    model: PathBuf,
    /// How a decoder's matrices are held once they have been read: in `int8` a token reads about a
    /// quarter of the memory, which is what takes the time.
    #[arg(long, value_parser = named::<WeightFormat>(WEIGHT_FORMATS), default_value = "f32")]
    weights: WeightFormat,
    /// The text to continue; without it, a text is begun. For an encoder–decoder, the source; for an
    /// encoder or an original GLM, a text with masks to fill.
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
    /// 0 is greedy; below 1 sharper, above 1 flatter [default: 0.8 for a text to continue, 0 with
    /// `--beams` and otherwise].
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
    /// Keep the K most likely tokens; for masked tokens, print K of them [default: 5].
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

/// What is printed of masks and blanks.
#[derive(Serialize)]
struct Filled<'a, T> {
    prompt: &'a str,
    #[serde(flatten)]
    filled: T,
}

/// Runs the verb.
pub fn run(args: &Args, common: &Common) -> Result<()> {
    let prompt = args.prompt()?;
    args.options(0.0).validate()?; // Before a model is read for nothing.
    let path = model_path(&args.model, common)?;
    match LoadedModel::load_as(&path, args.weights, &common.device.open()?)? {
        LoadedModel::Continues(model) => {
            let temperature = if args.beams > 1 { 0.0 } else { 0.8 };
            write_text(args, common, model.as_ref(), &prompt, temperature, &prompt)
        }
        LoadedModel::Translates(model) => {
            write_text(args, common, model.as_ref(), &prompt, 0.0, "")
        }
        LoadedModel::FillsMasks(filler) => fill_masks(args, common, &filler, &prompt),
        LoadedModel::FillsBlanks(filler) => fill_blanks(args, common, &filler, &prompt),
    }
}

/// Prints what `model` makes of `prompt`, behind `before`.
fn write_text(
    args: &Args,
    common: &Common,
    model: &dyn TextModel,
    prompt: &str,
    temperature: f32,
    before: &str,
) -> Result<()> {
    let request = GenerateRequest::new(prompt).with_options(args.options(temperature));
    request.validate()?;
    if common.json {
        let response = model.complete(&request)?;
        let (finish_reason, usage) = (response.finish_reason, response.usage);
        let output = Output { prompt, text: response.text, finish_reason, usage };
        return common.print(&output, String::new);
    }
    stream(model, before, &request)
}

fn fill_masks(args: &Args, common: &Common, filler: &MaskFiller, prompt: &str) -> Result<()> {
    let filled = filler.fill(prompt, args.top_k.unwrap_or(CANDIDATES))?;
    let text = mask_table(&filled, &filler.mask_token());
    common.print(&Filled { prompt, filled }, || text)
}

/// The filled text, and the candidates for each mask.
fn mask_table(filled: &FilledText, mask: &str) -> String {
    let mut table = filled.text.clone();
    for (number, guesses) in filled.masks.iter().enumerate() {
        table += &format!("\n\n{mask} {}", number + 1);
        for guess in &guesses.candidates {
            table += &format!("\n  {:.4}  {}", guess.probability, guess.token);
        }
    }
    table
}

fn fill_blanks(args: &Args, common: &Common, filler: &BlankFiller, prompt: &str) -> Result<()> {
    if args.beams > 1 {
        let reason = "--beams: blanks are filled one token after the other, without beam search";
        return Err(Wrong(reason.to_owned()).into());
    }
    let filled = filler.fill(prompt, &args.options(0.0))?;
    let text = filled.text.clone();
    common.print(&Filled { prompt, filled }, || text)
}

/// Prints `before`, and every piece of text as soon as it is certain.
fn stream(model: &dyn TextModel, before: &str, request: &GenerateRequest) -> Result<()> {
    let mut out = std::io::stdout();
    write!(out, "{before}")?;
    out.flush()?;
    let mut failed = None;
    let mut sink = |piece: &str| match write!(out, "{piece}").and_then(|()| out.flush()) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            failed = Some(error);
            ControlFlow::Break(())
        }
    };
    model.generate(request, &mut sink)?;
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

    /// The options, at this temperature where none is given.
    fn options(&self, temperature: f32) -> GenerateOptions {
        GenerateOptions {
            max_new_tokens: self.max_new_tokens,
            min_new_tokens: self.min_new_tokens,
            temperature: self.temperature.unwrap_or(temperature),
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
