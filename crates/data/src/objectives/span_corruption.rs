//! Denoising for encoder-decoders: stretches of the text are replaced by sentinels, and the decoder
//! says what they were.
//!
//! Raffel et al., "Exploring the Limits of Transfer Learning with a Unified Text-to-Text
//! Transformer" (T5), 2019, section 3.1.4 (`span corruption`) and 3.3.2 (`i.i.d.` corruption). A
//! noise mask says which tokens are noise; [`corrupt`] makes the two sequences from it.

use serde::{Deserialize, Serialize};

use super::batch::Seq2SeqExample;
use super::check::{exclusive_fraction, mean_length};
use super::special_ids::{SpecialIds, required};
use crate::dice::Dice;
use crate::error::{DataError, Result};

/// T5's span corruption.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SpanCorruptionOptions {
    /// Share of the tokens that are noise.
    pub noise_density: f64,
    /// Mean length of a stretch of noise.
    pub mean_noise_span_length: f64,
}

impl Default for SpanCorruptionOptions {
    fn default() -> Self {
        Self { noise_density: 0.15, mean_noise_span_length: 3.0 }
    }
}

/// The lengths that belong together; see [`SpanCorruptionOptions::window_for`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CorruptedLengths {
    /// Tokens of text that an example takes.
    pub tokens_length: usize,
    /// Tokens that the encoder sees: what is left of the text, a sentinel per span, and the end.
    pub inputs_length: usize,
    /// Tokens that the decoder says: sentinels and noise, and the end.
    pub targets_length: usize,
}

impl SpanCorruptionOptions {
    /// Checks the values, and that the vocabulary has what they need.
    pub fn validate(&self, special: &SpecialIds) -> Result<()> {
        exclusive_fraction("noise_density", self.noise_density)?;
        mean_length("mean_noise_span_length", self.mean_noise_span_length)?;
        check_vocabulary(special, "span-corruption")
    }

    /// How many tokens of a text of `length` are noise, and in how many spans: both exact, whatever
    /// the seed. T5's rounding (half to even), with the number of spans kept to what both noise
    /// and text can be cut into.
    pub fn noise_counts(&self, length: usize) -> (usize, usize) {
        if length < 2 {
            return (0, 0);
        }
        let noise = (length as f64 * self.noise_density).round_ties_even() as usize;
        let noise = noise.clamp(1, length - 1);
        let spans = (noise as f64 / self.mean_noise_span_length).round_ties_even() as usize;
        (noise, spans.clamp(1, noise.min(length - noise)))
    }

    /// The lengths of the example that a text of `tokens_length` becomes.
    pub fn lengths(&self, tokens_length: usize) -> CorruptedLengths {
        let (noise, spans) = self.noise_counts(tokens_length);
        CorruptedLengths {
            tokens_length,
            inputs_length: tokens_length - noise + spans + 1,
            targets_length: noise + spans + 1,
        }
    }

    /// The longest text whose example has at most `inputs_length` encoder tokens: with T5's
    /// densities exactly that many, so that nothing is padded. With a density of one half the
    /// targets may come out one longer than the inputs, and then the text is one shorter, as in T5.
    pub fn window_for(&self, inputs_length: usize) -> CorruptedLengths {
        let mut tokens = inputs_length.saturating_sub(1);
        while self.lengths(tokens + 1).inputs_length <= inputs_length {
            tokens += 1;
        }
        let lengths = self.lengths(tokens);
        if self.noise_density == 0.5 && lengths.targets_length > inputs_length {
            return self.lengths(tokens.saturating_sub(1));
        }
        lengths
    }

    /// T5's random noise mask: text and noise are each cut into as many pieces at random, and the
    /// pieces alternate, text first.
    pub fn noise_mask(&self, length: usize, seed: u64) -> Vec<bool> {
        let (noise, spans) = self.noise_counts(length);
        let mut dice = Dice::new(seed, 0);
        let noise_lengths = random_segmentation(noise, spans, &mut dice);
        let text_lengths = random_segmentation(length - noise, spans, &mut dice);
        let mut mask = Vec::with_capacity(length);
        for (text, noise) in text_lengths.into_iter().zip(noise_lengths) {
            mask.resize(mask.len() + text, false);
            mask.resize(mask.len() + noise, true);
        }
        // A text too short to be corrupted has no pieces.
        mask.resize(length, false);
        mask
    }

