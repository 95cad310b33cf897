//! The loop: choose a token, say so, read it, until something ends it. Token ids only, no text.

use std::ops::ControlFlow;

use wuji_protocol::FinishReason;

use crate::sampling::Sampler;
use crate::{InferenceError, LogitsModel, Session};

/// What the loop produced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generation {
    /// The new tokens, without the end-of-text token.
    pub ids: Vec<u32>,
    /// Tokens chosen, the end-of-text token included.
    pub completion_tokens: usize,
    /// Why it ended; [`FinishReason::Cancelled`] when `on_token` asked for it.
    pub finish_reason: FinishReason,
}

/// Continues `prompt` as `sampler` says; `on_token` sees each new token as soon as it is chosen.
///
/// Prompts that leave no room for [`max_new_tokens`](wuji_protocol::GenerateOptions::max_new_tokens)
/// are fine: see [`Session`] for what happens at the end of the model's positions.
///
/// # Errors
/// As [`Session::start`] and [`Sampler::choose`].
pub fn generate<M: LogitsModel>(
    model: &M,
    prompt: &[u32],
    sampler: &Sampler,
    on_token: &mut dyn FnMut(u32) -> Result<ControlFlow<()>, InferenceError>,
) -> Result<Generation, InferenceError> {
    let limit = sampler.options().max_new_tokens;
    let mut session = Session::start(model, prompt, limit)?;
    let mut new_ids = Vec::new();
    for position in 0..limit {
        let (ids, logits) = session.ids_and_logits();
        let id = sampler.choose(logits, ids, position)?;
        if sampler.is_eos(id) {
            return Ok(Generation::ended(new_ids, position + 1, FinishReason::EndOfText));
        }
        new_ids.push(id);
        if on_token(id)?.is_break() {
            return Ok(Generation::ended(new_ids, position + 1, FinishReason::Cancelled));
        }
        // The last token is not read: nothing follows it.
        if position + 1 < limit {
            session.push(id)?;
        }
    }
    Ok(Generation::ended(new_ids, limit, FinishReason::Length))
}

impl Generation {
    fn ended(ids: Vec<u32>, completion_tokens: usize, finish_reason: FinishReason) -> Self {
        Self { ids, completion_tokens, finish_reason }
    }
}

#[cfg(test)]
mod tests {
    use wuji_protocol::GenerateOptions;

    use super::*;
    use crate::testing::TableModel;

    fn run(model: &TableModel, prompt: &[u32], options: GenerateOptions) -> Generation {
        let sampler = Sampler::new(options, Vec::new(), vec![0]);
        generate(model, prompt, &sampler, &mut |_| Ok(ControlFlow::Continue(()))).unwrap()
    }

    fn greedy(max_new_tokens: usize) -> GenerateOptions {
        GenerateOptions { max_new_tokens, ..GenerateOptions::greedy() }
    }

    #[test]
    fn greedy_follows_the_chain_to_the_end_of_text() {
        let model = TableModel::chain(&[0, 2, 3, 0], 8);
        let generation = run(&model, &[1], greedy(9));
        assert_eq!(generation, Generation::ended(vec![2, 3], 3, FinishReason::EndOfText));
    }

    #[test]
    fn the_limit_is_exact() {
        let model = TableModel::chain(&[0, 2, 1], 8);
        let generation = run(&model, &[1], greedy(3));
        assert_eq!(generation, Generation::ended(vec![2, 1, 2], 3, FinishReason::Length));
    }

    #[test]
    fn generation_goes_on_past_the_models_positions() {
        let model = TableModel::chain(&[0, 2, 3, 1], 4);
        let generation = run(&model, &[1, 2, 3], greedy(12));
        assert_eq!(generation.ids, [1, 2, 3].repeat(4));
    }

    #[test]
    fn a_minimum_length_postpones_the_end_of_text() {
        let mut rows = vec![vec![0.0, 1.0, 0.5]; 3];
        rows[1] = vec![9.0, 0.0, 1.0];
        let model = TableModel::new(rows, 8);
        assert_eq!(run(&model, &[1], greedy(9)).ids, [0_u32; 0]);
        let options = GenerateOptions { min_new_tokens: 3, ..greedy(9) };
        assert_eq!(run(&model, &[1], options).ids, [2, 1, 2, 1]);
    }

    #[test]
    fn the_caller_can_end_it_and_sees_every_token() {
        let model = TableModel::chain(&[0, 2, 3, 1], 8);
        let sampler = Sampler::new(greedy(9), Vec::new(), vec![0]);
        let mut seen = Vec::new();
        let generation = generate(&model, &[1], &sampler, &mut |id| {
            seen.push(id);
            Ok(if id == 1 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })
        .unwrap();
        assert_eq!(generation, Generation::ended(vec![2, 3, 1], 3, FinishReason::Cancelled));
        assert_eq!(seen, [2, 3, 1]);
    }

    #[test]
    fn the_same_seed_gives_the_same_tokens_and_another_seed_others() {
        let model = TableModel::uniform(50, 64);
        let sample = |seed| {
            let options =
                GenerateOptions { max_new_tokens: 20, seed, ..GenerateOptions::default() };
            run(&model, &[1], options).ids
        };
        assert_eq!(sample(1), sample(1));
        assert_ne!(sample(1), sample(2));
    }

    #[test]
    fn a_repetition_penalty_breaks_a_loop() {
        let model = TableModel::chain(&[0, 2, 1, 3], 16);
        assert_eq!(run(&model, &[1], greedy(6)).ids, [2, 1, 2, 1, 2, 1]);
        let options = GenerateOptions { no_repeat_ngram_size: Some(2), ..greedy(6) };
        let ids = run(&model, &[1], options).ids;
        let mut pairs: Vec<_> =
            [&[1], ids.as_slice()].concat().windows(2).map(<[u32]>::to_vec).collect();
        let all = pairs.len();
        pairs.sort_unstable();
        pairs.dedup();
        assert_eq!(pairs.len(), all, "a pair occurs twice in {ids:?}");
    }
}
