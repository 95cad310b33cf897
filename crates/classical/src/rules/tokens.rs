//! A text as words, numbers and marks, each with its place in the text.
//!
//! A word is a run of letters, and of digits behind them; a Chinese or Japanese character is a word by itself. A
//! number is a run of digits. Every other character that is not white space is a mark. A blank line is a break.

use std::collections::HashMap;

/// The number of a word that no rule mentions.
pub(super) const UNKNOWN: u32 = u32::MAX;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    Number,
    Mark,
    Break,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    pub start: usize,
    pub end: usize,
    pub kind: Kind,
    pub ends_sentence: bool,
    /// The number of the word as it is written.
    pub exact: u32,
    /// The number of the word in lower case.
    pub folded: u32,
}

/// Numbers for the words that rules mention.
#[derive(Debug, Clone, Default)]
pub(super) struct Vocabulary {
    ids: HashMap<String, u32>,
}

impl Vocabulary {
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// The number of a word, in lower case unless it is `exact`.
    pub fn add(&mut self, word: &str, exact: bool) -> u32 {
        let word = if exact { word.to_owned() } else { word.to_lowercase() };
        let next = u32::try_from(self.ids.len()).expect("a file has fewer than four billion words");
        *self.ids.entry(word).or_insert(next)
    }

    fn get(&self, word: &str) -> u32 {
        self.ids.get(word).copied().unwrap_or(UNKNOWN)
    }

    fn get_folded(&self, word: &str) -> u32 {
        if word.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
            return self.get(word);
        }
        self.get(&word.to_lowercase())
    }
}

/// The texts of the words, numbers and marks of `text`.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    spans(text).filter(|span| span.2 != Kind::Break).map(|(start, end, _)| &text[start..end])
}

/// The tokens of `text`.
pub(super) fn tokens(text: &str, vocabulary: &Vocabulary) -> Vec<Token> {
    let token = |(start, end, kind): (usize, usize, Kind)| {
        let word = &text[start..end];
        Token {
            start,
            end,
            kind,
            ends_sentence: kind == Kind::Break || ends_sentence(word, &text[end..]),
            exact: vocabulary.get(word),
            folded: vocabulary.get_folded(word),
        }
    };
    spans(text).map(token).collect()
}

/// A full stop ends a sentence only before white space or what closes the sentence: not in "12.5" or "e.g.".
fn ends_sentence(mark: &str, rest: &str) -> bool {
    match mark {
        "!" | "?" | "。" | "！" | "？" => true,
        "." => rest.chars().next().is_none_or(|c| c.is_whitespace() || "\"'”’)]".contains(c)),
        _ => false,
    }
}

fn spans(text: &str) -> impl Iterator<Item = (usize, usize, Kind)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = &text[at..];
            let first = rest.chars().next()?;
            let length = |belongs: &dyn Fn(char) -> bool| {
                rest.find(|c| !belongs(c)).unwrap_or(rest.len()).max(first.len_utf8())
            };
            let (length, kind) = match first {
                c if c.is_whitespace() => {
                    let space = length(&char::is_whitespace);
                    let lines = rest[..space].matches('\n').count();
                    (space, (lines > 1).then_some(Kind::Break))
                }
                c if stands_alone(c) => (c.len_utf8(), Some(Kind::Word)),
                c if c.is_numeric() => (length(&char::is_numeric), Some(Kind::Number)),
                c if is_letter(c) => {
                    let belongs = |c: char| (is_letter(c) || c.is_numeric()) && !stands_alone(c);
                    (length(&belongs), Some(Kind::Word))
                }
                c => (c.len_utf8(), Some(Kind::Mark)),
            };
            let start = at;
            at += length;
            if let Some(kind) = kind {
                return Some((start, at, kind));
            }
        }
    })
}

/// Letters, and accents that stand behind their letter.
fn is_letter(c: char) -> bool {
    c.is_alphabetic() || ('\u{300}'..='\u{36f}').contains(&c)
}

/// Characters of scripts that do not divide words by spaces.
fn stands_alone(c: char) -> bool {
    matches!(u32::from(c), 0x3040..=0x30ff | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0x2_0000..=0x3_23af)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_numbers_and_marks_are_divided() {
        for (text, expected) in [
            ("Don't  stop", vec!["Don", "'", "t", "stop"]),
            ("5mg of B12", vec!["5", "mg", "of", "B12"]),
            ("第12条 规定。", vec!["第", "12", "条", "规", "定", "。"]),
            ("Cafe\u{301}\n\nis", vec!["Cafe\u{301}", "is"]),
            ("", vec![]),
        ] {
            assert_eq!(words(text).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn sentences_end_at_marks_and_blank_lines() {
        let ends = |text: &str| {
            let tokens = tokens(text, &Vocabulary::default());
            tokens
                .iter()
                .filter(|token| token.ends_sentence)
                .map(|token| token.start)
                .collect::<Vec<_>>()
        };
        assert_eq!(ends("It is 12.5. Or e.g. so"), [10, 18]);
        assert_eq!(ends("他说。\n好\n\n\n是"), [6, 13]);
        assert_eq!(ends("(Yes.) \"No!\""), [4, 10]);
    }
}