    /// Corrupts a window; the same arguments give the same example.
    pub fn apply(&self, special: &SpecialIds, window: &[u32], seed: u64) -> Result<Seq2SeqExample> {
        let mask = self.noise_mask(window.len(), seed);
        example(special, window, &mask, "span-corruption")
    }
}

/// I.i.d. denoising: each token is noise by itself.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IidDenoisingOptions {
    /// Probability that a token is noise.
    pub noise_density: f64,
}

impl Default for IidDenoisingOptions {
    fn default() -> Self {
        Self { noise_density: 0.15 }
    }
}

impl IidDenoisingOptions {
    /// Checks the values, and that the vocabulary has what they need.
    pub fn validate(&self, special: &SpecialIds) -> Result<()> {
        exclusive_fraction("noise_density", self.noise_density)?;
        check_vocabulary(special, "iid-denoising")
    }

    /// Each token is noise with the same probability, independently.
    pub fn noise_mask(&self, length: usize, seed: u64) -> Vec<bool> {
        let mut dice = Dice::new(seed, 0);
        (0..length).map(|_| dice.chance(self.noise_density)).collect()
    }

    /// Corrupts a window; the same arguments give the same example. Runs of noise past the last
    /// sentinel of the vocabulary stay text.
    pub fn apply(&self, special: &SpecialIds, window: &[u32], seed: u64) -> Result<Seq2SeqExample> {
        let mut mask = self.noise_mask(window.len(), seed);
        keep_runs(&mut mask, special.sentinels.len());
        example(special, window, &mask, "iid-denoising")
    }
}

/// Replaces each run of noise by one sentinel. Gives the inputs, and the targets: sentinel and
/// noise of each run. Both end with `eos`.
///
/// Fails if there are more runs than sentinels.
///
/// ```
/// use wuji_data::objectives::corrupt;
/// let noise = [false, true, true, false, true];
/// let (inputs, targets) = corrupt(&[10, 11, 12, 13, 14], &noise, &[99, 98], 1)?;
/// assert_eq!(inputs, [10, 99, 13, 98, 1]);
/// assert_eq!(targets, [99, 11, 12, 98, 14, 1]);
/// # Ok::<(), wuji_data::DataError>(())
/// ```
pub fn corrupt(
    tokens: &[u32],
    noise_mask: &[bool],
    sentinels: &[u32],
    eos: u32,
) -> Result<(Vec<u32>, Vec<u32>)> {
    let (mut inputs, mut targets) = (Vec::new(), Vec::new());
    let mut runs = 0;
    let mut inside = false;
    for (&token, &noise) in tokens.iter().zip(noise_mask) {
        if noise && !inside {
            let sentinel = *sentinels.get(runs).ok_or_else(|| too_few(noise_mask, sentinels))?;
            inputs.push(sentinel);
            targets.push(sentinel);
            runs += 1;
        }
        if noise {
            targets.push(token)
        } else {
            inputs.push(token)
        }
        inside = noise;
    }
    inputs.push(eos);
    targets.push(eos);
    Ok((inputs, targets))
}

fn example(
    special: &SpecialIds,
    window: &[u32],
    mask: &[bool],
    objective: &str,
) -> Result<Seq2SeqExample> {
    if !mask.contains(&true) {
        // Nothing to say: what the decoder would learn from this is to say nothing.
        return Ok(Seq2SeqExample { source: window.to_vec(), labels: Vec::new() });
    }
    let eos = required("eos", special.eos, objective)?;
    let (source, targets) = corrupt(window, mask, &special.sentinels, eos)?;
    Ok(Seq2SeqExample { source, labels: targets.into_iter().map(i64::from).collect() })
}

fn check_vocabulary(special: &SpecialIds, objective: &str) -> Result<()> {
    required("sentinels", special.sentinels.first().copied(), objective)?;
    required("eos", special.eos, objective).map(drop)
}

fn too_few(noise_mask: &[bool], sentinels: &[u32]) -> DataError {
    let runs = noise_mask.chunk_by(|a, b| a == b).filter(|run| run[0]).count();
    DataError::InvalidOption {
        key: "special.sentinels".to_owned(),
        reason: format!(
            "expected at least {runs}, one for each span of noise, got {}; use a shorter context or longer spans",
            sentinels.len()
        ),
    }
}

