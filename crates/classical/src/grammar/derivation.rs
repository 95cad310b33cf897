//! A tree of a sentence as its leftmost derivation: the rules in the order in which they rewrite the first
//! nonterminal that is left. That order and the tree determine each other.

use std::ops::Range;

use super::{Grammar, Symbol};

/// A tree, as the list of its rules from the top, left before right.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Derivation {
    rules: Vec<usize>,
}

/// A nonterminal of a tree with what it covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constituent {
    /// Index into [`Grammar::nonterminals`].
    pub nonterminal: usize,
    /// Index into [`Grammar::rules`].
    pub rule: usize,
    /// The words that it covers, counted from 0; empty where it derives nothing.
    pub words: Range<usize>,
    /// How many constituents are above it.
    pub depth: usize,
}

/// What a walk from left to right meets.
enum Event<'g> {
    Open { rule: usize, position: usize },
    Word(&'g str),
    Close,
}

impl Derivation {
    /// `rules` are a leftmost derivation from the first nonterminal.
    pub(super) fn new(rules: Vec<usize>) -> Self {
        Self { rules }
    }

    /// Indices into [`Grammar::rules`], in the order of the leftmost derivation.
    pub fn rules(&self) -> &[usize] {
        &self.rules
    }

    /// Natural logarithm of the product of the rules' probabilities.
    pub fn log_probability(&self, grammar: &Grammar) -> f64 {
        self.rules.iter().map(|&rule| grammar.rules()[rule].probability.ln()).sum()
    }

    /// The words of the sentence.
    pub fn words<'g>(&self, grammar: &'g Grammar) -> Vec<&'g str> {
        let mut words = Vec::new();
        self.walk(grammar, |event| {
            if let Event::Word(word) = event {
                words.push(word);
            }
        });
        words
    }

    /// The tree in brackets, as treebanks write it: `(S (NP dogs) (VP sleep))`.
    pub fn bracketed(&self, grammar: &Grammar) -> String {
        let mut text = String::new();
        self.walk(grammar, |event| match event {
            Event::Open { rule, .. } => {
                let space = if text.is_empty() { "" } else { " " };
                let name = &grammar.nonterminals()[grammar.rules()[rule].left];
                text.extend([space, "(", name]);
            }
            Event::Word(word) => text.extend([" ", word]),
            Event::Close => text.push(')'),
        });
        text
    }

    /// All nonterminals of the tree with their spans, those above before those below.
    pub fn constituents(&self, grammar: &Grammar) -> Vec<Constituent> {
        let mut constituents: Vec<Constituent> = Vec::with_capacity(self.rules.len());
        let mut open = Vec::new();
        let mut words = 0;
        self.walk(grammar, |event| match event {
            Event::Open { rule, position } => {
                let nonterminal = grammar.rules()[rule].left;
                open.push(position);
                let (words, depth) = (words..words, open.len() - 1);
                constituents.push(Constituent { nonterminal, rule, words, depth });
            }
            Event::Word(_) => words += 1,
            Event::Close => {
                let closed = open.pop().expect("what closes was opened");
                constituents[closed].words.end = words;
            }
        });
        constituents
    }

    /// Walks the tree from left to right. The depth of a tree has no limit, so nothing here is recursive.
    fn walk<'g>(&self, grammar: &'g Grammar, mut visit: impl FnMut(Event<'g>)) {
        let mut next = 0;
        let mut open: Vec<std::slice::Iter<'g, Symbol>> = Vec::new();
        let mut enter = |open: &mut Vec<std::slice::Iter<'g, Symbol>>,
                         visit: &mut dyn FnMut(Event<'g>)| {
            let rule = self.rules[next];
            visit(Event::Open { rule, position: next });
            open.push(grammar.rules()[rule].right.iter());
            next += 1;
        };
        enter(&mut open, &mut visit);
        while let Some(symbols) = open.last_mut() {
            match symbols.next() {
                Some(Symbol::Terminal(word)) => visit(Event::Word(&grammar.terminals()[*word])),
                Some(Symbol::Nonterminal(_)) => enter(&mut open, &mut visit),
                None => {
                    open.pop();
                    visit(Event::Close);
                }
            }
        }
    }
}
