//! White space as the reference implementations see it, which are written in Python, and segments
//! of text in any script.

use std::ops::Range;

/// Whether Python's `str.isspace` holds: Unicode's white space and the four separators of ASCII.
pub(crate) fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&character)
}

/// The words between white space.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_space).filter(|word| !word.is_empty())
}

/// `text` without white space at its end.
pub(crate) fn trim_end(text: &str) -> &str {
    text.trim_end_matches(is_space)
}

/// The words of `text` with one space between them.
pub(crate) fn single_spaced(text: &str) -> String {
    words(text).collect::<Vec<_>>().join(" ")
}

/// Whether a character is written without spaces beside it and is a unit of its own: Chinese
/// characters and kana.
fn stands_alone(character: char) -> bool {
    matches!(character,
        '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// Byte ranges of Chinese characters and kana one by one, and of runs of other letters and digits;
/// everything else parts them.
pub(crate) fn segments(text: &str) -> Vec<Range<usize>> {
    let mut segments: Vec<Range<usize>> = Vec::new();
    let mut open = false;
    for (at, character) in text.char_indices() {
        let end = at + character.len_utf8();
        let alone = stands_alone(character);
        let in_word = !alone && character.is_alphanumeric();
        match segments.last_mut() {
            Some(last) if open && in_word => last.end = end,
            _ if alone || in_word => segments.push(at..end),
            _ => {}
        }
        open = in_word;
    }
    segments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_of_ascii_and_wide_spaces_part_words() {
        assert_eq!(single_spaced("\u{1c}a\u{1f}b\u{3000}c \n d\u{a0}"), "a b c d");
        assert_eq!(trim_end(" a \u{1d}\n"), " a");
    }

    #[test]
    fn segments_are_characters_of_chinese_and_words_of_the_rest() {
        let found = |text: &str| {
            segments(text).into_iter().map(|range| text[range].to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(found("GPT-2是模型，2019年。"), ["GPT", "2", "是", "模", "型", "2019", "年"]);
        assert_eq!(found("カナ かな 한국어 é"), ["カ", "ナ", "か", "な", "한국어", "é"]);
        assert!(found(" ，。 ").is_empty());
    }
}
