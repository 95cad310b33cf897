//! Beam search: the continuations with the largest sums of log-probabilities.
//!
//! The rule is that of `transformers` (`num_beams`, `length_penalty`, `early_stopping`): in every
//! step the `2 · num_beams` best continuations of all beams are ranked; those of the first
//! `num_beams` that end the text are finished, and the best `num_beams` that do not go on. The
//! score of a finished one is its sum divided by `length ^ length_penalty`, the end-of-text token
//! counted and the prompt not.

use crate::logits_model::check_ids;
use crate::sampling::{Sampler, check_logits, log_sum_exp};
use crate::{InferenceError, LogitsModel};

/// One finished continuation.
#[derive(Debug, Clone, PartialEq)]
pub struct Hypothesis {
    /// The new tokens, without the end-of-text token.
    pub ids: Vec<u32>,
    /// The token that ended it; none when the limit did.
    pub eos: Option<u32>,
    /// Sum of log-probabilities over `length ^ length_penalty`.
    pub score: f64,
}

impl Hypothesis {
    /// Tokens chosen, the end-of-text token included.
    pub fn completion_tokens(&self) -> usize {
        self.ids.len() + usize::from(self.eos.is_some())
    }
}

/// A continuation that is still growing.
#[derive(Debug, Clone)]
struct Beam {
    ids: Vec<u32>,
    sum: f64,
}

/// One more token behind one of the beams.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    parent: usize,
    id: u32,
    sum: f64,
}

/// The `num_beams` best continuations of `prompt` at most, best first; at least one.
///
/// Each new token needs one row of the model per beam. Unlike a [`Session`](crate::Session), the
/// beams do not slide: at the end of the model's positions they end as at `max_new_tokens`.
///
/// # Errors
/// As [`generate`](crate::generate()).
pub fn beam_search<M: LogitsModel>(
    model: &M,
    prompt: &[u32],
    sampler: &Sampler,
) -> Result<Vec<Hypothesis>, InferenceError> {
    let context_length = model.context_length();
    if prompt.is_empty() {
        return Err(InferenceError::EmptyPrompt);
    }
    if prompt.len() > context_length {
        return Err(InferenceError::PromptTooLong { tokens: prompt.len(), context_length });
    }
    check_ids(prompt, model.vocab_size())?;
    // The last token is chosen, not read, so it needs no position.
    let limit = sampler.options().max_new_tokens.min(context_length - prompt.len() + 1);
    let mut cache = model.new_cache(prompt.len() + limit - 1);
    let logits = model.advance(prompt, &mut cache)?;
    let search = Search::new(prompt, sampler, limit);
    Ok(search_all(model, &mut cache, logits, vec![search])?.swap_remove(0))
}

/// As [`beam_search`], for several sequences at once that have one token each: row `i` begins with
/// `starts[i]`, gets at most `limits[i]` new tokens, and its answer is the same as alone. For models
/// that have been given something else to tell the rows apart, such as
/// [`Conditioned`](crate::Conditioned) on several sources.
///
/// # Errors
/// As [`beam_search`].
///
/// # Panics
/// Unless there are as many limits as starts.
pub fn beam_search_rows<M: LogitsModel>(
    model: &M,
    starts: &[u32],
    limits: &[usize],
    sampler: &Sampler,
) -> Result<Vec<Vec<Hypothesis>>, InferenceError> {
    assert_eq!(starts.len(), limits.len(), "every row has a limit");
    check_ids(starts, model.vocab_size())?;
    if starts.is_empty() {
        return Ok(Vec::new());
    }
    let within = |limit: &usize| (*limit).clamp(1, model.context_length());
    let limits: Vec<usize> = limits.iter().map(within).collect();
    let capacity = limits.iter().copied().max().unwrap_or(1);
    let searches = starts.chunks(1).zip(limits);
    let searches = searches.map(|(start, limit)| Search::new(start, sampler, limit)).collect();
    let mut cache = model.new_cache(capacity);
    let rows: Vec<usize> = (0..starts.len()).collect();
    let logits = model.advance_rows(&rows, starts, &mut cache)?;
    search_all(model, &mut cache, logits, searches)
}

/// Takes all searches to their ends, from the first `logits`, a row for each.
fn search_all<M: LogitsModel>(
    model: &M,
    cache: &mut M::Cache,
    mut logits: Vec<f32>,
    mut searches: Vec<Search<'_>>,
) -> Result<Vec<Vec<Hypothesis>>, InferenceError> {
    let vocab_size = model.vocab_size();
    let longest = searches.iter().map(|search| search.limit).max().unwrap_or(0);
    let mut going_on: Vec<usize> = (0..searches.len()).collect();
    for position in 0..longest {
        let (mut parents, mut newest, mut first_row) = (Vec::new(), Vec::new(), 0);
        let mut still = Vec::with_capacity(going_on.len());
        for index in going_on {
            let search = &mut searches[index];
            let rows = search.running.len();
            let own = &mut logits[first_row * vocab_size..(first_row + rows) * vocab_size];
            let chosen = search.step(own, vocab_size, position)?;
            if !search.is_done(position + 1) {
                parents.extend(chosen.into_iter().map(|row| first_row + row));
                newest.extend(search.running.iter().filter_map(|beam| beam.ids.last().copied()));
                still.push(index);
            }
            first_row += rows;
        }
        going_on = still;
        if going_on.is_empty() {
            break;
        }
        logits = model.advance_rows(&parents, &newest, cache)?;
    }
    Ok(searches.into_iter().map(|search| search.finished).collect())
}

