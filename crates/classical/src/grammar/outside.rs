//! How often each rule is expected in the trees of a sentence: inside–outside (Baker 1979).
//!
//! A cell's outside numbers are kept on the inverse of its inside scale, so that the product of both is the expected
//! number of constituents, whatever the length of the sentence.

use super::Parser;
use super::binary::{Body, Piece};
use super::chart::{Cell, Chart, spread};
use super::matrix;

/// What is expected of a sentence, or of several.
#[derive(Debug, Clone)]
pub(super) struct Expected {
    pub log_likelihood: f64,
    /// Uses of each piece.
    pieces: Vec<f64>,
    /// Constituents of each symbol, below a constituent with words, that derive nothing.
    empty: Vec<f64>,
}

impl Expected {
    pub fn none(parser: &Parser) -> Self {
        let pieces = vec![0.0; parser.binary.pieces.len()];
        Self { log_likelihood: 0.0, pieces, empty: vec![0.0; parser.form.symbols] }
    }

    pub fn add(&mut self, other: &Self) {
        self.log_likelihood += other.log_likelihood;
        self.pieces.iter_mut().zip(&other.pieces).for_each(|(sum, count)| *sum += count);
        self.empty.iter_mut().zip(&other.empty).for_each(|(sum, count)| *sum += count);
    }

    /// Expected uses of each rule of the grammar.
    pub fn rules(&self, parser: &Parser) -> Vec<f64> {
        let within_empty = self.within_empty(parser);
        let mut rules = vec![0.0; parser.grammar().rules().len()];
        for ((piece, count), empty) in
            parser.binary.pieces.iter().zip(&self.pieces).zip(within_empty)
        {
            if let Some(rule) = piece.rule {
                rules[rule] += count + empty;
            }
        }
        rules
    }

    /// Expected uses of each piece in what derives nothing: each empty constituent brings those below it.
    fn within_empty(&self, parser: &Parser) -> Vec<f64> {
        let share = |piece: &Piece| {
            let masses = &parser.form.empty;
            let children: f64 =
                piece.body.children().iter().flatten().map(|&c| masses[c]).product();
            match piece.body {
                Body::Word(_) => 0.0,
                _ if masses[piece.left] == 0.0 => 0.0,
                _ => piece.probability * children / masses[piece.left],
            }
        };
        let mut below = vec![vec![0.0; self.empty.len()]; self.empty.len()];
        for piece in &parser.binary.pieces {
            for child in piece.body.children().into_iter().flatten() {
                below[child][piece.left] += share(piece);
            }
        }
        // At a critical point the expectation has no bound; what is seen directly is then all that can be counted.
        let constituents = matrix::solve(&below, &self.empty).unwrap_or_else(|| self.empty.clone());
        parser.binary.pieces.iter().map(|piece| share(piece) * constituents[piece.left]).collect()
    }
}

impl Parser {
    /// What is expected of a sentence; `None` if it has no tree.
    pub(super) fn expected(&self, words: &[Option<usize>]) -> Option<Expected> {
        let chart = Chart::of(&self.form, words);
        let log_likelihood = chart.ln_sentence();
        if log_likelihood == f64::NEG_INFINITY {
            return None;
        }
        let mut expected = Expected { log_likelihood, ..Expected::none(self) };
        if words.is_empty() {
            expected.empty[0] = 1.0;
            return Some(expected);
        }
        let mut outside = Outside::new(&chart, self.form.symbols, words.len());
        for length in (1..=words.len()).rev() {
            for (start, word) in words[..=words.len() - length].iter().enumerate() {
                let (cell, weights) =
                    (chart.cell(start, start + length), outside.of(start, start + length));
                if cell.ln_scale == f64::NEG_INFINITY {
                    continue; // nothing derives these words
                }
                let weights = spread(weights, &self.form.below);
                self.count_units(&weights, cell, &mut expected);
                if let (1, Some(word)) = (length, *word) {
                    self.count_word(&weights, cell, word, &mut expected);
                }
                for split in start + 1..start + length {
                    outside.pass((start, split, start + length), &weights, self, &mut expected);
                }
            }
        }
        Some(expected)
    }

    fn count_units(&self, weights: &[f64], cell: &Cell, expected: &mut Expected) {
        for unit in &self.form.units {
            let count = weights[unit.parent] * unit.probability * cell.values[unit.child];
            expected.pieces[unit.piece] += count;
            if let Some(sibling) = unit.empty {
                expected.empty[sibling] += count;
            }
        }
    }

    fn count_word(&self, weights: &[f64], cell: &Cell, word: usize, expected: &mut Expected) {
        for lexical in &self.form.lexical[word] {
            let inside = lexical.probability * (-cell.ln_scale).exp();
            expected.pieces[lexical.piece] += weights[lexical.parent] * inside;
        }
    }
}

/// Outside numbers of all spans.
struct Outside<'c> {
    chart: &'c Chart<'c>,
    /// As the columns of the chart.
    columns: Vec<Vec<Vec<f64>>>,
}

impl<'c> Outside<'c> {
    fn new(chart: &'c Chart<'c>, symbols: usize, words: usize) -> Self {
        let column = |end: usize| vec![vec![0.0; symbols]; end];
        let mut columns: Vec<_> = (1..=words).map(column).collect();
        columns[words - 1][0][0] = chart.cell(0, words).values[0].recip();
        Self { chart, columns }
    }

    fn of(&self, start: usize, end: usize) -> &[f64] {
        &self.columns[end - 1][start]
    }

    /// Passes the weights of a span on to its two parts, and counts the pieces that join them.
    fn pass(
        &mut self,
        (start, split, end): (usize, usize, usize),
        weights: &[f64],
        parser: &Parser,
        expected: &mut Expected,
    ) {
        let (left, right) = (self.chart.cell(start, split), self.chart.cell(split, end));
        let factor = (left.ln_scale + right.ln_scale - self.chart.cell(start, end).ln_scale).exp();
        if factor == 0.0 {
            return; // nothing derives one of the parts
        }
        for (symbol, &inside) in left.values.iter().enumerate().filter(|(_, inside)| **inside > 0.0)
        {
            for product in &parser.form.products[symbol] {
                let weight = factor * weights[product.parent] * product.probability;
                let sibling = right.values[product.right];
                expected.pieces[product.piece] += weight * inside * sibling;
                self.columns[split - 1][start][symbol] += weight * sibling;
                self.columns[end - 1][split][product.right] += weight * inside;
            }
        }
    }
}
