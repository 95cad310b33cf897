//! Tokens of held-out text, hidden one at a time, for every objective in its own way: what the
//! networks can all be asked.
//!
//! Of a masked language model this is the pseudo-log-likelihood of Salazar et al. (2020). A model of
//! spans or blanks says how likely the token is as the first of what was left out, of whatever
//! length. Next-token prediction sees only what comes before.

use wuji_classical::KneserNey;
use wuji_data::objectives::{
    Blanks, MaskedBatch, MaskedExample, Seq2SeqBatch, Seq2SeqCollation, Seq2SeqExample, SpecialIds,
    corrupt, infill, step_seed,
};
use wuji_data::{BatchLoader, DataError, IGNORE_INDEX, TokenBatch};
use wuji_training::LabelScore;

use crate::WujiError;

/// Rows of a batch.
const ROWS: usize = 32;

/// Windows of text, and places in them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct HiddenTokens {
    windows: Vec<Vec<u32>>,
    places: Vec<Place>,
}

/// A token of a window; never its first, which has nothing before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    window: usize,
    position: usize,
}

impl HiddenTokens {
    /// Takes `count` windows spread evenly over those of `text`, which has one in each batch, and in
    /// each of them `per_window` places, one in each of as many equal stretches.
    pub(super) fn choose(
        text: &BatchLoader,
        special: &SpecialIds,
        count: usize,
        per_window: usize,
    ) -> Result<Self, WujiError> {
        let all = text.batches_per_epoch();
        let count = (count as u64).min(all);
        let (mut windows, mut places) = (Vec::new(), Vec::new());
        for window in 0..count {
            let ids = text.batch(window * all / count, 0)?.input_ids;
            let stretch = ((ids.len() - 1) / per_window.max(1)).max(1);
            let positions = (0..per_window).map(|part| {
                let offset = step_seed(window, part as u64, 0) % stretch as u64;
                1 + part * stretch + offset as usize
            });
            let number = windows.len();
            let is_text = |position: &usize| {
                ids.get(*position).is_some_and(|token| !special.is_special(*token))
            };
            places.extend(
                positions.filter(is_text).map(|position| Place { window: number, position }),
            );
            windows.push(ids);
        }
        Ok(Self { windows, places })
    }

    /// The window of each token: tokens of one are no independent sample.
    pub(super) fn window_of_each(&self) -> Vec<usize> {
        self.places.iter().map(|place| place.window).collect()
    }

    /// How an n-gram model does, which sees the tokens before.
    pub(super) fn score_ngram(&self, model: &KneserNey) -> Vec<LabelScore> {
        let mut distribution = Vec::new();
        let mut score = |place: &Place| {
            let window = &self.windows[place.window];
            model.distribution(&window[..place.position], &mut distribution);
            let probability = distribution[window[place.position] as usize];
            let is_best = distribution.iter().all(|other| *other <= probability);
            LabelScore { log_prob: probability.ln(), is_best }
        };
        self.places.iter().map(&mut score).collect()
    }

    /// For next-token prediction: the label is where the token before is read.
    pub(super) fn next_tokens(&self, _: &SpecialIds) -> Result<Vec<TokenBatch>, WujiError> {
        let batch = |places: &[Place]| {
            let context = self.windows[places[0].window].len();
            let mut labels = vec![IGNORE_INDEX; places.len() * context];
            for (row, place) in places.iter().enumerate() {
                labels[row * context + place.position - 1] = self.token(place);
            }
            let input_ids = places.iter().flat_map(|place| self.windows[place.window].clone());
            Ok(TokenBatch {
                batch: places.len(),
                context,
                input_ids: input_ids.collect(),
                labels,
                segment_ids: None,
                position_ids: None,
            })
        };
        self.places.chunks(ROWS).map(batch).collect()
    }

    /// For masked language modelling: the token is a mask.
    pub(super) fn masks(&self, special: &SpecialIds) -> Result<Vec<MaskedBatch>, WujiError> {
        let mask = required(special.mask, "mask")?;
        self.masked_batches(special, |place, window| {
            let (mut input_ids, mut labels) = (window.to_vec(), vec![IGNORE_INDEX; window.len()]);
            input_ids[place.position] = mask;
            labels[place.position] = self.token(place);
            MaskedExample { input_ids, labels, ..MaskedExample::default() }
        })
    }

