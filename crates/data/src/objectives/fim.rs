//! Fill in the middle: a text is cut in three and written with its middle last, so that a causal
//! model learns to fill gaps.
//!
//! Bavarian et al., "Efficient Training of Language Models to Fill in the Middle", 2022. The loss is
//! next-token prediction over all of it, as there.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::check::probability;
use super::special_ids::{SpecialIds, required};
use crate::dice::Dice;
use crate::error::Result;

/// How often, and in which order.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FillInTheMiddleOptions {
    /// Share of the documents that are rearranged.
    pub fim_rate: f64,
    /// Of those, the share written suffix first (SPM); the others have the prefix first (PSM).
    pub spm_rate: f64,
}

impl Default for FillInTheMiddleOptions {
    fn default() -> Self {
        Self { fim_rate: 0.5, spm_rate: 0.5 }
    }
}

/// The three tokens that mark the parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FimIds {
    /// Before the prefix.
    pub prefix: u32,
    /// Before the middle.
    pub middle: u32,
    /// Before the suffix.
    pub suffix: u32,
}

impl FillInTheMiddleOptions {
    /// Checks the values, and that the vocabulary has what they need.
    pub fn validate(&self, special: &SpecialIds) -> Result<()> {
        probability("fim_rate", self.fim_rate)?;
        probability("spm_rate", self.spm_rate)?;
        Self::ids(special).map(drop)
    }

    fn ids(special: &SpecialIds) -> Result<FimIds> {
        Ok(FimIds {
            prefix: required("fim_prefix", special.fim_prefix, "fill-in-the-middle")?,
            middle: required("fim_middle", special.fim_middle, "fill-in-the-middle")?,
            suffix: required("fim_suffix", special.fim_suffix, "fill-in-the-middle")?,
        })
    }

    /// A window of the same length, in which documents are rearranged; a document ends with the end
    /// of text, which stays where it is. A rearranged document is three tokens longer, so the end
    /// of the window is cut. The same arguments give the same window.
    pub fn apply(&self, special: &SpecialIds, window: &[u32], seed: u64) -> Result<Vec<u32>> {
        let ids = Self::ids(special)?;
        let mut dice = Dice::new(seed, 0);
        let mut rearranged = Vec::with_capacity(window.len() + 3);
        for document in window.split_inclusive(|&id| special.eos == Some(id)) {
            let ends = document.last().is_some_and(|&id| special.eos == Some(id));
            let (text, end) = document.split_at(document.len() - usize::from(ends));
            rearranged.extend(self.rearrange(text, ids, &mut dice));
            rearranged.extend_from_slice(end);
        }
        rearranged.truncate(window.len());
        Ok(rearranged)
    }

    fn rearrange(&self, text: &[u32], ids: FimIds, dice: &mut Dice) -> Vec<u32> {
        if text.is_empty() || !dice.chance(self.fim_rate) {
            return text.to_vec();
        }
        // Two cuts, each between any two tokens or at an end.
        let (a, b) = (dice.below(text.len() + 1), dice.below(text.len() + 1));
        let middle = a.min(b)..a.max(b);
        if dice.chance(self.spm_rate) { spm(text, middle, ids) } else { psm(text, middle, ids) }
    }
}

/// Prefix, suffix, middle: `[prefix] P [suffix] S [middle] M`.
///
/// # Panics
/// If the middle is no range of the text.
pub fn psm(text: &[u32], middle: Range<usize>, ids: FimIds) -> Vec<u32> {
    let (p, m, s) = (&text[..middle.start], &text[middle.clone()], &text[middle.end..]);
    [&[ids.prefix], p, &[ids.suffix], s, &[ids.middle], m].concat()
}

/// Suffix, prefix, middle, in the variant whose prefix runs on into the middle:
/// `[prefix] [suffix] S [middle] P M`.
///
/// # Panics
/// If the middle is no range of the text.
pub fn spm(text: &[u32], middle: Range<usize>, ids: FimIds) -> Vec<u32> {
    let (p, m, s) = (&text[..middle.start], &text[middle.clone()], &text[middle.end..]);
    [&[ids.prefix, ids.suffix], s, &[ids.middle], p, m].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn special() -> SpecialIds {
        SpecialIds {
            eos: Some(0),
            fim_prefix: Some(1),
            fim_middle: Some(2),
            fim_suffix: Some(3),
            ..SpecialIds::new(100)
        }
    }

    #[test]
    fn a_rearranged_window_keeps_its_length_and_its_ends_of_text() {
        let window = [10, 11, 12, 0, 20, 21, 22, 23, 0, 30, 31, 32, 33, 34, 35, 36, 37];
        let options = FillInTheMiddleOptions { fim_rate: 1.0, spm_rate: 0.5 };
        for seed in 0..20 {
            let out = options.apply(&special(), &window, seed).expect("has the tokens");
            assert_eq!(out.len(), window.len());
            assert_eq!((out[6], out[14]), (0, 0), "{out:?}");
            let mut first: Vec<u32> = out[..6].iter().copied().filter(|&id| id > 3).collect();
            first.sort_unstable();
            assert_eq!(first, [10, 11, 12]);
        }
    }

    #[test]
    fn a_rate_of_zero_changes_nothing() {
        let options = FillInTheMiddleOptions { fim_rate: 0.0, spm_rate: 0.5 };
        let window: Vec<u32> = (10..50).collect();
        assert_eq!(options.apply(&special(), &window, 3).expect("has the tokens"), window);
    }
}
