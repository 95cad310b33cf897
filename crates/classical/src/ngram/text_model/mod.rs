//! An n-gram model as a [`TextModel`]: strings in, strings and log-probabilities out.

mod codec;
mod filters;

use std::ops::ControlFlow;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;
use wuji_protocol::{
    FinishReason, GenerateOptions, GenerateRequest, GenerateResponse, InvalidOption, Loglikelihood,
    LoglikelihoodRequest, Prompt, Sink, TextModel, TextModelError, TextOutput, Usage,
};

pub use self::codec::{ByteCodec, CharacterCodec, TextCodec, UnknownCharacter};
use super::generate::{draw, most_probable, sharpen, uniform};
use super::model::NgramModel;

/// An n-gram model with the way from text to its tokens and back.
///
/// Texts begin where documents begin: with [`Boundaries::Sentences`](super::Boundaries::Sentences)
/// a prompt or context starts a document, and generation ends where the model ends it. The end itself
/// is not scored.
///
/// ```
/// use wuji_classical::{ByteCodec, KneserNey, KneserNeyConfig, NgramTextModel};
/// use wuji_protocol::{GenerateOptions, GenerateRequest, TextModel};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let text = "round and round and round and ";
/// let tokens: Vec<u32> = text.bytes().map(u32::from).collect();
/// let model = KneserNey::train(KneserNeyConfig::new(5, 256), [tokens.as_slice()])?;
/// let model = NgramTextModel::new(model, ByteCodec);
///
/// let options = GenerateOptions { stop: vec!["and".into()], ..GenerateOptions::greedy() };
/// let response = model.complete(&GenerateRequest::new("rou").with_options(options))?;
/// assert_eq!(response.text, "nd ");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct NgramTextModel<C> {
    model: NgramModel,
    codec: C,
}

impl<C: TextCodec> NgramTextModel<C> {
    /// A model of the tokens that `codec` makes of texts.
    pub fn new(model: impl Into<NgramModel>, codec: C) -> Self {
        Self { model: model.into(), codec }
    }

    /// The model of tokens.
    pub fn model(&self) -> &NgramModel {
        &self.model
    }

    /// The way from text to tokens.
    pub fn codec(&self) -> &C {
        &self.codec
    }

    fn encode(&self, index: usize, text: &str) -> Result<Vec<u32>, TextModelError> {
        let invalid = |reason: codec::BoxError| TextModelError::InvalidRequest {
            index,
            reason: reason.to_string(),
        };
        self.codec.encode(text).map_err(invalid)
    }

    /// How likely the tokens from `scored_from` on are after those before.
    fn score(&self, ids: &[u32], scored_from: usize, bytes: usize) -> Loglikelihood {
        let automaton = &self.model.automaton;
        let (context, scored) = ids.split_at(scored_from);
        let mut state = automaton.walk(self.model.start_state(), context);
        let (mut log_prob, mut is_greedy) = (0.0, true);
        let mut distribution = Vec::new();
        for &id in scored {
            // One token that is not greedy settles it, so whole distributions are rarely needed.
            if is_greedy {
                automaton.distribution(state, &mut distribution);
                is_greedy = most_probable(&distribution) == id;
            }
            let (probability, next) = automaton.step(state, id);
            log_prob += probability.ln();
            state = next;
        }
        Loglikelihood { log_prob, is_greedy, tokens: scored.len(), bytes }
    }

    /// Context and continuation, as lm-evaluation-harness encodes them: together, with white space at
    /// the end of the context moved to the continuation, and the last token scored at least.
    fn continuation(
        &self,
        index: usize,
        request: &LoglikelihoodRequest,
    ) -> Result<Loglikelihood, TextModelError> {
        let LoglikelihoodRequest { context, continuation } = request;
        let whole = self.encode(index, &format!("{context}{continuation}"))?;
        if continuation.is_empty() || whole.is_empty() {
            let reason = "the continuation is empty".to_owned();
            return Err(TextModelError::InvalidRequest { index, reason });
        }
        let unscored = self.encode(index, context.trim_end())?.len().min(whole.len() - 1);
        Ok(self.score(&whole, unscored, continuation.len()))
    }
}

impl<C: TextCodec> TextModel for NgramTextModel<C> {
    fn loglikelihood(
        &self,
        requests: &[LoglikelihoodRequest],
    ) -> Result<Vec<Loglikelihood>, TextModelError> {
        let score = |(index, request)| self.continuation(index, request);
        requests.par_iter().enumerate().map(score).collect()
    }

