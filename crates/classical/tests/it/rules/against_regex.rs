//! The matcher against the `regex` crate, on texts of one-letter words.

use proptest::prelude::*;
use regex::Regex;

use super::one_rule;

/// A pattern over the words a and b, and the same as a regular expression over letters.
fn pattern() -> impl Strategy<Value = (String, String)> {
    let leaf =
        prop::sample::select(vec![("'a'", "a"), ("'b'", "b"), ("any", "."), ("!'b' any", "a")]);
    let leaf = leaf.prop_map(|(ours, theirs)| (ours.to_owned(), theirs.to_owned()));
    leaf.prop_recursive(4, 24, 3, |inner| {
        let repeat = prop::sample::select(vec!["?", "*", "+", "{2}", "{1,3}"]);
        prop_oneof![
            (inner.clone(), inner.clone())
                .prop_map(|(x, y)| (format!("{} {}", x.0, y.0), format!("{}{}", x.1, y.1))),
            (inner.clone(), inner.clone()).prop_map(|(x, y)| (
                format!("({} | {})", x.0, y.0),
                format!("(?:{}|{})", x.1, y.1)
            )),
            (inner, repeat).prop_map(|(x, times)| (
                format!("({}){times}", x.0),
                format!("(?:{}){times}", x.1)
            )),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_longest_match_at_each_word_is_that_of_the_regular_expression(
        (ours, theirs) in pattern(),
        letters in "[ab]{0,8}",
    ) {
        // A pattern of at least one word, with an example.
        let rules = one_rule(&format!("'b' {ours} | 'z'"), "", "z");
        let whole = Regex::new(&format!("^b{theirs}$")).unwrap();
        let text: String = letters.chars().flat_map(|letter| [letter, ' ']).collect();
        let mut expected = Vec::new();
        for start in 0..letters.len() {
            let ends = (start + 1..=letters.len()).rev();
            let longest = ends.into_iter().find(|&end| whole.is_match(&letters[start..end]));
            expected.extend(longest.map(|end| 2 * start..2 * end - 1));
        }
        let found: Vec<_> = rules.find_all(&text).into_iter().map(|found| found.span).collect();
        prop_assert_eq!(found, expected, "{} on {}", ours, letters);
    }
}
