//! Cutting a long text into sequences that a model can read, so that every token is scored once.

use std::ops::Range;

/// A piece of a long sequence: the model reads `tokens` and the ones from `scored_from` on count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// The tokens of this window, context and scored ones, as a range of the whole sequence.
    pub tokens: Range<usize>,
    /// First scored token, as an index into the whole sequence; after the first of `tokens`.
    pub scored_from: usize,
}

/// The windows of lm-evaluation-harness' rolling log-likelihood.
///
/// The model reads at most `context_length` tokens to predict the next one, so a window spans one
/// token more. After the first window, each scores `context_length - min_context + 1` new tokens, the
/// first of them given at least `min_context` earlier ones (1, the harness' default, makes windows
/// that overlap in one token); the last window is moved back to be full. The first of the
/// `length` tokens is never scored: put a begin-of-text token there.
///
/// # Panics
/// Unless `1 <= min_context <= context_length`.
pub fn rolling(length: usize, context_length: usize, min_context: usize) -> Vec<Window> {
    assert!(
        (1..=context_length).contains(&min_context),
        "min_context {min_context} is outside 1..={context_length}"
    );
    let step = context_length - min_context + 1;
    let mut windows = Vec::new();
    let (mut scored_from, mut end) = (1, length.min(context_length + 1));
    while scored_from < length {
        let tokens = end.saturating_sub(context_length + 1)..end;
        windows.push(Window { tokens, scored_from });
        (scored_from, end) = (end, length.min(end + step));
    }
    windows
}

/// The windows of `transformers`' guide to perplexity: window `i` reads the `context_length` tokens
/// from `i · stride` on and scores those that no earlier window has scored. With a stride of
/// `context_length`, windows are separate and the first token of each is not scored.
///
/// # Panics
/// Unless `1 <= stride <= context_length`.
pub fn strided(length: usize, context_length: usize, stride: usize) -> Vec<Window> {
    assert!(
        (1..=context_length).contains(&stride),
        "stride {stride} is outside 1..={context_length}"
    );
    let mut windows = Vec::new();
    let (mut begin, mut scored) = (0, 0);
    while scored < length {
        let end = length.min(begin + context_length);
        let scored_from = scored.max(begin + 1);
        if scored_from < end {
            windows.push(Window { tokens: begin..end, scored_from });
        }
        (begin, scored) = (begin + stride, end);
    }
    windows
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Inputs and predictions of each window, over a sequence whose index 0 is the prefix token.
    fn check(windows: &[Window], expected: &[(Range<usize>, Range<usize>)]) {
        let actual: Vec<_> = windows
            .iter()
            .map(|w| (w.tokens.start..w.tokens.end - 1, w.scored_from..w.tokens.end))
            .collect();
        assert_eq!(actual, expected);
    }

    #[test]
    fn rolling_windows_are_those_of_the_harness_tests() {
        // lm-evaluation-harness, test_get_rolling_token_windows_v1 and _v2: 34 tokens after a prefix
        // token, 10 at a time. Its indices are one less than ours, which count the prefix.
        check(
            &rolling(35, 10, 1),
            &[(0..10, 1..11), (10..20, 11..21), (20..30, 21..31), (24..34, 31..35)],
        );
        check(
            &rolling(35, 10, 5),
            &[
                (0..10, 1..11),
                (6..16, 11..17),
                (12..22, 17..23),
                (18..28, 23..29),
                (24..34, 29..35),
            ],
        );
    }

    #[test]
    fn a_text_that_fits_is_one_window() {
        check(&rolling(11, 10, 1), &[(0..10, 1..11)]);
        check(&rolling(3, 10, 1), &[(0..2, 1..3)]);
        assert!(rolling(1, 10, 1).is_empty());
        assert!(rolling(0, 10, 1).is_empty());
    }

    #[test]
    fn separate_windows_leave_out_their_first_token() {
        check(&strided(70, 16, 16)[3..], &[(48..63, 49..64), (64..69, 65..70)]);
        assert_eq!(strided(65, 16, 16).len(), 4, "a window of one token scores nothing");
    }

    proptest! {
        #[test]
        fn every_token_but_the_first_is_scored_once_within_the_context(
            length in 0usize..200, context_length in 1usize..40, part in 0.0f64..1.0
        ) {
            let inner = 1 + (part * context_length as f64) as usize % context_length;
            let all: Vec<usize> = (1..length).collect();
            let scored = |windows: &[Window]| -> Vec<usize> {
                windows.iter().flat_map(|w| w.scored_from..w.tokens.end).collect()
            };
            let windows = rolling(length, context_length, inner);
            prop_assert_eq!(scored(&windows), all.clone());
            for window in &windows {
                prop_assert!(window.tokens.len() <= context_length + 1);
                let context = window.scored_from - window.tokens.start;
                prop_assert!(context >= inner.min(window.scored_from));
            }
            let windows = strided(length, context_length, inner);
            prop_assert!(windows.iter().all(|w| w.tokens.len() <= context_length && w.scored_from > w.tokens.start));
            if inner < context_length {
                prop_assert_eq!(scored(&windows), all);
            }
        }
    }
}
