//! Grammars with any recursion, against equations that are iterated until nothing changes.

use proptest::prelude::*;
use wuji_classical::grammar::{Grammar, Parser, Symbol};

use super::{assert_close, grammar, random_grammar};

const STEPS: usize = 400;

/// Inside probabilities of all spans, empty ones included: `[nonterminal][start][end]`.
struct Slow<'g> {
    grammar: &'g Grammar,
    words: &'g [&'g str],
    inside: Vec<Vec<Vec<f64>>>,
    /// The probability that a nonterminal ends.
    finite: Vec<f64>,
}

impl<'g> Slow<'g> {
    /// `sum` joins the rules of a nonterminal: addition, or the maximum.
    fn new(grammar: &'g Grammar, words: &'g [&'g str], join: fn(f64, f64) -> f64) -> Self {
        let (symbols, places) = (grammar.nonterminals().len(), words.len() + 1);
        let inside = vec![vec![vec![0.0; places]; places]; symbols];
        let mut slow = Self { grammar, words, inside, finite: vec![0.0; symbols] };
        for _ in 0..STEPS {
            let mut next = vec![vec![vec![0.0; places]; places]; symbols];
            let mut finite = vec![0.0; symbols];
            for rule in grammar.rules() {
                let end = |symbol: &Symbol| match symbol {
                    Symbol::Nonterminal(child) => slow.finite[*child],
                    Symbol::Terminal(_) => 1.0,
                };
                finite[rule.left] += rule.probability * rule.right.iter().map(end).product::<f64>();
                for (start, row) in next[rule.left].iter_mut().enumerate() {
                    for (end, cell) in row.iter_mut().enumerate().skip(start) {
                        let value = slow.sequence(&rule.right, start, end, join);
                        *cell = join(*cell, rule.probability * value);
                    }
                }
            }
            (slow.inside, slow.finite) = (next, finite);
        }
        slow
    }

    fn symbol(&self, symbol: Symbol, start: usize, end: usize) -> f64 {
        match symbol {
            Symbol::Nonterminal(child) => self.inside[child][start][end],
            Symbol::Terminal(word) => {
                f64::from(end == start + 1 && self.words[start] == self.grammar.terminals()[word])
            }
        }
    }

    fn sequence(
        &self,
        symbols: &[Symbol],
        start: usize,
        end: usize,
        join: fn(f64, f64) -> f64,
    ) -> f64 {
        match symbols {
            [] => f64::from(start == end),
            [first, rest @ ..] => (start..=end)
                .map(|split| {
                    self.symbol(*first, start, split) * self.sequence(rest, split, end, join)
                })
                .fold(0.0, join),
        }
    }

    /// The probability that the start derives something that begins with the words.
    fn prefix(&self) -> f64 {
        let mut prefixes = vec![vec![0.0; self.words.len()]; self.finite.len()];
        for _ in 0..STEPS {
            let mut next = vec![vec![0.0; self.words.len()]; self.finite.len()];
            for rule in self.grammar.rules() {
                for (start, sum) in next[rule.left].iter_mut().enumerate() {
                    let prefix = self.sequence_prefix(&rule.right, start, &prefixes);
                    *sum += rule.probability * prefix;
                }
            }
            prefixes = next;
        }
        prefixes[0].first().copied().unwrap_or(self.finite[0])
    }

    fn sequence_prefix(&self, symbols: &[Symbol], start: usize, prefixes: &[Vec<f64>]) -> f64 {
        let [first, rest @ ..] = symbols else { return 0.0 };
        let finite = |symbol: &Symbol| match symbol {
            Symbol::Nonterminal(child) => self.finite[*child],
            Symbol::Terminal(_) => 1.0,
        };
        // The first symbol reaches the last word, or it ends before.
        let reaches = match first {
            Symbol::Nonterminal(child) => prefixes[*child][start],
            Symbol::Terminal(_) => {
                f64::from(start + 1 == self.words.len()) * self.symbol(*first, start, start + 1)
            }
        };
        let ends: f64 = (start..self.words.len())
            .map(|split| {
                self.symbol(*first, start, split) * self.sequence_prefix(rest, split, prefixes)
            })
            .sum();
        reaches * rest.iter().map(finite).product::<f64>() + ends
    }
}

fn check(grammar: &Grammar, words: &[&str]) {
    let parser = Parser::new(grammar.clone());
    let slow = Slow::new(grammar, words, |a, b| a + b);
    let sentence = slow.inside[0][0][words.len()];
    assert_close(parser.log_probability(words).exp(), sentence);
    assert_close(parser.prefix_log_probability(words).exp(), slow.prefix());
    let best = Slow::new(grammar, words, f64::max).inside[0][0][words.len()];
    match parser.best(words) {
        None => assert_eq!(best, 0.0),
        Some(parse) => {
            assert_close(parse.log_probability.exp(), best);
            assert_close(parse.derivation.log_probability(grammar).exp(), best);
            assert_eq!(parse.derivation.words(grammar), words);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn recursive_grammars_agree_with_their_equations(
        text in random_grammar(true),
        words in prop::collection::vec(prop::sample::select(vec!["a", "b"]), 0..5),
    ) {
        let grammar = Grammar::parse_weights(&text).unwrap();
        // The slow equations converge slowly near a critical point.
        prop_assume!(grammar.spectral_radius() < 0.9);
        check(&grammar, &words);
    }
}

#[test]
fn loops_of_unit_rules_and_of_nothing_are_summed() {
    for text in [
        "S -> S [0.5] | 'a' [0.5]",
        "S -> A [0.9] | 'a' [0.1]\nA -> S [0.5] | 'b' [0.5]",
        "S -> S S [0.3] | ε [0.3] | 'a' [0.4]",
        "S -> A S A [0.3] | 'b' [0.7]\nA -> ε [0.5] | 'a' [0.5]",
        "S -> A A A\nA -> B [0.5] | ε [0.5]\nB -> A [0.2] | 'a' [0.6] | 'b' 'a' [0.2]",
    ] {
        for words in [&[][..], &["a"], &["b"], &["a", "a"], &["a", "b", "a"]] {
            check(&grammar(text), words);
        }
    }
}

#[test]
fn where_recursion_goes_too_far_only_what_ends_counts() {
    // z = 0.75 z² + 0.25 has the least solution 1/3.
    let grammar = grammar("S -> S S [0.75] | 'a' [0.25]");
    let parser = Parser::new(grammar.clone());
    assert_close(parser.prefix_log_probability(&[]).exp(), 1.0 / 3.0);
    assert_close(parser.log_probability(&["a"]).exp(), 0.25);
    assert_close(parser.next_word(&["a"]).unwrap().end, 0.75);
    check(&grammar, &["a", "a", "a"]);
    // A critical one: every tree ends, after a time without expectation.
    let critical = Grammar::parse("S -> S S [0.5] | 'a' [0.5]").unwrap();
    let found = Parser::new(critical).prefix_log_probability(&["a"]).exp();
    assert!((found - 1.0).abs() < 1e-6, "{found}");
}
