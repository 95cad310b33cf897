//! A model and its tokenizer as a [`TextModel`].

use std::path::Path;

use burn::tensor::Device;
use wuji_model::CausalLm;
use wuji_protocol::{
    FinishReason, GenerateRequest, GenerateResponse, Loglikelihood, LoglikelihoodRequest, Prompt,
    Sink, TextModel, TextModelError, Usage,
};
use wuji_tokenizer::Tokenizer;

use crate::generation_config::eos_token_ids;
use crate::requests::Requests;
use crate::sampling::Sampler;
use crate::text_stream::TextStream;
use crate::{
    BatchLimits, Generation, Hypothesis, InferenceError, LogitsModel, ScoredSequence, TokenScore,
    beam_search, generate, score_all, sequences_of, windows,
};

/// Batches that fill two cores and fit a small memory.
const BATCH_LIMITS: BatchLimits = BatchLimits { max_sequences: 64, max_tokens: 4096 };

/// Texts in, texts and log-probabilities out.
///
/// * **Start of a text.** What has nothing before it (an empty prompt, an empty context, the first
///   token of a whole text) is conditioned on the tokenizer's begin-of-text token, else on an
///   end-of-text token. With neither, an empty prompt or context is an error, and the first token of
///   a whole text is not scored.
/// * **Whole texts** longer than the model's context are scored in the windows of
///   [`windows::rolling`].
/// * **Conversations** are not rendered: they are unsupported.
#[derive(Debug, Clone)]
pub struct Engine<M = CausalLm> {
    model: M,
    tokenizer: Tokenizer,
    start_token_id: Option<u32>,
    eos_token_ids: Vec<u32>,
    batch_limits: BatchLimits,
    rolling_min_context: usize,
}

/// A language model that is stored in a directory.
pub trait StoredModel: LogitsModel + Sized {
    /// Reads it.
    ///
    /// # Errors
    /// Missing or malformed files, or a model of another kind.
    fn read(dir: &Path, device: &Device) -> Result<Self, InferenceError>;

    /// The tokens that end a text, as its config says.
    fn end_token_ids(&self) -> Vec<u32>;
}

impl Engine<CausalLm> {
    /// Loads a Hugging Face model directory: config, weights, tokenizer and generation config; or a
    /// GGUF file, which holds all of them. Prompts are read from left to right: a prefix language
    /// model is an `Engine<PrefixLm>`, which [`LoadedModel`](crate::LoadedModel) tells apart.
    ///
    /// # Errors
    /// A file that is missing, damaged or does not fit the others, or a model that does not continue
    /// texts.
    pub fn load(dir: &Path, device: &Device) -> Result<Self, InferenceError> {
        Self::from_dir(dir, device)
    }
}

impl<M: StoredModel> Engine<M> {
    /// As [`Engine::load`], for other kinds of model:
    /// `Engine::<RecurrentLm>::from_dir(dir, &device)`.
    ///
    /// # Errors
    /// As [`Engine::load`].
    pub fn from_dir(dir: &Path, device: &Device) -> Result<Self, InferenceError> {
        Self::of_model(dir, M::read(dir, device)?)
    }

    /// `model` with what stands beside it in `dir`.
    pub(crate) fn of_model(dir: &Path, model: M) -> Result<Self, InferenceError> {
        let tokenizer = Tokenizer::load(dir)?;
        if tokenizer.vocab_size() > model.vocab_size() {
            return Err(InferenceError::TokenizerMismatch {
                path: dir.to_path_buf(),
                tokenizer_size: tokenizer.vocab_size(),
                vocab_size: model.vocab_size(),
            });
        }
        let eos_token_ids = eos_token_ids(dir)?.unwrap_or_else(|| model.end_token_ids());
        Ok(Self::new(model, tokenizer).with_eos_token_ids(eos_token_ids))
    }
}

impl<M: LogitsModel> Engine<M> {
    /// Puts a model and its tokenizer together; the tokenizer says where texts start and end.
    pub fn new(model: M, tokenizer: Tokenizer) -> Self {
        let eos_token_ids: Vec<u32> = tokenizer.eos_token_id().into_iter().collect();
        let start_token_id = tokenizer.bos_token_id().or(tokenizer.eos_token_id());
        Self {
            model,
            tokenizer,
            start_token_id,
            eos_token_ids,
            batch_limits: BATCH_LIMITS,
            rolling_min_context: 1,
        }
    }

    /// Ends generation at these tokens instead of the tokenizer's own, unless there are none.
    #[must_use]
    pub fn with_eos_token_ids(mut self, ids: Vec<u32>) -> Self {
        if !ids.is_empty() {
            self.start_token_id = self.tokenizer.bos_token_id().or(ids.first().copied());
            self.eos_token_ids = ids;
        }
        self
    }

    /// Scores in batches of this size.
    #[must_use]
    pub fn with_batch_limits(mut self, limits: BatchLimits) -> Self {
        self.batch_limits = limits;
        self
    }

