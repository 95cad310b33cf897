//! White space as the reference implementations see it, which are written in Python.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_of_ascii_and_wide_spaces_part_words() {
        assert_eq!(single_spaced("\u{1c}a\u{1f}b\u{3000}c \n d\u{a0}"), "a b c d");
        assert_eq!(trim_end(" a \u{1d}\n"), " a");
    }
}