/// Turns off all runs of noise but the first `max`.
fn keep_runs(mask: &mut [bool], max: usize) {
    let mut runs = 0;
    let mut inside = false;
    for noise in mask {
        runs += usize::from(*noise && !inside);
        inside = *noise;
        *noise &= runs <= max;
    }
}

/// Cuts `items` into `segments` lengths of at least 1, each way of cutting as likely as the next.
///
/// # Panics
/// If there are fewer items than segments.
fn random_segmentation(items: usize, segments: usize, dice: &mut Dice) -> Vec<usize> {
    if segments == 0 {
        return Vec::new();
    }
    assert!(segments <= items, "{items} items cannot make {segments} segments");
    // Of the gaps between neighbours, all but one segment's worth are cuts.
    let mut cuts: Vec<bool> = (1..items).map(|gap| gap < segments).collect();
    dice.shuffle(&mut cuts);
    let mut lengths = vec![1];
    for cut in cuts {
        match lengths.last_mut() {
            Some(last) if !cut => *last += 1,
            _ => lengths.push(1),
        }
    }
    lengths
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_window_of_512_inputs_is_that_of_t5() {
        // The figures of T5's own configuration: 512 tokens in, 114 out, from 568 of text.
        let lengths = SpanCorruptionOptions::default().window_for(512);
        let expected =
            CorruptedLengths { tokens_length: 568, inputs_length: 512, targets_length: 114 };
        assert_eq!(lengths, expected);
    }

    #[test]
    fn short_texts_are_corrupted_as_far_as_they_can_be() {
        let options = SpanCorruptionOptions::default();
        let check =
            |length, expected| assert_eq!(options.noise_counts(length), expected, "{length}");
        check(0, (0, 0));
        check(1, (0, 0));
        check(2, (1, 1));
        check(20, (3, 1));
        check(100, (15, 5));
        assert_eq!(options.noise_mask(1, 0), [false]);
        // 30 tokens of noise would be 10 spans, but 3 of text can only be cut into 3.
        let dense = SpanCorruptionOptions { noise_density: 0.9, mean_noise_span_length: 3.0 };
        assert_eq!(dense.noise_counts(33), (30, 3));
    }

    proptest! {
        #[test]
        fn the_mask_has_exactly_the_noise_and_the_spans_and_begins_with_text(
            length in 2_usize..400, density in 0.05_f64..0.95, mean in 1.0_f64..10.0, seed: u64,
        ) {
            let options = SpanCorruptionOptions { noise_density: density, mean_noise_span_length: mean };
            let mask = options.noise_mask(length, seed);
            let noise = mask.iter().filter(|&&noise| noise).count();
            let spans = mask.chunk_by(|a, b| a == b).filter(|run| run[0]).count();
            prop_assert_eq!(mask.len(), length);
            prop_assert_eq!((noise, spans), options.noise_counts(length));
            prop_assert!(!mask[0] && mask[length - 1]);
        }

        #[test]
        fn examples_have_exactly_the_lengths_of_the_arithmetic(
            inputs_length in 8_usize..300, density in 0.05_f64..0.6, mean in 1.0_f64..8.0, seed: u64,
        ) {
            let options = SpanCorruptionOptions { noise_density: density, mean_noise_span_length: mean };
            let lengths = options.window_for(inputs_length);
            let special = SpecialIds { eos: Some(1), ..SpecialIds::new(1000) }
                .with_descending_sentinels(200);
            let window: Vec<u32> = (2..).take(lengths.tokens_length).collect();
            let example = options.apply(&special, &window, seed).expect("enough sentinels");
            prop_assert_eq!(example.source.len(), lengths.inputs_length);
            prop_assert_eq!(example.labels.len(), lengths.targets_length);
            prop_assert!(lengths.inputs_length <= inputs_length);
            prop_assert!(options.lengths(lengths.tokens_length + 1).inputs_length > inputs_length);
        }
    }

    #[test]
    fn more_spans_than_sentinels_is_an_error_that_says_how_many() {
        let error = corrupt(&[5, 6, 7], &[true, false, true], &[9], 1).expect_err("too few");
        let message = error.to_string();
        assert!(message.starts_with("special.sentinels: expected at least 2"), "{message}");
    }

    #[test]
    fn iid_noise_past_the_last_sentinel_stays_text() {
        let mut mask = vec![true, true, false, true, false, true, true];
        keep_runs(&mut mask, 2);
        assert_eq!(mask, [true, true, false, true, false, false, false]);
    }
}
