//! The grammar itself: symbols, rules and their probabilities.

use std::collections::HashMap;
use std::fmt;

use super::syntax::{WrittenRule, WrittenSymbol, quote, read};
use super::{GrammarError, GrammarProblem, matrix, structure};

/// How far probabilities may be from a sum of one; they are made exact.
const TOLERANCE: f64 = 1e-6;

/// A symbol of a rule's right side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Symbol {
    /// An index into [`Grammar::nonterminals`].
    Nonterminal(usize),
    /// An index into [`Grammar::terminals`].
    Terminal(usize),
}

/// A rule: what a nonterminal may become, and how likely.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// The nonterminal that it rewrites.
    pub left: usize,
    /// What it becomes; may be empty.
    pub right: Vec<Symbol>,
    /// How likely it is among the rules of its nonterminal.
    pub probability: f64,
}

/// A probabilistic context-free grammar. Its first nonterminal is the one that sentences begin with.
///
/// Invariant: the probabilities of each nonterminal's rules sum to one.
#[derive(Debug, Clone, PartialEq)]
pub struct Grammar {
    nonterminals: Vec<String>,
    terminals: Vec<String>,
    rules: Vec<Rule>,
    /// The rules of each nonterminal.
    rules_of: Vec<Vec<usize>>,
    terminal_ids: HashMap<String, usize>,
}

impl Grammar {
    /// Reads a grammar from the text of a file. Rules without any probability are equally likely.
    ///
    /// # Errors
    /// [`GrammarError::File`] with everything that is wrong with it.
    pub fn parse(text: &str) -> Result<Self, GrammarError> {
        Self::build(text, false)
    }

    /// Reads a grammar whose numbers are weights (counts, for example) that need not sum to one.
    ///
    /// # Errors
    /// [`GrammarError::File`] with everything that is wrong with it.
    pub fn parse_weights(text: &str) -> Result<Self, GrammarError> {
        Self::build(text, true)
    }

    fn build(text: &str, normalise: bool) -> Result<Self, GrammarError> {
        let written = read(text).map_err(|problems| GrammarError::File { problems })?;
        let mut problems = structure::problems(&written);
        let weights = weights(&written, normalise).unwrap_or_else(|found| {
            problems.extend(found);
            Vec::new()
        });
        if !problems.is_empty() {
            problems.sort_by_key(GrammarProblem::line);
            return Err(GrammarError::File { problems });
        }
        let mut names = Names::default();
        // Nonterminals are numbered in the order of their rules, so that the first one starts.
        for rule in &written {
            names.nonterminals.id(&rule.left);
        }
        let rule = |(rule, probability): (&WrittenRule, f64)| Rule {
            left: names.nonterminals.id(&rule.left),
            right: rule.right.iter().map(|symbol| names.symbol(symbol)).collect(),
            probability,
        };
        let rules = written.iter().zip(weights).map(rule).collect();
        Ok(Self::new(names.nonterminals.names, names.terminals.names, rules))
    }

    /// A grammar of rules that are known to be right.
    pub(super) fn new(nonterminals: Vec<String>, terminals: Vec<String>, rules: Vec<Rule>) -> Self {
        let mut rules_of = vec![Vec::new(); nonterminals.len()];
        for (index, rule) in rules.iter().enumerate() {
            rules_of[rule.left].push(index);
        }
        let terminal_ids = terminals.iter().cloned().zip(0..).collect();
        Self { nonterminals, terminals, rules, rules_of, terminal_ids }
    }

    /// The same rules with other probabilities.
    pub(super) fn with_probabilities(&self, probabilities: &[f64]) -> Self {
        let mut grammar = self.clone();
        for (rule, &probability) in grammar.rules.iter_mut().zip(probabilities) {
            rule.probability = probability;
        }
        grammar
    }

    /// Names of the nonterminals; the first one begins a sentence.
    pub fn nonterminals(&self) -> &[String] {
        &self.nonterminals
    }

    /// The words.
    pub fn terminals(&self) -> &[String] {
        &self.terminals
    }

    /// The rules in the order of the file.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The indices of a nonterminal's rules.
    pub fn rules_of(&self, nonterminal: usize) -> &[usize] {
        &self.rules_of[nonterminal]
    }

    /// The index of a word, if the grammar has it.
    pub fn terminal(&self, word: &str) -> Option<usize> {
        self.terminal_ids.get(word).copied()
    }

    /// The same language with every character as a word of its own: what a text is made of when no spaces divide it,
    /// as in Chinese. A text's probability is then summed over all ways to divide it.
    #[must_use]
    pub fn by_character(&self) -> Self {
        let mut names = Names::default();
        let rules: Vec<Rule> = self
            .rules
            .iter()
            .map(|rule| {
                let right = rule.right.iter().flat_map(|&symbol| match symbol {
                    Symbol::Nonterminal(_) => vec![symbol],
                    Symbol::Terminal(word) => {
                        let characters = self.terminals[word].chars().map(String::from);
                        characters.map(|c| Symbol::Terminal(names.terminals.id(&c))).collect()
                    }
                });
                Rule { right: right.collect(), ..*rule }
            })
            .collect();
        Self::new(self.nonterminals.clone(), names.terminals.names, rules)
    }

