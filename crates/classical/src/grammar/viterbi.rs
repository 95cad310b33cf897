//! The best tree: CKY with the maximum in place of the sum.
//!
//! Empty children and chains of unit rules take their best derivation here, where the inside algorithm takes the sum
//! over all of them. Logarithms, so that long sentences do not underflow.

use std::collections::HashMap;

use super::binary::{Binary, Body};
use super::{Derivation, Parse, Parser};

/// `parent -> child` where the sibling, if any, derives nothing.
#[derive(Debug, Clone, Copy)]
struct Link {
    parent: usize,
    child: usize,
    ln: f64,
    piece: usize,
}

/// `parent -> left right`, filed under `left`.
#[derive(Debug, Clone, Copy)]
struct Product {
    parent: usize,
    right: usize,
    ln: f64,
    piece: usize,
}

/// The best ways to derive nothing, and to get from symbol to symbol by unit rules.
#[derive(Debug, Clone)]
pub(super) struct BestChains {
    /// The piece with which each symbol becomes empty, if it can.
    empty: Vec<Option<usize>>,
    empty_ln: Vec<f64>,
    products: Vec<Vec<Product>>,
    /// For each symbol, the symbols above it, with the logarithm of the best chain.
    above: Vec<Vec<(usize, f64)>>,
    /// The first link from a symbol down to another.
    first_link: HashMap<(usize, usize), Link>,
}

impl BestChains {
    pub fn new(binary: &Binary) -> Self {
        let symbols = binary.symbols();
        let (empty, empty_ln) = best_empty(binary);
        let mut products = vec![Vec::new(); symbols];
        let mut links = Vec::new();
        for (index, piece) in binary.pieces.iter().enumerate().filter(|(_, p)| p.probability > 0.0)
        {
            let (parent, ln) = (piece.left, piece.probability.ln());
            match piece.body {
                Body::Empty | Body::Word(_) => {}
                Body::One(child) => links.push(Link { parent, child, ln, piece: index }),
                Body::Two(left, right) => {
                    products[left].push(Product { parent, right, ln, piece: index });
                    for (child, sibling) in [(left, right), (right, left)] {
                        let ln = ln + empty_ln[sibling];
                        links.push(Link { parent, child, ln, piece: index });
                    }
                }
            }
        }
        links.retain(|link| link.ln > f64::NEG_INFINITY);
        let mut chains =
            Self { empty, empty_ln, products, above: Vec::new(), first_link: HashMap::new() };
        for symbol in 0..symbols {
            chains.climb(symbol, symbols, &links);
        }
        chains
    }

    /// Finds the best chains that end at `symbol` (Bellman–Ford; no link gains, so no chain has a loop).
    fn climb(&mut self, symbol: usize, symbols: usize, links: &[Link]) {
        let mut best = vec![f64::NEG_INFINITY; symbols];
        best[symbol] = 0.0;
        let mut changed = true;
        while changed {
            changed = false;
            for link in links {
                let ln = link.ln + best[link.child];
                if ln > best[link.parent] {
                    best[link.parent] = ln;
                    self.first_link.insert((link.parent, symbol), *link);
                    changed = true;
                }
            }
        }
        let above = best.into_iter().enumerate().filter(|(_, ln)| *ln > f64::NEG_INFINITY);
        self.above.push(above.collect());
    }
}

fn best_empty(binary: &Binary) -> (Vec<Option<usize>>, Vec<f64>) {
    let mut ln = vec![f64::NEG_INFINITY; binary.symbols()];
    let mut pieces = vec![None; binary.symbols()];
    let mut changed = true;
    while changed {
        changed = false;
        for (index, piece) in binary.pieces.iter().enumerate() {
            let children = match piece.body {
                Body::Empty => 0.0,
                Body::Word(_) => f64::NEG_INFINITY,
                Body::One(child) => ln[child],
                Body::Two(left, right) => ln[left] + ln[right],
            };
            let value = piece.probability.ln() + children;
            if value > ln[piece.left] {
                ln[piece.left] = value;
                pieces[piece.left] = Some(index);
                changed = true;
            }
        }
    }
    (pieces, ln)
}

/// How a symbol derives its span without a unit rule at the top.
#[derive(Debug, Clone, Copy)]
struct Way {
    ln: f64,
    piece: usize,
    /// Where the first child ends; for a word, nothing.
    split: usize,
}

const NO_WAY: Way = Way { ln: f64::NEG_INFINITY, piece: usize::MAX, split: 0 };

struct Cell {
    ways: Vec<Way>,
    /// The best chain of unit rules to a way: its logarithm with that of the way, and the symbol that has the way.
    best: Vec<(f64, usize)>,
}

/// What is left to be written down of a tree.
enum Open {
    /// A symbol over a span that reaches `way` by unit rules, which may be none.
    Chain { symbol: usize, way: usize, start: usize, end: usize },
    /// A symbol that derives nothing.
    Empty(usize),
}

