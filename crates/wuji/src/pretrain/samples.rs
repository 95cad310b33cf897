//! Texts the trained model continues.

use serde::{Deserialize, Serialize};
use wuji_inference::{Engine, LogitsModel};
use wuji_protocol::{GenerateRequest, TextModel};
use wuji_tokenizer::Tokenizer;

use super::RunDir;
use crate::WujiError;
use crate::config::RunConfig;

/// A prompt and what the model made of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// What it was given.
    pub prompt: String,
    /// What it added.
    pub text: String,
}

/// Continues the config's prompts and writes `samples.txt`.
pub(super) fn write<M: LogitsModel + Clone>(
    config: &RunConfig,
    model: &M,
    tokenizer: &Tokenizer,
    run_dir: &RunDir,
) -> Result<Vec<Sample>, WujiError> {
    let engine = Engine::new(model.clone(), tokenizer.clone());
    let mut samples = Vec::new();
    for (index, prompt) in config.evaluation.samples.prompts.iter().enumerate() {
        let seed = config.training.seed.wrapping_add(index as u64);
        let options = config.evaluation.samples.options(seed);
        let prompt = usable_prompt(prompt, tokenizer);
        let request = GenerateRequest { options, ..GenerateRequest::new(prompt.as_str()) };
        let text = engine.complete(&request)?.text;
        samples.push(Sample { prompt, text });
    }
    let blocks: Vec<String> =
        samples.iter().map(|sample| format!("{}{}\n", sample.prompt, sample.text)).collect();
    run_dir.write("samples.txt", &blocks.join("\n----\n\n"))?;
    Ok(samples)
}

/// A tokenizer with no token for the beginning of a text cannot begin from nothing: a line break
/// stands in, or the vocabulary's first token where there is none.
fn usable_prompt(prompt: &str, tokenizer: &Tokenizer) -> String {
    let can_begin = tokenizer.bos_token_id().or(tokenizer.eos_token_id()).is_some();
    let can_say = |text: &str| tokenizer.encode_ids(text).is_ok_and(|ids| !ids.is_empty());
    if can_say(prompt) || (prompt.is_empty() && can_begin) {
        return prompt.to_string();
    }
    let line_break = "\n".to_string();
    if can_say(&line_break) {
        return line_break;
    }
    tokenizer.id_to_token(0).unwrap_or(line_break)
}
