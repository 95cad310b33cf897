//! The grammar without empty and unit rules, with every probability kept.
//!
//! With e(A) the probability that A derives nothing and n(A) that it derives something finite, `A -> B C [p]` becomes
//! a product of B and C, and two unit rules: `A -> B [p·e(C)]` and `A -> C [p·e(B)]`. Dividing by n(A) and multiplying
//! by n of the children makes the rules of each symbol sum to one again (Chi 1999); a sentence then has n(S) times
//! the probability that they give it. Chains of unit rules are summed by (I − U)⁻¹, those of left children by
//! (I − L)⁻¹ (Jelinek and Lafferty 1991).

use super::binary::{Binary, Body};
use super::{Grammar, masses, matrix};

/// `parent -> left right`, filed under `left`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Product {
    pub parent: usize,
    pub right: usize,
    pub probability: f64,
    pub piece: usize,
}

/// `parent -> child`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unit {
    pub parent: usize,
    pub child: usize,
    pub probability: f64,
    pub piece: usize,
    /// The sibling that derives nothing.
    pub empty: Option<usize>,
}

/// `parent -> word`, filed under the word.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lexical {
    pub parent: usize,
    pub probability: f64,
    pub piece: usize,
}

/// Elements of a matrix that are not zero, row by row.
pub(super) type SparseRows = Vec<Vec<(usize, f64)>>;

#[derive(Debug, Clone)]
pub(super) struct NormalForm {
    pub symbols: usize,
    /// Probability that each symbol derives the empty string.
    pub empty: Vec<f64>,
    /// Probability that each symbol derives something, and ends.
    pub nonempty: Vec<f64>,
    pub products: Vec<Vec<Product>>,
    pub units: Vec<Unit>,
    pub lexical: Vec<Vec<Lexical>>,
    /// For each symbol, those that it may stand below in a chain of unit rules, itself included.
    pub above: SparseRows,
    /// For each symbol, those that it may stand above in such a chain.
    pub below: SparseRows,
    /// For each symbol, those that its first word may come from, with the sum over all chains.
    pub left_corners: SparseRows,
}

impl NormalForm {
    pub fn new(grammar: &Grammar, binary: &Binary) -> Self {
        let symbols = binary.symbols();
        let empty = masses::empty(binary);
        let nonempty = nonempty(grammar, binary, &empty);
        let mut form = Self {
            symbols,
            empty,
            nonempty,
            products: vec![Vec::new(); symbols],
            units: Vec::new(),
            lexical: vec![Vec::new(); grammar.terminals().len()],
            above: Vec::new(),
            below: Vec::new(),
            left_corners: Vec::new(),
        };
        for piece in 0..binary.pieces.len() {
            form.add(binary, piece);
        }
        form.close();
        form
    }

    fn add(&mut self, binary: &Binary, index: usize) {
        let piece = &binary.pieces[index];
        let (parent, scale) = (piece.left, piece.probability / self.nonempty[piece.left]);
        // Also where the scale is 0/0: nothing is derived from such a symbol.
        if piece.probability == 0.0 || self.nonempty[parent] == 0.0 {
            return;
        }
        match piece.body {
            Body::Empty => {}
            Body::Word(word) => {
                self.lexical[word].push(Lexical { parent, probability: scale, piece: index });
            }
            Body::One(child) => self.add_unit(parent, child, scale, index, None),
            Body::Two(left, right) => {
                let probability = scale * self.nonempty[left] * self.nonempty[right];
                if probability > 0.0 {
                    let product = Product { parent, right, probability, piece: index };
                    self.products[left].push(product);
                }
                self.add_unit(parent, left, scale * self.empty[right], index, Some(right));
                self.add_unit(parent, right, scale * self.empty[left], index, Some(left));
            }
        }
    }

    fn add_unit(
        &mut self,
        parent: usize,
        child: usize,
        scale: f64,
        piece: usize,
        empty: Option<usize>,
    ) {
        let probability = scale * self.nonempty[child];
        if probability > 0.0 {
            self.units.push(Unit { parent, child, probability, piece, empty });
        }
    }

    /// Sums over chains of unit rules and of left children. Every chain ends in a word with probability one, so both
    /// sums exist.
    fn close(&mut self) {
        let mut chains = vec![vec![0.0; self.symbols]; self.symbols];
        for unit in &self.units {
            chains[unit.parent][unit.child] += unit.probability;
        }
        self.below = sparse(&matrix::closure(&chains));
        self.above = transposed(&self.below);
        for (left, products) in self.products.iter().enumerate() {
            for product in products {
                chains[product.parent][left] += product.probability;
            }
        }
        self.left_corners = sparse(&matrix::closure(&chains));
    }
}

/// n(A): all of the finite mass that is not empty.
fn nonempty(grammar: &Grammar, binary: &Binary, empty: &[f64]) -> Vec<f64> {
    let is_finite = matrix::is_convergent(&grammar.expected_children());
    let finite = if is_finite { vec![1.0; binary.symbols()] } else { masses::finite(binary) };
    let something = something(binary);
    let mass = |symbol: usize| if something[symbol] { finite[symbol] - empty[symbol] } else { 0.0 };
    (0..binary.symbols()).map(mass).collect()
}

/// Whether each symbol can derive words: a difference of masses would leave a rounding error instead of zero.
fn something(binary: &Binary) -> Vec<bool> {
    let ends = binary.reachable_upwards(true);
    let mut holds = vec![false; binary.symbols()];
    loop {
        let before = holds.clone();
        for piece in binary.pieces.iter().filter(|piece| piece.probability > 0.0) {
            holds[piece.left] |= match piece.body {
                Body::Empty => false,
                Body::Word(_) => true,
                Body::One(child) => holds[child],
                Body::Two(a, b) => (holds[a] && ends[b]) || (ends[a] && holds[b]),
            };
        }
        if holds == before {
            return holds;
        }
    }
}

fn sparse(matrix: &[Vec<f64>]) -> SparseRows {
    let row = |row: &Vec<f64>| {
        row.iter().copied().enumerate().filter(|(_, value)| *value > 0.0).collect()
    };
    matrix.iter().map(row).collect()
}

fn transposed(rows: &SparseRows) -> SparseRows {
    let mut columns = vec![Vec::new(); rows.len()];
    for (row, elements) in rows.iter().enumerate() {
        for &(column, value) in elements {
            columns[column].push((row, value));
        }
    }
    columns
}