struct Search<'a> {
    prompt: &'a [u32],
    sampler: &'a Sampler,
    limit: usize,
    running: Vec<Beam>,
    /// Best first, `num_beams` at most.
    finished: Vec<Hypothesis>,
}

impl<'a> Search<'a> {
    fn new(prompt: &'a [u32], sampler: &'a Sampler, limit: usize) -> Self {
        let running = vec![Beam { ids: Vec::new(), sum: 0.0 }];
        Self { prompt, sampler, limit, running, finished: Vec::new() }
    }

    fn num_beams(&self) -> usize {
        self.sampler.options().num_beams
    }

    fn score(&self, sum: f64, length: usize) -> f64 {
        sum / (length as f64).powf(f64::from(self.sampler.options().length_penalty))
    }

    /// Chooses new token `position` of every beam from `logits`, a row for each. Returns the row
    /// that each beam that goes on has grown from.
    fn step(
        &mut self,
        logits: &mut [f32],
        vocab_size: usize,
        position: usize,
    ) -> Result<Vec<usize>, InferenceError> {
        let candidates = self.candidates(logits, vocab_size, position)?;
        if candidates.is_empty() && self.finished.is_empty() {
            return Err(InferenceError::NoCandidates { position });
        }
        let last = position + 1 == self.limit;
        let mut grown = Vec::with_capacity(self.num_beams());
        let mut parents = Vec::with_capacity(self.num_beams());
        for (rank, candidate) in candidates.into_iter().enumerate() {
            let ends = self.sampler.is_eos(candidate.id);
            if (ends || last) && rank < self.num_beams() {
                self.finish(candidate, ends);
            } else if !ends && grown.len() < self.num_beams() {
                let mut ids = self.running[candidate.parent].ids.clone();
                ids.push(candidate.id);
                grown.push(Beam { ids, sum: candidate.sum });
                parents.push(candidate.parent);
            }
        }
        self.running = grown;
        Ok(parents)
    }

    /// The `2 · num_beams` best continuations, best first; of equals the one of the earlier beam.
    fn candidates(
        &self,
        logits: &mut [f32],
        vocab_size: usize,
        position: usize,
    ) -> Result<Vec<Candidate>, InferenceError> {
        let kept = 2 * self.num_beams();
        let mut candidates = Vec::new();
        for ((parent, beam), row) in
            self.running.iter().enumerate().zip(logits.chunks_exact_mut(vocab_size))
        {
            self.log_probabilities(row, beam, position)?;
            let candidate = |id: usize| {
                let sum = beam.sum + f64::from(row[id]);
                Candidate { parent, id: id as u32, sum }
            };
            candidates.extend(largest(row, kept).into_iter().map(candidate));
        }
        candidates.sort_by(|a, b| b.sum.total_cmp(&a.sum));
        candidates.truncate(kept);
        Ok(candidates)
    }

    /// Turns a row of logits into adjusted log-probabilities, as `transformers`: normalised first,
    /// adjusted by what is already there afterwards.
    fn log_probabilities(
        &self,
        row: &mut [f32],
        beam: &Beam,
        position: usize,
    ) -> Result<(), InferenceError> {
        check_logits(row, position)?;
        let normaliser = log_sum_exp(row);
        row.iter_mut().for_each(|logit| *logit = (f64::from(*logit) - normaliser) as f32);
        let history = [self.prompt, &beam.ids].concat();
        self.sampler.adjust_by_history(row, &history, position);
        Ok(())
    }

    fn finish(&mut self, candidate: Candidate, ends: bool) {
        let mut ids = self.running[candidate.parent].ids.clone();
        let score = self.score(candidate.sum, ids.len() + 1);
        if !ends {
            ids.push(candidate.id);
        }
        self.finished.push(Hypothesis { ids, eos: ends.then_some(candidate.id), score });
        self.finished.sort_by(|a, b| b.score.total_cmp(&a.score)); // Stable: of equals the earlier.
        self.finished.truncate(self.num_beams());
    }

    /// Whether nothing that still grows can be better than what is finished, after `length` tokens.
    fn is_done(&self, length: usize) -> bool {
        let Some(best) = self.running.first() else { return true };
        if length == self.limit {
            return true;
        }
        let Some(worst) = self.finished.get(self.num_beams() - 1) else { return false };
        self.sampler.options().early_stopping || self.score(best.sum, length) <= worst.score
    }
}

