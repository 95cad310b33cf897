//! Longest common subsequences of word lists, and their union over lines.

use std::collections::{BTreeSet, HashMap};

/// Length of the longest common subsequence of every pair of prefixes, row by row.
fn table(reference: &[String], summary: &[String]) -> Vec<Vec<u32>> {
    let mut rows = vec![vec![0; summary.len() + 1]];
    for word in reference {
        let above = &rows[rows.len() - 1];
        let mut row = vec![0];
        for (column, other) in summary.iter().enumerate() {
            let longest =
                if word == other { above[column] + 1 } else { above[column + 1].max(row[column]) };
            row.push(longest);
        }
        rows.push(row);
    }
    rows
}

/// The length of the longest common subsequence.
pub(super) fn length(reference: &[String], summary: &[String]) -> u32 {
    let mut above = vec![0_u32; summary.len() + 1];
    for word in reference {
        let mut diagonal = 0;
        for (column, other) in summary.iter().enumerate() {
            let longest =
                if word == other { diagonal + 1 } else { above[column + 1].max(above[column]) };
            diagonal = std::mem::replace(&mut above[column + 1], longest);
        }
    }
    above[summary.len()]
}

/// Positions in the reference of one longest common subsequence: of several, the one that
/// rouge-score finds, because the union over lines depends on it.
fn positions(reference: &[String], summary: &[String]) -> Vec<usize> {
    let table = table(reference, summary);
    let (mut row, mut column) = (reference.len(), summary.len());
    let mut positions = Vec::new();
    while row > 0 && column > 0 {
        if reference[row - 1] == summary[column - 1] {
            positions.push(row - 1);
            row -= 1;
            column -= 1;
        } else if table[row][column - 1] > table[row - 1][column] {
            column -= 1;
        } else {
            row -= 1;
        }
    }
    positions
}

/// Over the lines of the reference, how many words are in a common subsequence with some line of
/// the summary; no word counts more often than both texts have it.
pub(super) fn shared_over_lines(reference: &[Vec<String>], summary: &[Vec<String>]) -> u64 {
    let (mut of_reference, mut of_summary) = (counts(reference), counts(summary));
    let mut shared = 0;
    for line in reference {
        let union: BTreeSet<usize> =
            summary.iter().flat_map(|other| positions(line, other)).collect();
        for at in union {
            let word = line[at].as_str();
            let left = (of_reference.get_mut(word), of_summary.get_mut(word));
            if let (Some(in_reference @ 1..), Some(in_summary @ 1..)) = left {
                *in_reference -= 1;
                *in_summary -= 1;
                shared += 1;
            }
        }
    }
    shared
}

fn counts(lines: &[Vec<String>]) -> HashMap<&str, u64> {
    let mut counts = HashMap::new();
    for word in lines.iter().flatten() {
        *counts.entry(word.as_str()).or_insert(0) += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(text: &str) -> Vec<String> {
        text.chars().map(String::from).collect()
    }

    proptest! {
        #[test]
        fn positions_spell_a_subsequence_of_the_longest_length(
            reference in "[abc]{0,12}", summary in "[abc]{0,12}"
        ) {
            let (reference, summary) = (words(&reference), words(&summary));
            let mut positions = positions(&reference, &summary);
            positions.reverse();
            prop_assert_eq!(positions.len(), length(&reference, &summary) as usize);
            let mut rest = summary.iter();
            prop_assert!(positions.iter().all(|at| rest.any(|word| *word == reference[*at])));
        }
    }

    #[test]
    fn a_word_counts_no_more_often_than_both_have_it() {
        let (once, twice) = ([words("ab")], [words("ab"), words("ab")]);
        assert_eq!(shared_over_lines(&twice, &once), 2);
        assert_eq!(shared_over_lines(&once, &twice), 2);
        assert_eq!(shared_over_lines(&twice, &twice), 4);
    }

    #[test]
    fn a_line_shares_what_any_line_of_the_summary_has_of_it() {
        let summary = [words("abfgh"), words("achie")];
        assert_eq!(shared_over_lines(&[words("abcde")], &summary), 4);
    }
}
