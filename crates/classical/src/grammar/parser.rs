//! A grammar made ready for parsing.

use super::binary::Binary;
use super::chart::{Chart, NextWord};
use super::normal_form::NormalForm;
use super::viterbi::BestChains;
use super::{Derivation, Grammar};

/// Parses sentences of a grammar, in time that grows with the cube of their length.
#[derive(Debug, Clone)]
pub struct Parser {
    grammar: Grammar,
    pub(super) binary: Binary,
    pub(super) form: NormalForm,
    pub(super) chains: BestChains,
}

/// The best tree of a sentence.
#[derive(Debug, Clone, PartialEq)]
pub struct Parse {
    /// The tree.
    pub derivation: Derivation,
    /// Natural logarithm of its probability.
    pub log_probability: f64,
}

impl Parser {
    /// Prepares a grammar: cuts its rules and sums over empty and unit rules.
    ///
    /// Takes time with the cube of the number of symbols: fine for a thousand, slow for ten thousand.
    pub fn new(grammar: Grammar) -> Self {
        let binary = Binary::new(&grammar);
        let form = NormalForm::new(&grammar, &binary);
        let chains = BestChains::new(&binary);
        Self { grammar, binary, form, chains }
    }

    /// The grammar.
    pub fn grammar(&self) -> &Grammar {
        &self.grammar
    }

    /// The most probable tree of a sentence; `None` if it has none. Among equals the one whose rules come first.
    pub fn best(&self, words: &[&str]) -> Option<Parse> {
        let words: Option<Vec<usize>> =
            words.iter().map(|word| self.grammar.terminal(word)).collect();
        self.best_of(&words?)
    }

    /// Natural logarithm of the probability of a sentence, summed over its trees; −∞ if it has none.
    pub fn log_probability(&self, words: &[&str]) -> f64 {
        self.chart(words).ln_sentence()
    }

    /// Natural logarithm of the probability of all sentences that begin with `words`.
    pub fn prefix_log_probability(&self, words: &[&str]) -> f64 {
        self.chart(words).ln_prefix()
    }

    /// How likely each word comes after `words`; `None` if no sentence begins like that.
    ///
    /// Of a grammar whose derivations may never end, only those that do are counted.
    pub fn next_word(&self, words: &[&str]) -> Option<NextWord> {
        self.chart(words).next_word()
    }

    fn chart(&self, words: &[&str]) -> Chart<'_> {
        Chart::of(&self.form, &self.ids(words))
    }

    /// The terminals that `words` are, if they are.
    pub(super) fn ids(&self, words: &[&str]) -> Vec<Option<usize>> {
        words.iter().map(|word| self.grammar.terminal(word)).collect()
    }
}
