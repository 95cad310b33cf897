//! What a text is made of: words, runs of words, runs of characters.

use serde::{Deserialize, Serialize};

/// A kind of term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "unit", rename_all = "lowercase", deny_unknown_fields)]
pub enum Terms {
    /// Runs of `shortest` to `longest` words. A word is a run of letters, digits and underscores, at
    /// least `min_length` characters long.
    Words {
        /// Words of the shortest run.
        shortest: usize,
        /// Words of the longest run.
        longest: usize,
        /// Characters of a word.
        min_length: usize,
    },
    /// Runs of `shortest` to `longest` characters of each word, a space before and behind it; of what
    /// is shorter, the whole.
    Characters {
        /// Characters of the shortest run.
        shortest: usize,
        /// Characters of the longest run.
        longest: usize,
    },
}

impl Terms {
    /// Words of at least two characters, as scikit-learn has them.
    pub const WORDS: Self = Self::Words { shortest: 1, longest: 1, min_length: 2 };

    /// Calls `found` with each term of `text`, in lower case.
    pub fn each(&self, text: &str, found: &mut dyn FnMut(&str)) {
        let text = text.to_lowercase();
        match *self {
            Self::Words { shortest, longest, min_length } => {
                let words: Vec<&str> =
                    words(&text).filter(|word| word.chars().count() >= min_length).collect();
                let mut run = String::new();
                for length in shortest.max(1)..=longest {
                    for window in words.windows(length) {
                        run.clear();
                        for (i, word) in window.iter().enumerate() {
                            if i > 0 {
                                run.push(' ');
                            }
                            run.push_str(word);
                        }
                        found(&run);
                    }
                }
            }
            Self::Characters { shortest, longest } => {
                for word in text.split_whitespace() {
                    let padded = format!(" {word} ");
                    let starts: Vec<usize> =
                        padded.char_indices().map(|(at, _)| at).chain([padded.len()]).collect();
                    for length in shortest.max(1)..=longest {
                        if length >= starts.len() - 1 {
                            // No longer than the run: once as a whole, and not again for longer runs.
                            found(&padded);
                            break;
                        }
                        for from in 0..starts.len() - length {
                            found(&padded[starts[from]..starts[from + length]]);
                        }
                    }
                }
            }
        }
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(terms: Terms, text: &str) -> Vec<String> {
        let mut all = Vec::new();
        terms.each(text, &mut |term| all.push(term.to_owned()));
        all
    }

    #[test]
    fn words_and_runs_of_words() {
        assert_eq!(terms(Terms::WORDS, "The cat, a Dog's toy_2"), ["the", "cat", "dog", "toy_2"]);
        let pairs = Terms::Words { shortest: 1, longest: 2, min_length: 1 };
        assert_eq!(terms(pairs, "a b c"), ["a", "b", "c", "a b", "b c"]);
        assert!(terms(pairs, " !? ").is_empty());
    }

    #[test]
    fn runs_of_characters_stay_within_a_word() {
        let runs = Terms::Characters { shortest: 2, longest: 3 };
        assert_eq!(terms(runs, "ab"), [" a", "ab", "b ", " ab", "ab "]);
        let long = Terms::Characters { shortest: 4, longest: 5 };
        assert_eq!(terms(long, "a né"), [" a ", " né "]);
    }
}
