//! Rules cut into pieces with at most two children each.
//!
//! `A -> B C D` becomes `A -> B ⟨C D⟩` and `⟨C D⟩ -> C D`; the first piece has the probability and names the rule,
//! the others have probability one. Rules that end alike share their ends. A word beside other symbols gets a symbol
//! of its own.

use std::collections::HashMap;

use super::{Grammar, Symbol};

/// What a piece becomes; the numbers of `One` and `Two` are symbols of [`Binary`], that of `Word` is a terminal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Body {
    Empty,
    Word(usize),
    One(usize),
    Two(usize, usize),
}

impl Body {
    /// The symbols in it, left before right.
    pub fn children(self) -> [Option<usize>; 2] {
        match self {
            Self::Empty | Self::Word(_) => [None, None],
            Self::One(child) => [Some(child), None],
            Self::Two(left, right) => [Some(left), Some(right)],
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Piece {
    pub left: usize,
    pub body: Body,
    pub probability: f64,
    /// The rule that begins here; none for the rest of a cut rule.
    pub rule: Option<usize>,
}

#[derive(Debug, Clone)]
pub(super) struct Binary {
    pub pieces: Vec<Piece>,
    /// The right side that each symbol behind the grammar's nonterminals stands for.
    pub ends: Vec<Vec<Symbol>>,
    nonterminals: usize,
}

impl Binary {
    pub fn new(grammar: &Grammar) -> Self {
        let nonterminals = grammar.nonterminals().len();
        let binary = Self { pieces: Vec::new(), ends: Vec::new(), nonterminals };
        let mut cutter = Cutter { binary, known: HashMap::new() };
        for (index, rule) in grammar.rules().iter().enumerate() {
            let body = cutter.body(&rule.right);
            let (left, probability) = (rule.left, rule.probability);
            cutter.binary.pieces.push(Piece { left, body, probability, rule: Some(index) });
        }
        cutter.binary
    }

    /// Number of symbols: the nonterminals of the grammar first, then those of cut rules.
    pub fn symbols(&self) -> usize {
        self.nonterminals + self.ends.len()
    }

    /// What holds for a symbol if it holds for all children of one of its pieces; `words` says whether words count.
    /// Pieces that are impossible do not.
    pub fn reachable_upwards(&self, words: bool) -> Vec<bool> {
        let mut holds = vec![false; self.symbols()];
        loop {
            let before = holds.clone();
            for piece in self.pieces.iter().filter(|piece| piece.probability > 0.0) {
                holds[piece.left] |= match piece.body {
                    Body::Empty => true,
                    Body::Word(_) => words,
                    Body::One(child) => holds[child],
                    Body::Two(left, right) => holds[left] && holds[right],
                };
            }
            if holds == before {
                return holds;
            }
        }
    }
}

struct Cutter {
    binary: Binary,
    known: HashMap<Vec<Symbol>, usize>,
}

impl Cutter {
    fn body(&mut self, right: &[Symbol]) -> Body {
        match right {
            [] => Body::Empty,
            [Symbol::Terminal(word)] => Body::Word(*word),
            [Symbol::Nonterminal(child)] => Body::One(*child),
            [first, rest @ ..] => {
                Body::Two(self.symbol(std::slice::from_ref(first)), self.symbol(rest))
            }
        }
    }

    /// The one symbol that stands for `right`.
    fn symbol(&mut self, right: &[Symbol]) -> usize {
        if let [Symbol::Nonterminal(child)] = right {
            return *child;
        }
        if let Some(&symbol) = self.known.get(right) {
            return symbol;
        }
        let left = self.binary.symbols();
        self.known.insert(right.to_vec(), left);
        self.binary.ends.push(right.to_vec());
        let body = self.body(right);
        self.binary.pieces.push(Piece { left, body, probability: 1.0, rule: None });
        left
    }
}
