//! WikiText's tokens as ordinary text, with the effect of the rules behind published word perplexities
//! (Shoeybi et al. 2019; also lm-evaluation-harness): only spacing changes, so that a model reads
//! what it was trained on, while words are counted in the tokenised text.

use std::sync::LazyLock;

use regex::Regex;

/// What changes before brackets and quotes are looked at, in this order.
const FIRST: [(&str, &str); 10] = [
    ("s '", "s'"),
    (" @-@ ", "-"),
    (" @,@ ", ","),
    (" @.@ ", "."),
    (" : ", ": "),
    (" ; ", "; "),
    (" . ", ". "),
    (" ! ", "! "),
    (" ? ", "? "),
    (" , ", ", "),
];

/// What changes after that.
const LAST: [(&str, &str); 8] = [
    ("= = = =", "===="),
    ("= = =", "==="),
    ("= =", "=="),
    (" ° ", "°"),
    (" \n", "\n"),
    ("\n ", "\n"),
    (" N ", " 1 "),
    (" 's", "'s"),
];

/// Pairs of brackets and quotes, with the space inside them.
static PAIRS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    ["()", "[]", "{}", "\"\"", "''"]
        .map(|pair| {
            let (open, close) = pair.split_at(1);
            let [o, c] = [open, close].map(regex::escape);
            Regex::new(&format!(r"({o})\s*([^\{close}]*?)\s*({c})")).expect("a pattern of ours")
        })
        .into()
});

/// The text without the spaces of the tokens.
pub(super) fn wikitext(text: &str) -> String {
    let mut text = FIRST.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    for pair in PAIRS.iter() {
        text = pair.replace_all(&text, "$1$2$3").into_owned();
    }
    LAST.iter().fold(text, |text, (from, to)| text.replace(from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spacing_becomes_that_of_ordinary_text() {
        let cases = [
            (
                "a 1 @,@ 000 @-@ year , old ( or so ) house .\n",
                "a 1,000-year, old (or so) house .\n",
            ),
            (" = = Early life = = \n", " == Early life ==\n"),
            ("he said \" no \" and ' yes ' [ sic ]", "he said \"no\" and 'yes' [sic]"),
            ("the dogs ' home ; 3 @.@ 5 ° C", "the dogs' home; 3.5°C"),
            // Where an apostrophe is taken for a quote, the published rules err like this too.
            ("the dogs ' home , Ann 's", "the dogs'home, Ann's"),
        ];
        for (tokens, text) in cases {
            assert_eq!(wikitext(tokens), text);
        }
    }
}
