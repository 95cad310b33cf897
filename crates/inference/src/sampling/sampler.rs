//! All adjustments in one order, and the choice after them.

use wuji_protocol::GenerateOptions;

use super::{
    argmax, draw, epsilon, eta, exclude, exclude_sequences, min_p, no_repeat_ngram,
    repetition_penalty, temperature, top_k, top_p, typical, uniform,
};
use crate::InferenceError;

/// A filter with one parameter, in place.
type Filter = fn(&mut [f32], f32);

/// Chooses tokens as [`GenerateOptions`] say, in the order that is documented there.
#[derive(Debug, Clone)]
pub struct Sampler {
    options: GenerateOptions,
    bad_words: Vec<Vec<u32>>,
    eos_token_ids: Vec<u32>,
    suppressed: Vec<u32>,
}

impl Sampler {
    /// A sampler for `options`, which must be valid.
    ///
    /// `bad_words` are the options' bad words as tokens, in every spelling that counts;
    /// `eos_token_ids` are what a minimum length excludes. A bad word that is just an end-of-text
    /// token is passed over, or nothing could end.
    pub fn new(
        options: GenerateOptions,
        bad_words: Vec<Vec<u32>>,
        eos_token_ids: Vec<u32>,
    ) -> Self {
        let ends = |word: &Vec<u32>| matches!(word.as_slice(), [id] if eos_token_ids.contains(id));
        let bad_words = bad_words.into_iter().filter(|word| !ends(word)).collect();
        Self { options, bad_words, eos_token_ids, suppressed: Vec::new() }
    }

    /// Never chooses one of these tokens: padding, for models that would give it (Marian).
    #[must_use]
    pub fn with_suppressed_ids(mut self, ids: Vec<u32>) -> Self {
        self.suppressed = ids;
        self
    }

    /// The same with other draws, for another part of the same answer.
    pub(crate) fn reseeded(&self, part: usize) -> Self {
        let seed = self.options.seed.wrapping_add(part as u64);
        Self { options: GenerateOptions { seed, ..self.options.clone() }, ..self.clone() }
    }

    /// The options it follows.
    pub fn options(&self) -> &GenerateOptions {
        &self.options
    }

    /// Whether `id` ends a text.
    pub fn is_eos(&self, id: u32) -> bool {
        self.eos_token_ids.contains(&id)
    }

    /// Chooses new token `position` (counted from 0) after `history`, the prompt and the new tokens
    /// so far. Leaves the adjusted logits, shifted by a constant, in `logits`.
    ///
    /// # Errors
    /// [`InferenceError::NonFiniteLogits`] for NaN or infinity from the model,
    /// [`InferenceError::NoCandidates`] when the options exclude every token.
    pub fn choose(
        &self,
        logits: &mut [f32],
        history: &[u32],
        position: usize,
    ) -> Result<u32, InferenceError> {
        check_logits(logits, position)?;
        self.adjust_by_history(logits, history, position);
        let best = argmax(logits).ok_or(InferenceError::NoCandidates { position })?;
        if self.options.temperature == 0.0 {
            return Ok(best as u32);
        }
        self.adjust_distribution(logits, best);
        let chosen = draw(logits, uniform(self.options.seed, position)).unwrap_or(best);
        Ok(chosen as u32)
    }

    /// Adjusts what depends on the tokens so far.
    pub(crate) fn adjust_by_history(&self, logits: &mut [f32], history: &[u32], position: usize) {
        let options = &self.options;
        if options.repetition_penalty != 1.0 {
            repetition_penalty(logits, history, options.repetition_penalty);
        }
        if let Some(size) = options.no_repeat_ngram_size {
            no_repeat_ngram(logits, history, size);
        }
        exclude_sequences(logits, history, &self.bad_words);
        exclude(logits, &self.suppressed);
        if position < options.min_new_tokens {
            exclude(logits, &self.eos_token_ids);
        }
    }

    fn adjust_distribution(&self, logits: &mut [f32], best: usize) {
        let options = &self.options;
        // With the best logit at 0, no temperature however small can overflow.
        let largest = logits[best];
        logits.iter_mut().for_each(|logit| *logit -= largest);
        if options.temperature != 1.0 {
            temperature(logits, options.temperature);
        }
        if let Some(k) = options.top_k {
            top_k(logits, k);
        }
        let filters: [(Option<f32>, Filter); 5] = [
            (options.top_p, top_p),
            (options.min_p, min_p),
            (options.typical_p, typical),
            (options.epsilon_cutoff, epsilon),
            (options.eta_cutoff, eta),
        ];
        for (value, filter) in filters {
            if let Some(value) = value {
                filter(logits, value);
            }
        }
    }
}

