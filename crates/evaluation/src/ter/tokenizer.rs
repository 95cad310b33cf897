//! Tercom's tokenization, as sacreBLEU has it.

use std::sync::LazyLock;

use regex::Regex;

use super::TerOptions;
use crate::bleu::tokenizer::{apply, rules, without_entities};
use crate::words::{single_spaced, trim_end};

/// The words of `text` with a space between them.
pub(super) fn tokenize(text: &str, options: &TerOptions) -> String {
    let mut text = trim_end(text).to_owned();
    if !options.case_sensitive {
        text = text.to_lowercase();
    }
    if options.normalized {
        text = normalize(&text);
        if options.asian_support {
            text = split_asian(&text);
        }
    }
    if options.no_punct {
        text.retain(|character| !is_removed(character, options.asian_support));
    }
    single_spaced(&text)
}

/// The words of a reference. sacreBLEU tokenizes references twice, which shows only in normalized
/// text: "it's," is first taken apart into "it's ," and then, as a reference, into "it 's ,".
pub(super) fn tokenize_reference(text: &str, options: &TerOptions) -> String {
    tokenize(&tokenize(text, options), options)
}

/// Like 13a, but with the possessive 's apart from its word.
static WESTERN: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    rules(&[
        (r"[\x20-\x26\x28-\x2b\x2f\x3a-\x40\x5b-\x60\x7b-\x7e]", " $0 "),
        (r"'s ", " 's "),
        (r"([^0-9])([.,])", "$1 $2 "),
        (r"([.,])([^0-9])", " $1 $2"),
        (r"([0-9])-", "$1 - "),
    ])
});

fn normalize(text: &str) -> String {
    // Tercom takes a dash away at the start of a line, not at its end as 13a does.
    let text = text.replace("\n-", "").replace('\n', " ");
    apply(&WESTERN, &format!(" {} ", without_entities(&text)))
}

/// Ideographs, and marks of Chinese and Japanese, stand alone. Kana stay together: Tercom would
/// split them only in a text of nothing but kana, which after [`normalize`] has spaces around it.
fn split_asian(text: &str) -> String {
    let mut apart = String::with_capacity(3 * text.len());
    for character in text.chars() {
        if is_ideograph(character) || is_asian_punctuation(character) {
            apart.extend([' ', character, ' ']);
        } else {
            apart.push(character);
        }
    }
    apart
}

fn is_ideograph(character: char) -> bool {
    matches!(character,
        '\u{2e80}'..='\u{2eff}' // radicals
        | '\u{31c0}'..='\u{31ef}' // strokes
        | '\u{3200}'..='\u{4dbf}' // enclosed and squared characters, extension A
        | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe4f}')
}

fn is_asian_punctuation(character: char) -> bool {
    matches!(character,
        '\u{3001}' | '\u{3002}' | '\u{3008}'..='\u{3011}' | '\u{3014}'..='\u{301f}'
        | '\u{30fb}' | '\u{ff61}'..='\u{ff65}'
        | '．' | '，' | '？' | '：' | '；' | '！' | '\u{ff02}' | '（' | '）')
}

fn is_removed(character: char, asian_support: bool) -> bool {
    matches!(character, '.' | ',' | '?' | ':' | ';' | '!' | '"' | '(' | ')')
        || (asian_support && is_asian_punctuation(character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_tokenized_twice() {
        let options = TerOptions { normalized: true, ..TerOptions::default() };
        assert_eq!(tokenize("it's, it's", &options), "it's , it 's");
        assert_eq!(tokenize_reference("it's, it's", &options), "it 's , it 's");
    }

    #[test]
    fn options_are_applied_in_their_order() {
        let text = "The cat's &quot;Mat&quot;，好.";
        let plain = TerOptions::default();
        assert_eq!(tokenize(text, &plain), "the cat's &quot;mat&quot;，好.");
        let normalized = TerOptions { normalized: true, ..plain.clone() };
        assert_eq!(tokenize(text, &normalized), "the cat 's \" mat \" ，好 .");
        let asian = TerOptions { asian_support: true, ..normalized };
        assert_eq!(tokenize(text, &asian), "the cat 's \" mat \" ， 好 .");
        let bare = TerOptions { no_punct: true, case_sensitive: true, ..asian };
        assert_eq!(tokenize(text, &bare), "The cat 's Mat 好");
    }
}
