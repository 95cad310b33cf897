//! The Chomsky normal form as a grammar of its own.

use std::collections::BTreeMap;

use super::{Grammar, Parser, Rule, Symbol};

/// A grammar whose rules are `A -> B C` and `A -> 'word'` only.
///
/// A sentence that is not empty has `nonempty` times the probability that `grammar` gives it.
#[derive(Debug, Clone, PartialEq)]
pub struct ChomskyNormalForm {
    /// The rules; those of each nonterminal sum to one. There are none if only the empty sentence is possible.
    pub grammar: Grammar,
    /// The probability of all sentences with words.
    pub nonempty: f64,
    /// The probability of the sentence without words.
    pub empty: f64,
}

impl Parser {
    /// The grammar in Chomsky normal form, with the same sentences and the same probabilities.
    ///
    /// For reading and for other programs: the parser itself keeps chains of unit rules apart, which is smaller.
    pub fn chomsky_normal_form(&self) -> ChomskyNormalForm {
        let (mut symbols, mut terminals) = (Numbers::default(), Numbers::default());
        let mut rules = Vec::new();
        symbols.number(0);
        let mut next = 0;
        while let Some(&symbol) = symbols.order.get(next) {
            for (right, probability) in self.rules_without_units(symbol) {
                let right = right.into_iter().map(|part| match part {
                    Symbol::Nonterminal(child) => Symbol::Nonterminal(symbols.number(child)),
                    Symbol::Terminal(word) => Symbol::Terminal(terminals.number(word)),
                });
                rules.push(Rule { left: next, right: right.collect(), probability });
            }
            next += 1;
        }
        let names = self.names();
        let nonterminals = symbols.order.iter().map(|&symbol| names[symbol].clone()).collect();
        let words = terminals.order.iter().map(|&word| self.grammar().terminals()[word].clone());
        ChomskyNormalForm {
            grammar: Grammar::new(nonterminals, words.collect(), rules),
            nonempty: self.form.nonempty[0],
            empty: self.form.empty[0],
        }
    }

    /// What a symbol becomes after all unit rules.
    fn rules_without_units(&self, symbol: usize) -> BTreeMap<Vec<Symbol>, f64> {
        let mut rules = BTreeMap::new();
        for &(below, chain) in &self.form.below[symbol] {
            for (left, products) in self.form.products.iter().enumerate() {
                for product in products.iter().filter(|product| product.parent == below) {
                    let right = vec![Symbol::Nonterminal(left), Symbol::Nonterminal(product.right)];
                    *rules.entry(right).or_insert(0.0) += chain * product.probability;
                }
            }
            for (word, lexicon) in self.form.lexical.iter().enumerate() {
                for lexical in lexicon.iter().filter(|lexical| lexical.parent == below) {
                    let right = vec![Symbol::Terminal(word)];
                    *rules.entry(right).or_insert(0.0) += chain * lexical.probability;
                }
            }
        }
        rules
    }

    /// Names of all symbols; those of cut rules are `X1`, `X2`, … with as many `_` as it takes to be new.
    fn names(&self) -> Vec<String> {
        let mut names = self.grammar().nonterminals().to_vec();
        let taken: std::collections::HashSet<String> = names.iter().cloned().collect();
        for number in 1..=self.binary.ends.len() {
            let mut name = format!("X{number}");
            while taken.contains(&name) {
                name.push('_');
            }
            names.push(name);
        }
        names
    }
}

/// New numbers in the order in which the old ones are met.
#[derive(Default)]
struct Numbers {
    order: Vec<usize>,
    numbers: BTreeMap<usize, usize>,
}

impl Numbers {
    fn number(&mut self, old: usize) -> usize {
        let order = &mut self.order;
        *self.numbers.entry(old).or_insert_with(|| {
            order.push(old);
            order.len() - 1
        })
    }
}
