//! The greedy search for shifts: as long as moving some run of words towards its place in the
//! reference brings the texts closer, the best such move is made and counts as one edit.
//!
//! Limits and the order of preference are Tercom's, as sacreBLEU has them.

use std::cmp::Reverse;

use super::edit_distance::{Alignment, EditDistance};

/// The longest run that is moved.
const MAX_SHIFT_SIZE: usize = 10;

/// The farthest that a run may be from its place.
const MAX_SHIFT_DISTANCE: usize = 50;

/// Moves that are tried for one pair of texts before the search ends.
const MAX_SHIFT_CANDIDATES: usize = 1000;

/// A move of `length` words at `start` to just before the word at `target`.
#[derive(Clone, Copy, Debug)]
struct Shift {
    start: usize,
    length: usize,
    target: usize,
}

/// The order of preference among moves: what it brings, then longer, earlier, to an earlier place.
type Rank = (i64, usize, Reverse<usize>, Reverse<usize>);

/// The number of edits, shifts among them, that turn the hypothesis into the reference.
pub(super) fn edits(hypothesis: &[u32], reference: &[u32]) -> usize {
    if reference.is_empty() {
        return hypothesis.len();
    }
    let mut words = hypothesis.to_vec();
    let (mut shifts, mut tried) = (0, 0);
    loop {
        let mut distance = EditDistance::new(&words, reference);
        let before = distance.distance();
        let best = best_shift(&words, reference, &mut distance, &mut tried);
        match best {
            Some((gain, shift)) if gain > 0 && tried < MAX_SHIFT_CANDIDATES => {
                words = shift.apply(&words);
                shifts += 1;
            }
            _ => return shifts + before,
        }
    }
}

/// The move that brings most, which may be nothing or less. Counts the moves that it tries.
fn best_shift(
    words: &[u32],
    reference: &[u32],
    distance: &mut EditDistance<'_>,
    tried: &mut usize,
) -> Option<(i64, Shift)> {
    let alignment = distance.alignment();
    let before = distance.distance() as i64;
    let mut best: Option<(Rank, Shift)> = None;
    for (start, place, length) in common_runs(words, reference) {
        if !worth_trying(&alignment, start, place, length) {
            continue;
        }
        for target in targets(&alignment, place, length) {
            let shift = Shift { start, length, target };
            let after = distance.distance_of(&shift.apply(words), start.min(target)) as i64;
            let rank = (before - after, length, Reverse(start), Reverse(target));
            *tried += 1;
            if best.as_ref().is_none_or(|(best, _)| rank > *best) {
                best = Some((rank, shift));
            }
        }
        if *tried >= MAX_SHIFT_CANDIDATES {
            break;
        }
    }
    best.map(|(rank, shift)| (rank.0, shift))
}

/// Whether both texts are wrong where the run is and where it belongs, and it is not there already.
fn worth_trying(alignment: &Alignment, start: usize, place: usize, length: usize) -> bool {
    let wrong = |errors: &[bool]| errors.iter().any(|wrong| *wrong);
    // The word of the hypothesis at the place of the run; none if the place is before all of them.
    let at = alignment.ends[place].checked_sub(1);
    wrong(&alignment.hypothesis_errors[start..start + length])
        && wrong(&alignment.reference_errors[place..place + length])
        && at.is_none_or(|at| at < start || at >= start + length)
}

/// Where a run that belongs at `place` may go: behind the word before its place, and behind each
/// word that now is at its place; every target once.
fn targets(alignment: &Alignment, place: usize, length: usize) -> Vec<usize> {
    let before = if place == 0 { 0 } else { alignment.ends[place - 1] };
    let mut targets = vec![before];
    targets.extend_from_slice(&alignment.ends[place..place + length]);
    targets.dedup();
    targets
}

/// The runs of words that both texts have: where they start in each, and their length.
fn common_runs<'a>(
    words: &'a [u32],
    reference: &'a [u32],
) -> impl Iterator<Item = (usize, usize, usize)> + 'a {
    let starts = (0..words.len()).flat_map(move |start| {
        let first = start.saturating_sub(MAX_SHIFT_DISTANCE);
        let last = reference.len().min(start + MAX_SHIFT_DISTANCE + 1);
        (first..last).map(move |place| (start, place))
    });
    starts.flat_map(move |(start, place)| {
        let pairs = words[start..].iter().zip(&reference[place..]);
        let longest = pairs.take(MAX_SHIFT_SIZE).take_while(|(a, b)| a == b).count();
        (1..=longest).map(move |length| (start, place, length))
    })
}

impl Shift {
    /// The words after the move. A target inside the run moves it as far behind the words that
    /// follow it.
    fn apply(self, words: &[u32]) -> Vec<u32> {
        let Self { start, length, target } = self;
        let end = start + length;
        let run = &words[start..end];
        if target < start {
            [&words[..target], run, &words[target..start], &words[end..]].concat()
        } else if target > end {
            [&words[..start], &words[end..target], run, &words[target..]].concat()
        } else {
            let past = (length + target).min(words.len());
            [&words[..start], &words[end..past], run, &words[past..]].concat()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shifts_keep_all_words() {
        let words = [0, 1, 2, 3, 4, 5];
        let shifted = |start, length, target| Shift { start, length, target }.apply(&words);
        assert_eq!(shifted(3, 2, 1), [0, 3, 4, 1, 2, 5]);
        assert_eq!(shifted(0, 2, 5), [2, 3, 4, 0, 1, 5]);
        assert_eq!(shifted(1, 2, 2), [0, 3, 1, 2, 4, 5]);
        assert_eq!(shifted(1, 3, 4), [0, 4, 5, 1, 2, 3]);
    }

    #[test]
    fn runs_are_found_with_all_their_lengths() {
        let runs: Vec<_> = common_runs(&[1, 2, 3], &[9, 1, 2]).collect();
        assert_eq!(runs, [(0, 1, 1), (0, 1, 2), (1, 2, 1)]);
    }

    #[test]
    fn edits_count_shifts_once() {
        assert_eq!(edits(&[3, 4, 0, 1, 2], &[0, 1, 2, 3, 4]), 1);
        assert_eq!(edits(&[], &[1, 2]), 2);
        assert_eq!(edits(&[1, 2], &[]), 2);
    }
}