impl Parser {
    pub(super) fn best_of(&self, words: &[usize]) -> Option<Parse> {
        let (cells, log_probability) = if words.is_empty() {
            (Vec::new(), self.chains.empty_ln[0])
        } else {
            let cells = self.best_cells(words);
            let ln = cells[words.len() - 1][0].best[0].0;
            (cells, ln)
        };
        (log_probability > f64::NEG_INFINITY).then(|| {
            let rules = self.write_down(&cells, words.len());
            Parse { derivation: Derivation::new(rules), log_probability }
        })
    }

    /// `cells[end - 1][start]`.
    fn best_cells(&self, words: &[usize]) -> Vec<Vec<Cell>> {
        let lexicon = self.lexicon(words);
        let mut cells: Vec<Vec<Cell>> = Vec::with_capacity(words.len());
        for end in 1..=words.len() {
            let mut column: Vec<Cell> = Vec::with_capacity(end);
            for start in (0..end).rev() {
                let mut ways = vec![NO_WAY; self.form.symbols];
                if start + 1 == end {
                    for &(symbol, way) in &lexicon[&words[start]] {
                        improve(&mut ways[symbol], way);
                    }
                }
                for split in start + 1..end {
                    self.join(&cells[split - 1][start], &column[end - 1 - split], split, &mut ways);
                }
                column.push(self.close(ways));
            }
            column.reverse();
            cells.push(column);
        }
        cells
    }

    /// The ways to derive each of `words`.
    fn lexicon(&self, words: &[usize]) -> HashMap<usize, Vec<(usize, Way)>> {
        let mut lexicon: HashMap<usize, Vec<(usize, Way)>> =
            words.iter().map(|&word| (word, Vec::new())).collect();
        for (index, piece) in self.binary.pieces.iter().enumerate() {
            if let Body::Word(word) = piece.body
                && let Some(ways) = lexicon.get_mut(&word)
            {
                ways.push((piece.left, Way { ln: piece.probability.ln(), piece: index, split: 0 }));
            }
        }
        lexicon
    }

    fn join(&self, left: &Cell, right: &Cell, split: usize, ways: &mut [Way]) {
        for (products, (left, _)) in self.chains.products.iter().zip(&left.best) {
            if *left > f64::NEG_INFINITY {
                for product in products {
                    let ln = product.ln + left + right.best[product.right].0;
                    improve(&mut ways[product.parent], Way { ln, piece: product.piece, split });
                }
            }
        }
    }

    fn close(&self, ways: Vec<Way>) -> Cell {
        let mut best = vec![(f64::NEG_INFINITY, usize::MAX); ways.len()];
        for (symbol, way) in ways.iter().enumerate().filter(|(_, way)| way.ln > f64::NEG_INFINITY) {
            for &(above, chain) in &self.chains.above[symbol] {
                let ln = chain + way.ln;
                if ln > best[above].0 {
                    best[above] = (ln, symbol);
                }
            }
        }
        Cell { ways, best }
    }

    /// The rules of the best tree in the order of the leftmost derivation.
    fn write_down(&self, cells: &[Vec<Cell>], words: usize) -> Vec<usize> {
        let span = |symbol: usize, start: usize, end: usize| {
            let way = cells[end - 1][start].best[symbol].1;
            Open::Chain { symbol, way, start, end }
        };
        let mut rules = Vec::new();
        // What comes next stands last.
        let mut open = vec![if words == 0 { Open::Empty(0) } else { span(0, 0, words) }];
        while let Some(next) = open.pop() {
            let (piece, children) = match next {
                Open::Empty(symbol) => {
                    let piece = self.chains.empty[symbol].expect("this symbol can be empty");
                    let children = self.binary.pieces[piece].body.children();
                    (piece, children.map(|child| child.map(Open::Empty)))
                }
                Open::Chain { symbol, way, start, end } if symbol == way => {
                    let Way { piece, split, .. } = cells[end - 1][start].ways[symbol];
                    let children = match self.binary.pieces[piece].body {
                        Body::Two(a, b) => [Some(span(a, start, split)), Some(span(b, split, end))],
                        _ => [None, None],
                    };
                    (piece, children)
                }
                Open::Chain { symbol, way, start, end } => {
                    let link = self.chains.first_link[&(symbol, way)];
                    let rest = Open::Chain { symbol: link.child, way, start, end };
                    (link.piece, self.beside_empty(&link, rest))
                }
            };
            rules.extend(self.binary.pieces[piece].rule);
            open.extend(children.into_iter().rev().flatten());
        }
        rules
    }

    /// The child of a link, and its sibling that derives nothing, in their order.
    fn beside_empty(&self, link: &Link, child: Open) -> [Option<Open>; 2] {
        match self.binary.pieces[link.piece].body {
            Body::Two(left, right) if left == link.child => [Some(child), Some(Open::Empty(right))],
            Body::Two(left, _) => [Some(Open::Empty(left)), Some(child)],
            Body::One(_) | Body::Word(_) | Body::Empty => [Some(child), None],
        }
    }
}

fn improve(way: &mut Way, other: Way) {
    if other.ln > way.ln {
        *way = other;
    }
}