/// Excluded tokens (`-inf`) are fine, NaN and `+inf` are not.
pub(crate) fn check_logits(logits: &[f32], position: usize) -> Result<(), InferenceError> {
    let broken = |logit: &f32| logit.is_nan() || *logit == f32::INFINITY;
    // Without an early exit this is a vector loop, and there is hardly ever anything to find.
    if !logits.iter().fold(false, |any, logit| any | broken(logit)) {
        return Ok(());
    }
    let id = logits.iter().position(broken).unwrap_or_default();
    Err(InferenceError::NonFiniteLogits { position, id, value: logits[id] })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(
        options: GenerateOptions,
        logits: &[f32],
        history: &[u32],
    ) -> Result<u32, InferenceError> {
        Sampler::new(options, vec![vec![3]], vec![2]).choose(&mut logits.to_vec(), history, 0)
    }

    #[test]
    fn temperature_zero_takes_the_most_likely_allowed_token() {
        let greedy = GenerateOptions::greedy();
        assert_eq!(choose(greedy.clone(), &[0.0, 1.0, 2.0, 9.0], &[]).unwrap(), 2);
        let longer = GenerateOptions { min_new_tokens: 1, ..greedy };
        assert_eq!(choose(longer.clone(), &[0.0, 1.0, 2.0, 9.0], &[]).unwrap(), 1);
        let fresh = GenerateOptions { repetition_penalty: 1e6, ..longer };
        assert_eq!(choose(fresh, &[0.5, 1.0, 2.0, 9.0], &[1]).unwrap(), 0);
    }

    #[test]
    fn a_vanishing_temperature_is_greedy_and_does_not_overflow() {
        let options =
            GenerateOptions { temperature: f32::MIN_POSITIVE, ..GenerateOptions::default() };
        for seed in 0..50 {
            let options = GenerateOptions { seed, ..options.clone() };
            assert_eq!(choose(options, &[80.0, 81.0, -80.0], &[]).unwrap(), 1);
        }
    }

    #[test]
    fn a_nucleus_of_one_token_leaves_nothing_to_chance() {
        for options in [
            GenerateOptions { top_k: Some(1), ..GenerateOptions::default() },
            GenerateOptions { top_p: Some(1e-6), ..GenerateOptions::default() },
            GenerateOptions { min_p: Some(1.0), ..GenerateOptions::default() },
        ] {
            for seed in 0..20 {
                let options = GenerateOptions { seed, ..options.clone() };
                assert_eq!(choose(options, &[0.1, 0.0, 0.2], &[]).unwrap(), 2);
            }
        }
    }

    #[test]
    fn broken_logits_are_an_error_that_says_where() {
        let error = choose(GenerateOptions::greedy(), &[0.0, f32::NAN], &[]).unwrap_err();
        assert_eq!(error.to_string(), "the logits of new token 0 are not finite (id 1: NaN)");
    }

    #[test]
    fn options_that_exclude_everything_are_an_error() {
        let options =
            GenerateOptions { no_repeat_ngram_size: Some(1), ..GenerateOptions::default() };
        let error = choose(options, &[0.0, 1.0], &[0, 1]).unwrap_err();
        assert_eq!(error.to_string(), "the options exclude every token at new token 0");
    }

    #[test]
    fn a_suppressed_token_is_never_chosen() {
        let sampler = Sampler::new(GenerateOptions::greedy(), Vec::new(), vec![2])
            .with_suppressed_ids(vec![1]);
        assert_eq!(sampler.choose(&mut [0.0, 5.0, -9.0], &[], 0).unwrap(), 0);
    }

    #[test]
    fn a_bad_word_that_is_the_end_of_text_is_passed_over() {
        let sampler = Sampler::new(GenerateOptions::greedy(), vec![vec![2], vec![1]], vec![2]);
        assert_eq!(sampler.choose(&mut [0.0, 5.0, 9.0], &[], 0).unwrap(), 2);
        assert_eq!(sampler.choose(&mut [0.0, 5.0, -9.0], &[], 0).unwrap(), 0);
    }
}
