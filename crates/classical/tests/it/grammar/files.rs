//! Grammar files: what they may hold, and what is said of those that do not.

use wuji_classical::grammar::{Grammar, GrammarError, GrammarProblem, Symbol};

use super::{assert_close, grammar};

fn message(text: &str) -> String {
    Grammar::parse(text).unwrap_err().to_string()
}

#[test]
fn a_file_is_read_as_it_is_written() {
    let grammar = grammar(
        "# A comment\n句子 -> 主语 谓语 [0.9]   # another\n    | 谓语 [0.1]\n主语 → '猫' | \"it's\" | 'a\\'b\\\\'\n谓语->'睡'[1]",
    );
    assert_eq!(grammar.nonterminals(), ["句子", "主语", "谓语"]);
    assert_eq!(grammar.terminals(), ["猫", "it's", "a'b\\", "睡"]);
    assert_eq!(grammar.rules()[0].right, [Symbol::Nonterminal(1), Symbol::Nonterminal(2)]);
    let probabilities: Vec<f64> = grammar.rules().iter().map(|rule| rule.probability).collect();
    assert_eq!(probabilities, [0.9, 0.1, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0, 1.0]);
}

#[test]
fn what_is_written_is_read_back() {
    let first =
        grammar("S -> A 'x y' [0.123456789] | ε [0.876543211]\nA -> 'it\\'s\\n' | '#' | '\\\\'");
    assert_eq!(Grammar::parse(&first.to_string()).unwrap(), first);
}

#[test]
fn weights_are_normalised_when_that_is_asked_for() {
    let text = "S -> 'a' [30] | 'b' [10]";
    let grammar = Grammar::parse_weights(text).unwrap();
    assert_close(grammar.rules()[0].probability, 0.75);
    assert!(
        message(text).contains("the probabilities of S sum to 40: expected 1"),
        "{}",
        message(text)
    );
    let zero = Grammar::parse_weights("S -> 'a' [0]").unwrap_err().to_string();
    assert!(zero.contains("sum to 0: expected more than 0"), "{zero}");
}

#[test]
fn lines_that_are_no_rules_are_named_with_what_was_expected() {
    for (text, expected) in [
        ("", "line 1: expected a rule, got none"),
        ("S NP", "line 1: expected -> after the nonterminal, got the nonterminal NP"),
        ("S", "got the end of the line"),
        ("-> 'a'", "line 1: expected a nonterminal, or | to continue, got ->"),
        ("| 'a'", "line 1: expected a nonterminal before the first |, got |"),
        ("\nS ->", "line 2: expected symbols, or ε for nothing, got the end of the line"),
        ("S -> 'a' |", "expected symbols, or ε for nothing"),
        ("S -> [0.5]", "expected symbols, or ε for nothing, got [0.5]"),
        ("S -> 'a' ε", "expected ε alone"),
        ("S -> [0.5] 'a'", "expected one probability at the end of the rule, got [0.5]"),
        ("S -> 'a' [-1]", "expected a number of at least 0 in brackets, got [-1]"),
        ("S -> 'a' [x]", "got [x]"),
        ("S -> 'a' [0.5", "expected ] after the probability"),
        ("S -> 'a", "expected a closing quote, got 'a"),
        ("S -> 'a\\q'", "expected \\n, \\t or a quote after the backslash, got q"),
        ("S -> A -> 'a'", "expected a symbol, got ->"),
        ("S -> ]", "expected a symbol, got ]"),
    ] {
        let found = message(text);
        assert!(found.contains(expected), "{text:?}: {found}");
    }
}

#[test]
fn everything_that_does_not_hold_together_is_reported_at_once() {
    let text = "S -> A X\nA -> 'a'\nB -> 'b'\nC -> C 'c'\nA -> 'a'\nD -> 'd' [0.5] | 'e'\nA -> Y";
    let Err(GrammarError::File { problems }) = Grammar::parse(text) else { panic!("an error") };
    let name = |name: &str| name.to_owned();
    assert_eq!(
        problems,
        [
            GrammarProblem::Undefined { line: 1, name: name("X") },
            GrammarProblem::Unreachable { line: 3, name: name("B") },
            GrammarProblem::Unreachable { line: 4, name: name("C") },
            GrammarProblem::Unproductive { line: 4, name: name("C") },
            GrammarProblem::Duplicate { line: 5, first: 2, rule: name("A -> 'a'") },
            GrammarProblem::Unreachable { line: 6, name: name("D") },
            GrammarProblem::MixedWeights { line: 6, name: name("D") },
            GrammarProblem::Undefined { line: 7, name: name("Y") },
        ]
    );
    let two_lines = message("S -> 'a\nT 'b'");
    assert!(two_lines.contains("(2)") && two_lines.contains("line 2"), "{two_lines}");
}
