//! Limiting the alphabet: Chinese text has thousands of characters that occur once.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

/// The characters of `words` that stay: all, or the `limit` most frequent; of equally frequent ones the smaller.
pub(super) fn kept_characters(words: &[(String, u64)], limit: Option<usize>) -> HashSet<char> {
    let mut counts: HashMap<char, u64> = HashMap::new();
    for (word, count) in words {
        for character in word.chars() {
            *counts.entry(character).or_default() += count;
        }
    }
    let mut characters: Vec<(Reverse<u64>, char)> =
        counts.into_iter().map(|(character, count)| (Reverse(count), character)).collect();
    characters.sort_unstable();
    characters.truncate(limit.unwrap_or(usize::MAX));
    characters.into_iter().map(|(_, character)| character).collect()
}

/// `word` without the characters that do not stay: the runs between them.
pub(super) fn runs_of<'word>(
    word: &'word str,
    kept: &HashSet<char>,
) -> impl Iterator<Item = &'word str> {
    word.split(|character| !kept.contains(&character)).filter(|run| !run.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_characters_stay_and_words_break_at_the_others() {
        let words = [("abxba".to_owned(), 3), ("xy".to_owned(), 1)];
        let kept = kept_characters(&words, Some(2));
        assert_eq!(kept, HashSet::from(['a', 'b']));
        assert_eq!(runs_of("abxba", &kept).collect::<Vec<_>>(), ["ab", "ba"]);
        assert_eq!(kept_characters(&words, None).len(), 4);
    }
}
