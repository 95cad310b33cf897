//! Grammars against hand computations, enumeration and slow implementations.

mod enumeration;
mod files;
mod fixpoint;
mod language_model;
mod learning;
mod parsing;
mod sampling;

use proptest::prelude::*;
use wuji_classical::grammar::Grammar;

#[track_caller]
fn grammar(text: &str) -> Grammar {
    Grammar::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

#[track_caller]
fn assert_close(found: f64, expected: f64) {
    let is_close = (found - expected).abs() <= 1e-9 * (1.0 + expected.abs());
    assert!(is_close || found == expected, "{found}, expected {expected}");
}

/// The text of a random grammar of three nonterminals and two words, with rules for nothing, unit rules and long ones.
/// Without `recursive`, a rule only uses nonterminals after its own, so that its sentences can be enumerated.
fn random_grammar(recursive: bool) -> impl Strategy<Value = String> {
    let symbols = prop::collection::vec(0..5_usize, 0..4);
    let rules = prop::collection::vec((symbols, 1..10_u32), 1..4);
    prop::collection::vec(rules, 3).prop_map(move |choices| {
        let nonterminals = ["S", "A", "B"];
        let mut text = String::new();
        for (left, rules) in choices.iter().enumerate() {
            // Every nonterminal is used, and can end.
            let used =
                nonterminals.get(left + 1).map_or("'a'".to_owned(), |next| format!("{next} 'a'"));
            let mut written = vec![(used, 4), ("'b'".to_owned(), 8)];
            for (symbols, weight) in rules {
                let word = |symbol: &usize| match symbol {
                    symbol @ 0..3 if recursive || *symbol > left => {
                        nonterminals[*symbol].to_owned()
                    }
                    symbol if symbol % 2 == 0 => "'a'".to_owned(),
                    _ => "'b'".to_owned(),
                };
                // The start is used twice at most where sentences are enumerated.
                let most = if left == 0 && !recursive { 2 } else { 3 };
                let right: Vec<String> = symbols.iter().take(most).map(word).collect();
                let right = if right.is_empty() { "ε".to_owned() } else { right.join(" ") };
                if written.iter().all(|(other, _)| *other != right) {
                    written.push((right, *weight));
                }
            }
            let written: Vec<String> =
                written.iter().map(|(right, weight)| format!("{right} [{weight}]")).collect();
            text += &format!("{} -> {}\n", nonterminals[left], written.join(" | "));
        }
        text
    })
}
