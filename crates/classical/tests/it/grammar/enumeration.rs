//! Grammars without recursion, all of whose trees can be written down.

use std::collections::BTreeMap;

use proptest::prelude::*;
use wuji_classical::grammar::{Grammar, Parser, Symbol};

use super::{assert_close, random_grammar};

/// A tree: its rules, its words and its probability.
type Tree<'g> = (Vec<usize>, Vec<&'g str>, f64);

/// All trees of a grammar without recursion.
fn trees(grammar: &Grammar) -> Vec<Tree<'_>> {
    fn of_symbols<'g>(grammar: &'g Grammar, symbols: &[Symbol]) -> Vec<Tree<'g>> {
        let Some((first, rest)) = symbols.split_first() else { return vec![(vec![], vec![], 1.0)] };
        let firsts = match first {
            Symbol::Terminal(word) => {
                vec![(vec![], vec![grammar.terminals()[*word].as_str()], 1.0)]
            }
            Symbol::Nonterminal(nonterminal) => of_nonterminal(grammar, *nonterminal),
        };
        let rests = of_symbols(grammar, rest);
        let join = |a: &Tree<'g>, b: &Tree<'g>| {
            ([&a.0[..], &b.0].concat(), [&a.1[..], &b.1].concat(), a.2 * b.2)
        };
        firsts.iter().flat_map(|first| rests.iter().map(|rest| join(first, rest))).collect()
    }
    fn of_nonterminal(grammar: &Grammar, nonterminal: usize) -> Vec<Tree<'_>> {
        let of_rule = |&rule: &usize| {
            let definition = &grammar.rules()[rule];
            let below = of_symbols(grammar, &definition.right).into_iter();
            below.map(move |(rules, words, p)| {
                ([&[rule][..], &rules].concat(), words, p * definition.probability)
            })
        };
        grammar.rules_of(nonterminal).iter().flat_map(of_rule).collect()
    }
    of_nonterminal(grammar, 0)
}

fn by_sentence<'t, 'g>(trees: &'t [Tree<'g>]) -> BTreeMap<&'t [&'g str], Vec<&'t Tree<'g>>> {
    let mut sentences: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for tree in trees {
        sentences.entry(tree.1.as_slice()).or_default().push(tree);
    }
    sentences
}

fn check_sentence(parser: &Parser, words: &[&str], trees: &[&Tree<'_>]) {
    let sum: f64 = trees.iter().map(|tree| tree.2).sum();
    assert_close(parser.log_probability(words).exp(), sum);
    let best = parser.best(words).unwrap();
    let largest = trees.iter().map(|tree| tree.2).fold(0.0, f64::max);
    assert_close(best.log_probability.exp(), largest);
    assert_close(best.derivation.log_probability(parser.grammar()).exp(), largest);
    assert!(trees.iter().any(|tree| tree.0 == best.derivation.rules()));
    assert_eq!(best.derivation.words(parser.grammar()), words);
    let mut expected = vec![0.0; parser.grammar().rules().len()];
    for tree in trees {
        tree.0.iter().for_each(|&rule| expected[rule] += tree.2 / sum);
    }
    let found = parser.expected_rules(words).unwrap();
    found.iter().zip(&expected).for_each(|(found, expected)| assert_close(*found, *expected));
}

fn check_prefix(parser: &Parser, prefix: &[&str], sentences: &BTreeMap<&[&str], Vec<&Tree<'_>>>) {
    let mass = |prefix: &[&str]| -> f64 {
        let trees = sentences.iter().filter(|(words, _)| words.starts_with(prefix));
        trees.flat_map(|(_, trees)| trees).map(|tree| tree.2).sum()
    };
    let all = mass(prefix);
    assert_close(parser.prefix_log_probability(prefix).exp(), all);
    let next = parser.next_word(prefix).unwrap();
    for word in parser.grammar().terminals() {
        let expected = mass(&[prefix, &[word.as_str()]].concat()) / all;
        assert_close(next.probability(parser.grammar(), word), expected);
    }
    assert_close(next.words.iter().sum::<f64>() + next.end, 1.0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn everything_agrees_with_the_list_of_all_trees(text in random_grammar(false)) {
        let grammar = Grammar::parse_weights(&text).unwrap();
        let trees = trees(&grammar);
        prop_assume!(trees.len() < 3_000);
        assert_close(trees.iter().map(|tree| tree.2).sum(), 1.0);
        let sentences = by_sentence(&trees);
        let parser = Parser::new(grammar.clone());
        let total: f64 = sentences.keys().map(|words| parser.log_probability(words).exp()).sum();
        assert_close(total, 1.0);
        let normal = parser.chomsky_normal_form();
        let normal_parser = Parser::new(normal.grammar.clone());
        for (words, trees) in sentences.iter().take(40) {
            check_sentence(&parser, words, trees);
            (0..=words.len()).for_each(|end| check_prefix(&parser, &words[..end], &sentences));
            let in_normal_form = match words.len() {
                0 => normal.empty,
                _ => normal.nonempty * normal_parser.log_probability(words).exp(),
            };
            assert_close(in_normal_form, parser.log_probability(words).exp());
        }
    }
}
