//! Words of a lower-case text without Chinese characters, by the rules of NLTK 3.10's
//! `NLTKWordTokenizer` (Penn Treebank's, "tokenizer.sed"). Rules for characters that CMRC's script
//! takes away before, as hyphens and colons, are left out.

use std::sync::LazyLock;

use regex::Regex;

use crate::words::words;

/// A pattern and what replaces it.
type Rule = (Regex, &'static str);

fn compiled(rules: &[(&str, &'static str)]) -> Vec<Rule> {
    let compile = |(pattern, by): &(&str, &'static str)| {
        (Regex::new(pattern).expect("a constant pattern is valid"), *by)
    };
    rules.iter().map(compile).collect()
}

/// Quotes that open.
static OPENING: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    compiled(&[("[«‘„]", " $0 "), ("^\"", " `` "), (r#"([ (\[{<])("|'{2})"#, "$1 `` ")])
});

/// Punctuation, brackets, and quotes that close, in NLTK's order.
static CLOSING: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    compiled(&[
        (r#"([^.])(\.)([\])}>"'» ]*)\s*$"#, "$1 $2 $3 "),
        (r"(,)(\D)", " $1 $2"),
        (",$", " $0 "),
        (r"\.{2,}", " $0 "),
        ("[;@#$%&]", " $0 "),
        ("[\u{2012}-\u{2015}]", " $0 "),
        ("[?!]", " $0 "),
        ("([^'])' ", "$1 ' "),
        (r"[\]\[(){}<>]", " $0 "),
    ])
});

/// Clitics and contractions, in a text with a space at both ends.
static CONTRACTIONS: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    compiled(&[
        ("»", " $0 "),
        ("''", " '' "),
        ("\"", " '' "),
        (r"\s+", " "),
        ("([^' ])('s|'m|'d|') ", "$1 $2 "),
        ("([^' ])('ll|'re|'ve|n't) ", "$1 $2 "),
        (r"\b(can)(not)\b", " $1 $2 "),
        (r"\b(d)('ye)\b", " $1 $2 "),
        (r"\b(gim)(me)\b", " $1 $2 "),
        (r"\b(gon)(na)\b", " $1 $2 "),
        (r"\b(got)(ta)\b", " $1 $2 "),
        (r"\b(lem)(me)\b", " $1 $2 "),
        (r"\b(more)('n)\b", " $1 $2 "),
        (r"\b(wan)(na)\s", " $1 $2  "),
    ])
});

/// The words of a text.
pub(super) fn tokenize(text: &str) -> Vec<String> {
    if text.is_empty() {
        return Vec::new();
    }
    let text = apart(&apply(&OPENING, text.to_owned()));
    let text = format!(" {} ", apply(&CLOSING, text));
    words(&apply(&CONTRACTIONS, text)).map(str::to_owned).collect()
}

fn apply(rules: &[Rule], text: String) -> String {
    rules.iter().fold(text, |text, (pattern, by)| pattern.replace_all(&text, *by).into_owned())
}

/// Parts an apostrophe that opens from its word, unless the word is a clitic, as in "'s".
fn apart(text: &str) -> String {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let mut out = String::with_capacity(text.len() + 1);
    let mut before = ' ';
    for (at, character) in text.char_indices() {
        out.push(character);
        if character == '\'' && !is_word(before) {
            let word: String = text[at + 1..].chars().take_while(|c| is_word(*c)).collect();
            let clitic = ["re", "ve", "ll", "m", "t", "s", "d", "n"].contains(&word.as_str());
            if !word.is_empty() && !clitic {
                out.push(' ');
            }
        }
        before = character;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(tokenize(text).join(" "), expected);
    }

    #[test]
    fn the_example_of_nltks_documentation() {
        check(
            "good muffins cost $3.88 (roughly 3,36 euros)\nin new york.  thanks.",
            "good muffins cost $ 3.88 ( roughly 3,36 euros ) in new york. thanks .",
        );
    }

    #[test]
    fn clitics_quotes_and_contractions() {
        check("it's john's, they'll can't", "it 's john 's , they 'll ca n't");
        check("\"i cannot\" 'tis 'word", "`` i can not '' ' tis ' word");
        check("50% wanna... u.s.", "50 % wan na ... u.s .");
        check("", "");
    }
}
