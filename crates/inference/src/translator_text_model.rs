//! A [`Translator`] as a [`TextModel`]: the prompt or context is the source, the answer the target.

use wuji_protocol::{
    GenerateRequest, GenerateResponse, Loglikelihood, LoglikelihoodRequest, Prompt, Sink,
    TextModel, TextModelError, Usage,
};

use crate::engine::{replay, total};
use crate::requests::Requests;
use crate::text_stream::TextStream;
use crate::{
    ConditionalModel, Conditioned, InferenceError, LogitsModel, ScoredSequence, Translator,
    beam_search, generate, score_all,
};

impl<M: ConditionalModel> TextModel for Translator<M> {
    /// How likely each continuation is as the target of its context; the end of the target is not
    /// scored.
    fn loglikelihood(
        &self,
        requests: &[LoglikelihoodRequest],
    ) -> Result<Vec<Loglikelihood>, TextModelError> {
        let score = |(index, request): (usize, &LoglikelihoodRequest)| {
            self.score_target(request).map_err(|error| error.at_request(index))
        };
        requests.iter().enumerate().map(score).collect()
    }

    fn loglikelihood_rolling(&self, _texts: &[&str]) -> Result<Vec<Loglikelihood>, TextModelError> {
        Err(TextModelError::Unsupported { what: "texts without a source" })
    }

    fn generate(
        &self,
        request: &GenerateRequest,
        sink: &mut Sink<'_>,
    ) -> Result<GenerateResponse, TextModelError> {
        request.validate()?;
        match &request.prompt {
            Prompt::Text(source) => Ok(self.write_target(source, request, sink)?),
            Prompt::Chat(_) => {
                Err(TextModelError::Unsupported { what: "conversations as prompts" })
            }
        }
    }
}

impl<M: ConditionalModel> Translator<M> {
    fn score_target(
        &self,
        request: &LoglikelihoodRequest,
    ) -> Result<Loglikelihood, InferenceError> {
        let conditioned = Conditioned::new(self.model(), &self.source_ids(&request.context)?)?;
        let target = self.target_tokenizer().encode(&request.continuation, false)?.ids;
        if target.is_empty() {
            return Err(InferenceError::EmptyContinuation);
        }
        let (tokens, context_length) = (target.len(), conditioned.context_length());
        if tokens > context_length {
            return Err(InferenceError::ContinuationTooLong { tokens, context_length });
        }
        let ids = [&[self.tokens().start], target.as_slice()].concat();
        let sequence = ScoredSequence { ids, scored_from: 1 };
        let limits = crate::BatchLimits { max_sequences: 1, max_tokens: usize::MAX };
        let scores = score_all(&conditioned, &[sequence], limits)?;
        Ok(total(&scores.concat(), request.continuation.len()))
    }

    fn write_target(
        &self,
        source: &str,
        request: &GenerateRequest,
        sink: &mut Sink<'_>,
    ) -> Result<GenerateResponse, InferenceError> {
        let options = &request.options;
        let source = self.source_ids(source)?;
        let conditioned = Conditioned::new(self.model(), &source)?;
        let prompt = [self.tokens().start];
        let requests = Requests {
            tokenizer: self.target_tokenizer(),
            start_token_id: None,
            context_length: conditioned.context_length(),
        };
        let sampler = self.sampler(options.clone(), requests.bad_words(&options.bad_words)?);
        // Nothing comes before the target, so its first word gets no space.
        let mut stream = TextStream::new(self.target_tokenizer(), &[], &options.stop, sink)?;
        let generation = if options.num_beams > 1 {
            let best = beam_search(&conditioned, &prompt, &sampler)?.swap_remove(0);
            replay(best, &mut stream)?
        } else {
            generate(&conditioned, &prompt, &sampler, &mut |id| stream.push(id))?
        };
        let (text, finish_reason) = stream.finish(generation.finish_reason)?;
        let usage =
            Usage { prompt_tokens: source.len(), completion_tokens: generation.completion_tokens };
        Ok(GenerateResponse { text, finish_reason, usage })
    }
}
