//! The tokenizations that BLEU is reported with, as sacreBLEU has them: NIST's mteval-v13a, its
//! international sibling v14, WMT's for Chinese, characters, and none.
//!
//! The rules are kept even where they look odd: two scores can only be compared if both were
//! tokenized alike.

use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::words::{is_space, single_spaced};

/// How text becomes words before BLEU compares them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BleuTokenizer {
    /// mteval-v13a: punctuation of ASCII stands alone, points and commas stay in numbers.
    #[default]
    #[serde(rename = "13a")]
    V13a,
    /// Every Chinese character stands alone, the rest is as in 13a.
    Zh,
    /// Every character stands alone.
    Char,
    /// mteval-v14: punctuation and symbols of all scripts stand alone.
    Intl,
    /// Words between white space, as they are.
    None,
}

impl BleuTokenizer {
    /// Its name in signatures.
    pub fn name(self) -> &'static str {
        match self {
            Self::V13a => "13a",
            Self::Zh => "zh",
            Self::Char => "char",
            Self::Intl => "intl",
            Self::None => "none",
        }
    }

    /// The words of `text` with spaces between them.
    pub fn tokenize(self, text: &str) -> String {
        match self {
            Self::V13a => mteval_13a(text),
            Self::Zh => chinese(text),
            Self::Char => spaced(text.chars()),
            Self::Intl => apply(&INTERNATIONAL, text),
            Self::None => text.to_owned(),
        }
    }
}

/// A pattern and what takes its place.
type Rule = (Regex, &'static str);

/// The part of 13a that takes the language for a western one: punctuation stands alone; point and
/// comma do unless a digit is before them, and unless a digit is behind them; so does a dash
/// behind a digit.
static WESTERN: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    rules(&[
        (r"[\x20-\x26\x28-\x2b\x2f\x3a-\x40\x5b-\x60\x7b-\x7e]", " $0 "),
        (r"([^0-9])([.,])", "$1 $2 "),
        (r"([.,])([^0-9])", " $1 $2"),
        (r"([0-9])-", "$1 - "),
    ])
});

/// Punctuation stands alone unless it is between numbers; symbols always do.
static INTERNATIONAL: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    rules(&[(r"(\P{N})(\p{P})", "$1 $2 "), (r"(\p{P})(\P{N})", " $1 $2"), (r"\p{S}", " $0 ")])
});

/// Compiles constant patterns.
pub(crate) fn rules(patterns: &[(&str, &'static str)]) -> Vec<Rule> {
    let compile = |pattern| Regex::new(pattern).expect("constant patterns are valid");
    patterns.iter().map(|(pattern, with)| (compile(pattern), *with)).collect()
}

/// Applies the rules one after another.
pub(crate) fn apply(rules: &[Rule], text: &str) -> String {
    let mut text = text.to_owned();
    for (pattern, with) in rules {
        text = pattern.replace_all(&text, *with).into_owned();
    }
    single_spaced(&text)
}

fn mteval_13a(text: &str) -> String {
    let text = text.replace("<skipped>", "").replace("-\n", "").replace('\n', " ");
    // The spaces around let the rules see the first and the last character like any other.
    apply(&WESTERN, &format!(" {} ", without_entities(&text)))
}

/// With the four entities of XML written out that mteval knows.
pub(crate) fn without_entities(text: &str) -> String {
    text.replace("&quot;", "\"").replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")
}

fn chinese(text: &str) -> String {
    let mut apart = String::with_capacity(3 * text.len());
    for character in text.trim_matches(is_space).chars() {
        if is_chinese(character) {
            apart.extend([' ', character, ' ']);
        } else {
            apart.push(character);
        }
    }
    apply(&WESTERN, &apart)
}

fn spaced(characters: impl Iterator<Item = char>) -> String {
    characters.flat_map(|character| [character, ' ']).collect()
}

/// The characters that stand alone in `zh`.
///
/// The range from U+2001 is not Chinese: sacreBLEU means the ideographs of extension B, but writes
/// them so that they compare as this range. Dashes and curly quotes are in it, so scores depend
/// on it. Extension B itself is not in any range.
fn is_chinese(character: char) -> bool {
    matches!(character,
        '\u{2001}'..='\u{2a6d}'
        | '\u{2e80}'..='\u{2eff}' // radicals
        | '\u{2f00}'..='\u{2fdf}'
        | '\u{2ff0}'..='\u{2fff}'
        | '\u{3000}'..='\u{303f}' // punctuation
        | '\u{3100}'..='\u{312f}' // bopomofo
        | '\u{31a0}'..='\u{31bf}'
        | '\u{31c0}'..='\u{31ef}' // strokes
        | '\u{3200}'..='\u{33ff}' // enclosed and squared
        | '\u{3400}'..='\u{4db5}' // ideographs
        | '\u{4e00}'..='\u{9fbb}'
        | '\u{f900}'..='\u{fa2d}'
        | '\u{fa30}'..='\u{fa6a}'
        | '\u{fa70}'..='\u{fad9}'
        | '\u{fe10}'..='\u{fe1f}' // vertical and full-width forms
        | '\u{fe30}'..='\u{fe4f}'
        | '\u{ff00}'..='\u{ffef}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(tokenizer: BleuTokenizer, text: &str, expected: &str) {
        assert_eq!(single_spaced(&tokenizer.tokenize(text)), expected);
    }

    #[test]
    fn numbers_keep_their_points_and_commas_in_13a() {
        check(BleuTokenizer::V13a, "1,000.5 is 1-2, e.g. .5", "1,000.5 is 1 - 2 , e . g . . 5");
        check(BleuTokenizer::V13a, "&quot;a&quot; isn't <skipped>", "\" a \" isn't");
        check(BleuTokenizer::V13a, "hyphen-\nated\nline", "hyphenated line");
    }

    #[test]
    fn the_last_point_after_a_number_stays_only_in_intl() {
        check(BleuTokenizer::V13a, "in 2019.", "in 2019 .");
        check(BleuTokenizer::Intl, "in 2019.", "in 2019.");
        check(BleuTokenizer::Intl, "«oui»—5€", "« oui » —5 €");
    }

    #[test]
    fn chinese_characters_and_dashes_stand_alone_in_zh() {
        check(BleuTokenizer::Zh, "用AI——“好”。", "用 AI — — “ 好 ” 。");
        check(BleuTokenizer::Char, "用 AI", "用 A I");
    }
}
