//! Prefix language modelling: a prefix is read in both directions, and the model continues it.
//!
//! Liu et al., "Generating Wikipedia by Summarizing Long Sequences", 2018; Raffel et al., "T5",
//! 2019, section 3.2. The loss is on what comes after the prefix only.

use serde::{Deserialize, Serialize};

use super::batch::MaskedExample;
use crate::dice::Dice;
use crate::loader::IGNORE_INDEX;

/// Prefix language modelling has no options: the prefix's length is uniform.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PrefixLmOptions {}

impl PrefixLmOptions {
    /// An example from a window of n tokens: n − 1 positions, each with the next token as its label
    /// where that is past the prefix. The same arguments give the same example.
    pub fn apply(&self, window: &[u32], seed: u64) -> MaskedExample {
        let (inputs, labels) = next_tokens(window);
        prefix_example(inputs, labels, prefix_length(window.len(), seed))
    }
}

/// A prefix of a text of `len` tokens: uniform from 1 to `len − 1`, so that something is given and
/// something is to be said. 0 for a text of less than two tokens.
pub fn prefix_length(len: usize, seed: u64) -> usize {
    match len {
        0 | 1 => 0,
        _ => 1 + Dice::new(seed, 0).below(len - 1),
    }
}

/// An example of a given prefix. `labels[t]` is the token after `inputs[t]`, or [`IGNORE_INDEX`];
/// those inside the prefix are ignored.
pub fn prefix_example(
    input_ids: Vec<u32>,
    mut labels: Vec<i64>,
    prefix_len: usize,
) -> MaskedExample {
    // labels[t] is token t + 1 of the text, which is in the prefix if t + 1 < prefix_len.
    let inside = prefix_len.saturating_sub(1).min(labels.len());
    labels[..inside].fill(IGNORE_INDEX);
    MaskedExample { input_ids, labels, prefix_len: Some(prefix_len), ..MaskedExample::default() }
}

/// What a causal model sees of a window, and the token after each position.
pub(super) fn next_tokens(window: &[u32]) -> (Vec<u32>, Vec<i64>) {
    let Some((_, inputs)) = window.split_last() else { return (Vec::new(), Vec::new()) };
    (inputs.to_vec(), window[1..].iter().map(|&id| i64::from(id)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loss_begins_with_the_first_token_after_the_prefix() {
        let (inputs, labels) = next_tokens(&[10, 11, 12, 13, 14]);
        let example = prefix_example(inputs, labels, 3);
        assert_eq!(example.input_ids, [10, 11, 12, 13]);
        assert_eq!(example.labels, [-100, -100, 13, 14]);
    }

    #[test]
    fn windows_too_short_to_continue_have_no_loss() {
        for window in [&[][..], &[7]] {
            let example = PrefixLmOptions {}.apply(window, 1);
            assert!(example.labels.is_empty() && example.input_ids.is_empty());
        }
        let two = PrefixLmOptions {}.apply(&[7, 8], 1);
        assert_eq!((two.labels, two.prefix_len), (vec![8], Some(1)));
    }
}