    /// For blank infilling: a blank of one token, asked for behind the text. That the piece ends
    /// after it is not asked.
    pub(super) fn blanks(&self, special: &SpecialIds) -> Result<Vec<MaskedBatch>, WujiError> {
        let mask = required(special.mask, "mask")?;
        let start = required(special.start_of_piece, "start_of_piece")?;
        let end = required(special.end_of_piece, "end_of_piece")?;
        self.masked_batches(special, |place, window| {
            let span = place.position..place.position + 1;
            let blanks = Blanks { mask, spans: vec![span], order: vec![0] };
            let mut example = infill(window, &blanks, start, end);
            if let Some(end) = example.labels.last_mut() {
                *end = IGNORE_INDEX;
            }
            example
        })
    }

    /// For span corruption: a span of one token. The decoder is given the sentinel, and is asked
    /// neither for it nor for the end.
    pub(super) fn spans(&self, special: &SpecialIds) -> Result<Vec<Seq2SeqBatch>, WujiError> {
        let end = required(special.eos, "eos")?;
        let pad = special.padding();
        let collation = Seq2SeqCollation { pad, decoder_start: pad, ..Seq2SeqCollation::default() };
        let example = |place: &Place| {
            let window = &self.windows[place.window];
            let noise: Vec<bool> = (0..window.len()).map(|at| at == place.position).collect();
            let (source, target) = corrupt(window, &noise, &special.sentinels, end)?;
            Ok::<_, DataError>(Seq2SeqExample::new(&source, &target))
        };
        let batch = |places: &[Place]| {
            let examples = places.iter().map(example).collect::<Result<Vec<_>, _>>()?;
            let mut batch = collation.collate(&examples)?;
            for row in batch.labels.chunks_exact_mut(batch.target_len) {
                // Sentinel, token, end.
                row[0] = IGNORE_INDEX;
                row[2..].fill(IGNORE_INDEX);
            }
            Ok(batch)
        };
        self.places.chunks(ROWS).map(batch).collect()
    }

    fn masked_batches(
        &self,
        special: &SpecialIds,
        example: impl Fn(&Place, &[u32]) -> MaskedExample,
    ) -> Result<Vec<MaskedBatch>, WujiError> {
        let example = |place: &Place| example(place, &self.windows[place.window]);
        let batch = |places: &[Place]| {
            let examples: Vec<MaskedExample> = places.iter().map(example).collect();
            Ok(MaskedBatch::collate(&examples, special, None)?)
        };
        self.places.chunks(ROWS).map(batch).collect()
    }

    fn token(&self, place: &Place) -> i64 {
        i64::from(self.windows[place.window][place.position])
    }
}

fn required(id: Option<u32>, role: &str) -> Result<u32, DataError> {
    id.ok_or_else(|| DataError::InvalidOption {
        key: format!("special.{role}"),
        reason: "expected a tokenizer with this special token, got one without".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn special() -> SpecialIds {
        SpecialIds {
            pad: Some(90),
            mask: Some(91),
            eos: Some(92),
            start_of_piece: Some(93),
            end_of_piece: Some(94),
            sentinels: vec![95],
            ..SpecialIds::new(100)
        }
    }

    fn hidden() -> HiddenTokens {
        let places = vec![Place { window: 0, position: 2 }, Place { window: 0, position: 1 }];
        HiddenTokens { windows: vec![vec![10, 11, 12, 13]], places }
    }

    fn asked(labels: &[i64]) -> Vec<i64> {
        labels.iter().copied().filter(|label| *label != IGNORE_INDEX).collect()
    }

    #[test]
    fn every_objective_is_asked_for_the_same_tokens() {
        let (hidden, special) = (hidden(), special());
        let next = &hidden.next_tokens(&special).unwrap()[0];
        let masks = &hidden.masks(&special).unwrap()[0];
        let blanks = &hidden.blanks(&special).unwrap()[0];
        let spans = &hidden.spans(&special).unwrap()[0];
        for labels in [&next.labels, &masks.labels, &blanks.labels, &spans.labels] {
            assert_eq!(asked(labels), [12, 11]);
        }
        assert_eq!(next.labels[..4], [IGNORE_INDEX, 12, IGNORE_INDEX, IGNORE_INDEX]);
    }

    #[test]
    fn the_token_itself_is_nowhere_to_be_seen() {
        let (hidden, special) = (hidden(), special());
        assert_eq!(hidden.masks(&special).unwrap()[0].input_ids[..4], [10, 11, 91, 13]);
        let blanks = &hidden.blanks(&special).unwrap()[0];
        // What was asked for is read after it has been said.
        assert_eq!(blanks.input_ids[..6], [10, 11, 91, 13, 93, 12]);
        assert!((0..5).all(|query| !blanks.attends(0, query, 5)));
        let spans = &hidden.spans(&special).unwrap()[0];
        assert_eq!(spans.input_ids[..5], [10, 11, 95, 13, 92]);
        assert_eq!(spans.decoder_input_ids[..3], [90, 95, 12]);
    }
}