/// The ids of the `count` largest values, largest first; excluded ones (`-inf`) are left out.
fn largest(row: &[f32], count: usize) -> Vec<usize> {
    let mut ids: Vec<usize> = (0..row.len()).filter(|&id| row[id] > f32::NEG_INFINITY).collect();
    let order = |a: &usize, b: &usize| row[*b].total_cmp(&row[*a]).then(a.cmp(b));
    if ids.len() > count {
        ids.select_nth_unstable_by(count, order);
        ids.truncate(count);
    }
    ids.sort_unstable_by(order);
    ids
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use proptest::prelude::*;
    use wuji_protocol::GenerateOptions;

    use super::*;
    use crate::generate;
    use crate::testing::TableModel;

    fn sampler(options: GenerateOptions, eos: &[u32]) -> Sampler {
        Sampler::new(options, Vec::new(), eos.to_vec())
    }

    fn beams(num_beams: usize, max_new_tokens: usize) -> GenerateOptions {
        GenerateOptions { num_beams, max_new_tokens, ..GenerateOptions::greedy() }
    }

    /// Log-probabilities of a bigram table.
    fn log_prob(rows: &[Vec<f32>], from: u32, to: u32) -> f64 {
        let row = &rows[from as usize];
        f64::from(row[to as usize]) - log_sum_exp(row)
    }

    /// The best sum over all continuations of `length` tokens, by trying each.
    fn exhaustive(rows: &[Vec<f32>], from: u32, length: usize) -> f64 {
        if length == 0 {
            return 0.0;
        }
        let ids = 0..rows.len() as u32;
        ids.map(|id| log_prob(rows, from, id) + exhaustive(rows, id, length - 1))
            .fold(f64::NEG_INFINITY, f64::max)
    }

    #[test]
    fn a_wider_beam_finds_what_greedy_decoding_misses() {
        // 1 is likelier than 2 at first, but what follows 1 is undecided.
        let rows = vec![
            vec![-9.0, 1.1, 1.0, -9.0],
            vec![0.0, 0.0, 0.0, 0.0],
            vec![-9.0, -9.0, -9.0, 9.0],
            vec![-9.0, -9.0, -9.0, 9.0],
        ];
        let model = TableModel::new(rows, 8);
        let best = |n| beam_search(&model, &[0], &sampler(beams(n, 2), &[])).unwrap().remove(0).ids;
        assert_eq!(best(1)[0], 1);
        assert_eq!(best(2), [2, 3]);
    }

    #[test]
    fn a_length_penalty_weighs_long_against_short() {
        // After 1 the text ends (0) with one half or goes on with nearly nothing lost.
        let rows = vec![vec![0.0; 3], vec![0.0, -20.0, 0.0], vec![0.0, -20.0, 3.0]];
        let model = TableModel::new(rows, 64);
        let best = |length_penalty| {
            let options = GenerateOptions { length_penalty, ..beams(3, 6) };
            beam_search(&model, &[1], &sampler(options, &[0])).unwrap().remove(0)
        };
        assert_eq!((best(0.0).ids.len(), best(0.0).eos), (0, Some(0)));
        assert_eq!((best(1.0).ids.len(), best(1.0).eos), (6, None));
    }

    #[test]
    fn the_end_of_the_positions_is_a_limit() {
        let model = TableModel::chain(&[0, 2, 3, 1], 4);
        let found = beam_search(&model, &[1, 2, 3], &sampler(beams(2, 12), &[])).unwrap();
        assert_eq!(found[0].ids, [1, 2]);
    }

    #[test]
    fn options_that_exclude_everything_are_an_error() {
        let model = TableModel::uniform(1, 8);
        let options = GenerateOptions { min_new_tokens: 2, ..beams(2, 4) };
        let error = beam_search(&model, &[0], &sampler(options, &[0])).unwrap_err();
        assert!(matches!(error, InferenceError::NoCandidates { position: 0 }), "{error}");
    }

    fn table() -> impl Strategy<Value = Vec<Vec<f32>>> {
        prop::collection::vec(prop::collection::vec(-4.0_f32..4.0, 3), 3)
    }

    proptest! {
        #[test]
        fn one_beam_is_greedy_decoding(rows in table(), length in 1usize..8) {
            let model = TableModel::new(rows, 16);
            let options = sampler(beams(1, length), &[]);
            let mut go_on = |_| Ok(ControlFlow::Continue(()));
            let greedy = generate(&model, &[0], &options, &mut go_on).unwrap();
            let found = beam_search(&model, &[0], &options).unwrap();
            prop_assert_eq!(&found[0].ids, &greedy.ids);
        }

        #[test]
        fn a_beam_as_wide_as_the_tree_is_an_exhaustive_search(rows in table()) {
            let model = TableModel::new(rows.clone(), 16);
            let found = beam_search(&model, &[0], &sampler(beams(27, 4), &[])).unwrap();
            let best = exhaustive(&rows, 0, 4) / 4.0;
            prop_assert!((found[0].score - best).abs() < 1e-5, "{} {best}", found[0].score);
            prop_assert!(found.windows(2).all(|pair| pair[0].score >= pair[1].score));
        }
    }
}