    /// Expected number of each nonterminal (columns) after one step from each (rows).
    pub(super) fn expected_children(&self) -> Vec<Vec<f64>> {
        let size = self.nonterminals.len();
        let mut expected = vec![vec![0.0; size]; size];
        for rule in &self.rules {
            for symbol in &rule.right {
                if let Symbol::Nonterminal(child) = symbol {
                    expected[rule.left][*child] += rule.probability;
                }
            }
        }
        expected
    }

    /// Largest eigenvalue of the expected children. Below one, sentences end and have a finite expected length; above
    /// one, some derivations never end (Booth and Thompson 1973).
    pub fn spectral_radius(&self) -> f64 {
        matrix::spectral_radius(&self.expected_children())
    }

    /// Expected number of words in a sentence; infinite where the [`spectral_radius`](Self::spectral_radius) is not
    /// below one.
    pub fn expected_length(&self) -> f64 {
        let mut words = vec![0.0; self.nonterminals.len()];
        for rule in &self.rules {
            let terminals = rule.right.iter().filter(|s| matches!(s, Symbol::Terminal(_))).count();
            words[rule.left] += rule.probability * terminals as f64;
        }
        let lengths = matrix::solve(&self.expected_children(), &words);
        lengths.map_or(f64::INFINITY, |lengths| lengths[0])
    }

    /// A symbol as the file has it.
    fn written(&self, symbol: Symbol) -> WrittenSymbol {
        match symbol {
            Symbol::Nonterminal(index) => {
                WrittenSymbol::Nonterminal(self.nonterminals[index].clone())
            }
            Symbol::Terminal(index) => WrittenSymbol::Terminal(self.terminals[index].clone()),
        }
    }
}

/// The grammar in the format that [`Grammar::parse`] reads.
impl fmt::Display for Grammar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, rules) in self.nonterminals.iter().zip(&self.rules_of) {
            for (position, &rule) in rules.iter().enumerate() {
                let rule = &self.rules[rule];
                let before = if position == 0 { format!("{name} ->") } else { "    |".to_owned() };
                let right: Vec<_> = rule.right.iter().map(|&symbol| self.written(symbol)).collect();
                writeln!(f, "{before} {} [{}]", RightSide(&right), rule.probability)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for WrittenRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}", self.left, RightSide(&self.right))
    }
}

struct RightSide<'a>(&'a [WrittenSymbol]);

impl fmt::Display for RightSide<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = self.0.iter().map(|symbol| match symbol {
            WrittenSymbol::Nonterminal(name) => name.clone(),
            WrittenSymbol::Terminal(word) => quote(word),
        });
        let words: Vec<String> = words.collect();
        f.write_str(&if words.is_empty() { "ε".to_owned() } else { words.join(" ") })
    }
}

/// The probability of each rule: as written, or equal where none is.
fn weights(rules: &[WrittenRule], normalise: bool) -> Result<Vec<f64>, Vec<GrammarProblem>> {
    let mut rules_of: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, rule) in rules.iter().enumerate() {
        rules_of.entry(&rule.left).or_default().push(index);
    }
    let mut weights = vec![1.0; rules.len()];
    let mut problems = Vec::new();
    for (name, own) in rules_of {
        let written: Vec<f64> = own.iter().filter_map(|&rule| rules[rule].weight).collect();
        if written.is_empty() {
            own.iter().for_each(|&rule| weights[rule] = 1.0 / own.len() as f64);
            continue;
        }
        if let Some(&without) = own.iter().find(|&&rule| rules[rule].weight.is_none()) {
            let (line, name) = (rules[without].line, name.to_owned());
            problems.push(GrammarProblem::MixedWeights { line, name });
            continue;
        }
        let sum: f64 = written.iter().sum();
        let is_right = if normalise { sum > 0.0 } else { (sum - 1.0).abs() <= TOLERANCE };
        if !is_right {
            let (line, name) = (rules[own[0]].line, name.to_owned());
            let expected = if normalise { "more than 0" } else { "1" };
            problems.push(GrammarProblem::Sum { line, name, sum, expected });
        }
        own.iter().zip(&written).for_each(|(&rule, weight)| weights[rule] = weight / sum);
    }
    if problems.is_empty() { Ok(weights) } else { Err(problems) }
}

#[derive(Default)]
struct Names {
    nonterminals: Ids,
    terminals: Ids,
}

impl Names {
    fn symbol(&mut self, symbol: &WrittenSymbol) -> Symbol {
        match symbol {
            WrittenSymbol::Nonterminal(name) => Symbol::Nonterminal(self.nonterminals.id(name)),
            WrittenSymbol::Terminal(word) => Symbol::Terminal(self.terminals.id(word)),
        }
    }
}

/// Numbers for names in the order in which they come.
#[derive(Default)]
struct Ids {
    names: Vec<String>,
    ids: HashMap<String, usize>,
}

impl Ids {
    fn id(&mut self, name: &str) -> usize {
        if let Some(&id) = self.ids.get(name) {
            return id;
        }
        let id = self.names.len();
        self.names.push(name.to_owned());
        self.ids.insert(name.to_owned(), id);
        id
    }
}
