//! Trees and probabilities worked out by hand.

use wuji_classical::grammar::{Constituent, Parser};

use super::{assert_close, grammar};

/// Two readings: the telescope is the instrument, or the man's.
const TELESCOPE: &str = "
S  -> NP VP
VP -> V NP [0.7] | VP PP [0.3]
NP -> 'I' [0.4] | Det N [0.4] | NP PP [0.2]
PP -> 'with' NP
V  -> 'saw'
Det -> 'the'
N  -> 'man' | 'telescope'
";

#[test]
fn of_two_readings_the_likelier_one_is_the_best() {
    let parser = Parser::new(grammar(TELESCOPE));
    let words = ["I", "saw", "the", "man", "with", "the", "telescope"];
    // Both have S, V NP, 'I', two Det N, PP and two N; one has VP PP beside them, the other NP PP.
    let common = 0.4 * 0.7 * 0.4 * 0.5 * 0.4 * 0.5;
    let best = parser.best(&words).unwrap();
    assert_close(best.log_probability.exp(), common * 0.3);
    assert_close(parser.log_probability(&words).exp(), common * (0.3 + 0.2));
    assert_eq!(
        best.derivation.bracketed(parser.grammar()),
        "(S (NP I) (VP (VP (V saw) (NP (Det the) (N man))) (PP with (NP (Det the) (N telescope)))))"
    );
    let counts = parser.expected_rules(&words).unwrap();
    assert_close(counts[2], 0.6); // VP -> VP PP
    assert_close(counts[5], 0.4); // NP -> NP PP
    assert_eq!(parser.best(&["saw", "I"]), None);
    assert_eq!(parser.best(&["I", "saw", "Paris"]), None);
    assert_eq!(parser.log_probability(&["I", "saw", "Paris"]), f64::NEG_INFINITY);
    assert_eq!(parser.next_word(&["saw"]), None);
}

#[test]
fn constituents_have_their_words() {
    let parser = Parser::new(grammar("S -> A B 'c'\nA -> ε\nB -> 'b' A"));
    let best = parser.best(&["b", "c"]).unwrap();
    let constituent =
        |nonterminal, rule, words, depth| Constituent { nonterminal, rule, words, depth };
    assert_eq!(
        best.derivation.constituents(parser.grammar()),
        [
            constituent(0, 0, 0..2, 0),
            constituent(1, 1, 0..0, 1),
            constituent(2, 2, 0..1, 1),
            constituent(1, 1, 1..1, 2),
        ]
    );
    assert_eq!(best.derivation.bracketed(parser.grammar()), "(S (A) (B b (A)) c)");
}

#[test]
fn nothing_and_unit_rules_are_summed_in_closed_form() {
    // e = 0.4 e² + 0.2, and P(a) = 0.4 · 2 e P(a) + 0.4.
    let parser = Parser::new(grammar("S -> S S [0.4] | ε [0.2] | 'a' [0.4]"));
    let empty = (1.0 - (1.0_f64 - 4.0 * 0.4 * 0.2).sqrt()) / 0.8;
    assert_close(parser.log_probability(&[]).exp(), empty);
    assert_close(parser.log_probability(&["a"]).exp(), 0.4 / (1.0 - 0.8 * empty));
    assert_eq!(parser.best(&["a"]).unwrap().derivation.bracketed(parser.grammar()), "(S a)");
    // Expected uses in trees of "a" are derivatives of ln P(a) by ln p; each S S brings one more empty S.
    let counts = parser.expected_rules(&["a"]).unwrap();
    let slope = 1.0 - 0.8 * empty;
    let pairs = 0.8 * (empty + 0.4 * empty * empty / slope) / slope;
    [pairs, pairs, 1.0]
        .iter()
        .zip(counts)
        .for_each(|(expected, found)| assert_close(found, *expected));
    // A chain that returns: S => T => S.
    let parser = Parser::new(grammar("S -> T [0.5] | 'a' [0.5]\nT -> S [0.4] | 'b' [0.6]"));
    assert_close(parser.log_probability(&["a"]).exp(), 0.5 / (1.0 - 0.2));
    assert_close(parser.log_probability(&["b"]).exp(), 0.3 / (1.0 - 0.2));
    assert_close(parser.expected_rules(&["b"]).unwrap()[0], 1.0 / (1.0 - 0.2));
}

#[test]
fn long_sentences_do_not_underflow() {
    let parser = Parser::new(grammar("S -> 'a' S [0.01] | 'a' [0.99]"));
    let words = vec!["a"; 200];
    let expected = 199.0 * 0.01_f64.ln() + 0.99_f64.ln();
    assert!(expected.exp() == 0.0, "the example has to underflow");
    assert_close(parser.log_probability(&words), expected);
    assert_close(parser.best(&words).unwrap().log_probability, expected);
    assert_close(parser.prefix_log_probability(&words), 199.0 * 0.01_f64.ln());
    assert_close(parser.expected_rules(&words).unwrap()[0], 199.0);
}

#[test]
fn the_normal_form_has_only_pairs_and_words() {
    let parser = Parser::new(grammar(
        "S -> A 'b' S A [0.2] | A [0.5] | 'c' [0.3]\nA -> ε [0.5] | 'a' [0.5]",
    ));
    let normal = parser.chomsky_normal_form();
    assert_close(normal.empty, 0.25);
    assert_close(normal.nonempty, 0.75);
    for rule in normal.grammar.rules() {
        let nonterminals = rule
            .right
            .iter()
            .filter(|symbol| matches!(symbol, wuji_classical::grammar::Symbol::Nonterminal(_)));
        assert!(
            matches!((rule.right.len(), nonterminals.count()), (1, 0) | (2, 2)),
            "{}",
            normal.grammar
        );
    }
    for nonterminal in 0..normal.grammar.nonterminals().len() {
        let rules = normal.grammar.rules_of(nonterminal).iter();
        assert_close(rules.map(|&rule| normal.grammar.rules()[rule].probability).sum(), 1.0);
    }
    // It is a file like any other.
    super::grammar(&normal.grammar.to_string());
}