    /// Gives every token of a long text at least this many tokens of context where there are so many
    /// (default 1, as lm-evaluation-harness; more is slower and scores better; at most the model's
    /// context length).
    #[must_use]
    pub fn with_rolling_min_context(mut self, tokens: usize) -> Self {
        self.rolling_min_context = tokens.clamp(1, self.model.context_length());
        self
    }

    /// The model.
    pub fn model(&self) -> &M {
        &self.model
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The tokens that end a text.
    pub fn eos_token_ids(&self) -> &[u32] {
        &self.eos_token_ids
    }

    fn requests(&self) -> Requests<'_> {
        Requests {
            tokenizer: &self.tokenizer,
            start_token_id: self.start_token_id,
            context_length: self.model.context_length(),
        }
    }

    fn score(&self, sequences: &[ScoredSequence]) -> Result<Vec<Vec<TokenScore>>, InferenceError> {
        score_all(&self.model, sequences, self.batch_limits)
    }

    fn continue_text(
        &self,
        text: &str,
        request: &GenerateRequest,
        sink: &mut Sink<'_>,
    ) -> Result<GenerateResponse, InferenceError> {
        let options = &request.options;
        let prompt = self.requests().prompt(text)?;
        let bad_words = self.requests().bad_words(&options.bad_words)?;
        let sampler = Sampler::new(options.clone(), bad_words, self.eos_token_ids.clone());
        let mut stream = TextStream::new(&self.tokenizer, &prompt, &options.stop, sink)?;
        let generation = if options.num_beams > 1 {
            let best = beam_search(&self.model, &prompt, &sampler)?.swap_remove(0);
            replay(best, &mut stream)?
        } else {
            generate(&self.model, &prompt, &sampler, &mut |id| stream.push(id))?
        };
        let (text, finish_reason) = stream.finish(generation.finish_reason)?;
        let usage =
            Usage { prompt_tokens: prompt.len(), completion_tokens: generation.completion_tokens };
        Ok(GenerateResponse { text, finish_reason, usage })
    }
}

impl<M: LogitsModel> TextModel for Engine<M> {
    fn loglikelihood(
        &self,
        requests: &[LoglikelihoodRequest],
    ) -> Result<Vec<Loglikelihood>, TextModelError> {
        let encode = |(index, request): (usize, &LoglikelihoodRequest)| {
            self.requests().continuation(request).map_err(|error| error.at_request(index))
        };
        let sequences: Vec<_> =
            requests.iter().enumerate().map(encode).collect::<Result<_, _>>()?;
        let scores = self.score(&sequences)?;
        let bytes = requests.iter().map(|request| request.continuation.len());
        Ok(scores.iter().zip(bytes).map(|(scores, bytes)| total(scores, bytes)).collect())
    }

    fn loglikelihood_rolling(&self, texts: &[&str]) -> Result<Vec<Loglikelihood>, TextModelError> {
        let mut sequences = Vec::new();
        let mut parts = Vec::with_capacity(texts.len()); // windows and bytes of each text
        for (index, text) in texts.iter().enumerate() {
            let whole =
                self.requests().whole_text(text).map_err(|error| error.at_request(index))?;
            let context_length = self.model.context_length();
            let windows =
                windows::rolling(whole.ids.len(), context_length, self.rolling_min_context);
            sequences.extend(sequences_of(&whole.ids, &windows));
            parts.push((windows.len(), whole.bytes));
        }
        let mut scores = self.score(&sequences)?.into_iter();
        let sum = |(windows, bytes)| {
            total(&scores.by_ref().take(windows).flatten().collect::<Vec<_>>(), bytes)
        };
        Ok(parts.into_iter().map(sum).collect())
    }

    fn generate(
        &self,
        request: &GenerateRequest,
        sink: &mut Sink<'_>,
    ) -> Result<GenerateResponse, TextModelError> {
        request.validate()?;
        match &request.prompt {
            Prompt::Text(text) => Ok(self.continue_text(text, request, sink)?),
            Prompt::Chat(_) => {
                Err(TextModelError::Unsupported { what: "conversations as prompts" })
            }
        }
    }
}

/// Passes a finished text on as if it were just being made: stop strings end it, sinks see it.
pub(crate) fn replay(
    found: Hypothesis,
    stream: &mut TextStream<'_, '_>,
) -> Result<Generation, InferenceError> {
    let completion_tokens = found.completion_tokens();
    let otherwise = found.eos.map_or(FinishReason::Length, |_| FinishReason::EndOfText);
    let Hypothesis { ids, .. } = found;
    for (position, &id) in ids.iter().enumerate() {
        if stream.push(id)?.is_break() {
            return Ok(Generation {
                completion_tokens: position + 1,
                finish_reason: FinishReason::Cancelled,
                ids,
            });
        }
    }
    Ok(Generation { ids, completion_tokens, finish_reason: otherwise })
}

pub(crate) fn total(scores: &[TokenScore], bytes: usize) -> Loglikelihood {
    Loglikelihood {
        log_prob: scores.iter().map(|score| score.log_prob).sum(),
        is_greedy: scores.iter().all(|score| score.is_greedy),
        tokens: scores.len(),
        bytes,
    }
}