    fn loglikelihood_rolling(&self, texts: &[&str]) -> Result<Vec<Loglikelihood>, TextModelError> {
        let score = |(index, text): (usize, &&str)| {
            let ids = self.encode(index, text)?;
            if ids.is_empty() {
                let reason = "the text has no tokens to score".to_owned();
                return Err(TextModelError::InvalidRequest { index, reason });
            }
            Ok(self.score(&ids, 0, text.len()))
        };
        texts.par_iter().enumerate().map(score).collect()
    }

    fn generate(
        &self,
        request: &GenerateRequest,
        sink: &mut Sink<'_>,
    ) -> Result<GenerateResponse, TextModelError> {
        request.validate()?;
        let options = &request.options;
        check_supported(options)?;
        let Prompt::Text(prompt) = &request.prompt else {
            return Err(TextModelError::Unsupported { what: "conversations as prompts" });
        };
        let prompt = self.encode(0, prompt)?;
        let mut output = TextOutput::new(&options.stop, sink);
        let (completion_tokens, ended) = self.continue_tokens(&prompt, options, &mut output);
        let (text, finish_reason) = output.finish(ended);
        let usage = Usage { prompt_tokens: prompt.len(), completion_tokens };
        Ok(GenerateResponse { text, finish_reason, usage })
    }
}

impl<C: TextCodec> NgramTextModel<C> {
    /// The loop: how many tokens were chosen, and why there are no more.
    fn continue_tokens(
        &self,
        prompt: &[u32],
        options: &GenerateOptions,
        output: &mut TextOutput<'_, '_>,
    ) -> (usize, FinishReason) {
        let automaton = &self.model.automaton;
        let eos = self.model.config().eos();
        let mut rng = ChaCha8Rng::seed_from_u64(options.seed);
        let mut state = automaton.walk(self.model.start_state(), prompt);
        let (mut weights, mut bytes) = (Vec::new(), Vec::new());
        for position in 0..options.max_new_tokens {
            automaton.distribution(state, &mut weights);
            if let Some(eos) = eos
                && position < options.min_new_tokens
            {
                weights[eos as usize] = 0.0;
            }
            let chosen = choose(&mut weights, options, &mut rng);
            // Where nothing is possible any more the text ends as well.
            let Some(token) = chosen.filter(|&token| Some(token) != eos) else {
                return (position + usize::from(chosen.is_some()), FinishReason::EndOfText);
            };
            bytes.clear();
            self.codec.push_bytes(token, &mut bytes);
            if output.push_bytes(&bytes) == ControlFlow::Break(()) {
                return (position + 1, FinishReason::Cancelled);
            }
            state = automaton.step(state, token).1;
        }
        (options.max_new_tokens, FinishReason::Length)
    }
}

/// The next token; `None` if none has a weight.
fn choose(weights: &mut [f64], options: &GenerateOptions, rng: &mut ChaCha8Rng) -> Option<u32> {
    if !weights.iter().any(|&weight| weight > 0.0) {
        return None;
    }
    if options.temperature == 0.0 {
        return Some(most_probable(weights));
    }
    sharpen(weights, f64::from(options.temperature));
    if let Some(k) = options.top_k {
        filters::top_k(weights, k);
    }
    if let Some(p) = options.top_p {
        filters::top_p(weights, f64::from(p));
    }
    if let Some(p) = options.min_p {
        filters::min_p(weights, f64::from(p));
    }
    Some(draw(weights, uniform(rng)))
}

/// Names every option that an n-gram model does not have.
fn check_supported(options: &GenerateOptions) -> Result<(), TextModelError> {
    let expected = "no value: n-gram models do not support it";
    let number = |value: Option<f32>| value.map(|value| value.to_string());
    let set = |set: bool, value: String| set.then_some(value);
    let found = [
        ("typical_p", number(options.typical_p)),
        ("epsilon_cutoff", number(options.epsilon_cutoff)),
        ("eta_cutoff", number(options.eta_cutoff)),
        (
            "repetition_penalty",
            set(options.repetition_penalty != 1.0, options.repetition_penalty.to_string()),
        ),
        ("no_repeat_ngram_size", options.no_repeat_ngram_size.map(|size| size.to_string())),
        ("bad_words", set(!options.bad_words.is_empty(), format!("{:?}", options.bad_words))),
        ("num_beams", set(options.num_beams > 1, options.num_beams.to_string())),
    ];
    let problems: Vec<InvalidOption> = found
        .into_iter()
        .filter_map(|(option, got)| Some(InvalidOption { option, got: got?, expected }))
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(TextModelError::InvalidOptions { problems }) }
}
