//! From the texts of requests to the tokens that a model scores or continues.

use wuji_protocol::LoglikelihoodRequest;
use wuji_tokenizer::{Encoding, Tokenizer, TokenizerError};

use crate::{InferenceError, ScoredSequence};

/// Encodes requests for one model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Requests<'t> {
    /// The model's tokenizer.
    pub tokenizer: &'t Tokenizer,
    /// What a text starts from when nothing comes before it.
    pub start_token_id: Option<u32>,
    /// Most tokens that the model reads.
    pub context_length: usize,
}

/// A whole text to be scored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WholeText {
    /// The start token, if there is one, and the tokens of the text; the first is not scored.
    pub ids: Vec<u32>,
    /// Bytes of the text that the scored tokens stand for.
    pub bytes: usize,
}

impl Requests<'_> {
    /// The tokens of a prompt, at least one.
    pub fn prompt(&self, text: &str) -> Result<Vec<u32>, InferenceError> {
        let ids = self.templated(text)?;
        if ids.is_empty() {
            return Ok(vec![self.start_token_id.ok_or(InferenceError::EmptyPrompt)?]);
        }
        Ok(ids)
    }

    /// Context and continuation, as lm-evaluation-harness encodes them.
    ///
    /// They are encoded together, because tokens may span the boundary, and the tokens after as many
    /// as the context has alone are scored (the last one at least). White space at the end of the
    /// context is moved to the continuation, where tokenizers put it. A context that does not fit
    /// loses its beginning.
    pub fn continuation(
        &self,
        request: &LoglikelihoodRequest,
    ) -> Result<ScoredSequence, InferenceError> {
        let context = request.context.trim_end();
        let whole = request.context.clone() + &request.continuation;
        let (mut ids, mut scored_from) = if context.is_empty() {
            (self.plain(&whole)?.ids, 0)
        } else {
            (self.templated(&whole)?, self.templated(context)?.len())
        };
        if ids.is_empty() || whole.len() == context.len() {
            return Err(InferenceError::EmptyContinuation);
        }
        scored_from = scored_from.min(ids.len() - 1);
        if scored_from == 0 {
            ids.insert(0, self.start_token_id.ok_or(InferenceError::EmptyPrompt)?);
            scored_from = 1;
        }
        self.fit(ids, scored_from)
    }

    /// A whole text, from its beginning.
    pub fn whole_text(&self, text: &str) -> Result<WholeText, InferenceError> {
        let encoding = self.plain(text)?;
        let unscored = match self.start_token_id {
            Some(_) => 0,
            None => encoding.offsets.get(1).map_or(text.len(), |offsets| offsets.0),
        };
        let ids: Vec<u32> = self.start_token_id.into_iter().chain(encoding.ids).collect();
        if ids.len() < 2 {
            return Err(InferenceError::NothingToScore);
        }
        Ok(WholeText { ids, bytes: text.len() - unscored })
    }

    /// The words as tokens, at the start of a text and after a space. Words that the tokenizer has no
    /// tokens for are left out: they cannot be generated.
    pub fn bad_words(&self, words: &[String]) -> Result<Vec<Vec<u32>>, InferenceError> {
        let mut sequences = Vec::new();
        for spelling in words.iter().flat_map(|word| [word.clone(), format!(" {word}")]) {
            match self.tokenizer.encode_ordinary_ids(&spelling) {
                Ok(ids) => sequences.push(ids),
                Err(TokenizerError::UnknownCharacter { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        sequences.retain(|ids| !ids.is_empty());
        sequences.sort_unstable();
        sequences.dedup();
        Ok(sequences)
    }

    /// Drops the oldest tokens until the model can read all but the last.
    fn fit(
        &self,
        mut ids: Vec<u32>,
        mut scored_from: usize,
    ) -> Result<ScoredSequence, InferenceError> {
        let (tokens, context_length) = (ids.len() - scored_from, self.context_length);
        if tokens > context_length {
            return Err(InferenceError::ContinuationTooLong { tokens, context_length });
        }
        let surplus = ids.len().saturating_sub(context_length + 1);
        ids.drain(..surplus);
        scored_from -= surplus;
        Ok(ScoredSequence { ids, scored_from })
    }

    fn plain(&self, text: &str) -> Result<Encoding, InferenceError> {
        Ok(self.tokenizer.encode(text, false)?)
    }

    /// With what the tokenizer's template puts before a text, without what it puts behind: there the
    /// text goes on.
    fn templated(&self, text: &str) -> Result<Vec<u32>, InferenceError> {
        let Encoding { mut ids, special_tokens_mask, .. } = self.tokenizer.encode(text, true)?;
        let behind = special_tokens_mask.iter().rev().take_while(|mask| **mask == 1).count();
        // A text without tokens leaves nothing but the template, all of it before.
        if behind < ids.len() {
            ids.truncate(ids.len() - behind);
        }
        Ok(ids)
    }
}
