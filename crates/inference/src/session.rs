//! One sequence being read: its tokens, its cache and the logits after its last token.

use crate::logits_model::check_ids;
use crate::{InferenceError, LogitsModel};

/// A sequence that grows token by token, in front of a model that remembers it.
///
/// When the model's positions are used up, the session starts again from the newest half of them:
/// the cache is dropped and the last `context_length / 2` tokens are read anew from position 0.
/// Learned positions allow nothing else, and rotary models keep the distances they were trained on.
/// The cost is one extra read of half a context for each half context generated, and that what is
/// older is forgotten at once rather than gradually.
#[derive(Debug)]
pub struct Session<'m, M: LogitsModel> {
    model: &'m M,
    cache: M::Cache,
    /// Tokens in the cache, the last ones of `ids`.
    cached: usize,
    ids: Vec<u32>,
    logits: Vec<f32>,
}

impl<'m, M: LogitsModel> Session<'m, M> {
    /// Reads `prompt`, with room for `new_tokens` after it as far as the model allows.
    ///
    /// # Errors
    /// [`InferenceError::EmptyPrompt`], [`InferenceError::PromptTooLong`],
    /// [`InferenceError::TokenOutOfRange`], and those of the model.
    pub fn start(model: &'m M, prompt: &[u32], new_tokens: usize) -> Result<Self, InferenceError> {
        let context_length = model.context_length();
        if prompt.is_empty() {
            return Err(InferenceError::EmptyPrompt);
        }
        if prompt.len() > context_length {
            return Err(InferenceError::PromptTooLong { tokens: prompt.len(), context_length });
        }
        check_ids(prompt, model.vocab_size())?;
        let capacity = context_length.min(prompt.len().saturating_add(new_tokens));
        let mut cache = model.new_cache(capacity);
        let logits = model.advance(prompt, &mut cache)?;
        Ok(Self { model, cache, cached: prompt.len(), ids: prompt.to_vec(), logits })
    }

    /// All tokens, the prompt first.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// The tokens, and the logits after the last of them to adjust and choose from.
    pub fn ids_and_logits(&mut self) -> (&[u32], &mut [f32]) {
        (&self.ids, &mut self.logits)
    }

    /// Adds `id` and reads it.
    ///
    /// # Errors
    /// [`InferenceError::TokenOutOfRange`], and those of the model.
    pub fn push(&mut self, id: u32) -> Result<(), InferenceError> {
        check_ids(&[id], self.model.vocab_size())?;
        self.ids.push(id);
        if self.cached == self.model.context_length() {
            return self.slide();
        }
        self.logits = self.model.advance(&[id], &mut self.cache)?;
        self.cached += 1;
        Ok(())
    }

    /// Reads the newest half of a context anew.
    fn slide(&mut self) -> Result<(), InferenceError> {
        let context_length = self.model.context_length();
        let kept = (context_length / 2).max(1);
        self.cache = self.model.new_cache(context_length);
        self.logits = self.model.advance(&self.ids[self.ids.len() - kept..], &mut self.cache)?;
        self.cached = kept;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TableModel;

    #[test]
    fn a_prompt_must_have_tokens_that_fit_and_exist() {
        let model = TableModel::uniform(3, 4);
        let check = |prompt: &[u32], expected: &str| {
            assert_eq!(Session::start(&model, prompt, 1).unwrap_err().to_string(), expected);
        };
        check(&[0; 5], "the prompt has 5 tokens, but the model reads at most 4");
        check(&[0, 3], "token id 3 at position 1: the model's vocabulary has 3 ids");
        check(
            &[],
            "nothing comes before the first token, and the tokenizer has no begin- or end-of-text token to start from",
        );
    }

    #[test]
    fn at_the_end_of_the_positions_the_newest_half_is_read_anew() {
        let model = TableModel::uniform(9, 4);
        let mut session = Session::start(&model, &[0, 1, 2, 3], 100).unwrap();
        session.push(4).unwrap();
        assert_eq!(session.cache.ids, [3, 4]);
        for id in [5, 6] {
            session.push(id).unwrap();
        }
        assert_eq!(session.cache.ids, [3, 4, 5, 6]);
        session.push(7).unwrap();
        assert_eq!(session.cache.ids, [6, 7]);
        assert_eq!(session.ids(), [0, 1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn a_model_of_one_position_works() {
        let model = TableModel::chain(&[1, 2, 0], 1);
        let mut session = Session::start(&model, &[0], 5).unwrap();
        session.push(1).unwrap();
        session.push(2).unwrap();
        assert_eq!(session.ids_and_logits().1, [8.0, 0.0, 0.0]);
    }
}
