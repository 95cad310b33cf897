//! Inside probabilities of all spans, and the probabilities of the next word, built one word at a time.
//!
//! A cell holds the inside probability of each symbol over one span (CKY). Beside the cells stands, after every word,
//! the forward weight of each symbol: how likely it is that a constituent of it begins right here, given all trees of
//! the words so far. That is the forward probability of Stolcke's Earley parser (1995), read off a CKY chart; with it
//! the next word costs one pass over the lexicon.

use super::Grammar;
use super::normal_form::{NormalForm, SparseRows};

/// Numbers over the symbols with a common factor `exp(ln_scale)`: the largest is one, so long sentences do not
/// underflow. All are zero where `ln_scale` is −∞.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    pub ln_scale: f64,
    pub values: Vec<f64>,
}

impl Cell {
    fn new(ln_scale: f64, mut values: Vec<f64>) -> Self {
        let largest = values.iter().copied().fold(0.0, f64::max);
        if largest == 0.0 {
            return Self { ln_scale: f64::NEG_INFINITY, values };
        }
        values.iter_mut().for_each(|value| *value /= largest);
        Self { ln_scale: ln_scale + largest.ln(), values }
    }

    /// The logarithm of a symbol's number.
    fn ln(&self, symbol: usize) -> f64 {
        self.ln_scale + self.values[symbol].ln()
    }

    /// `Σ value · weight · number` over pairs of cells, on their largest common scale.
    fn sum<'c>(
        symbols: usize,
        pairs: &[(&'c Self, &'c Self)],
        mut add: impl FnMut(&mut [f64], f64, &'c Self, &'c Self),
    ) -> (f64, Vec<f64>) {
        let scale = |(a, b): &(&Self, &Self)| a.ln_scale + b.ln_scale;
        let largest = pairs.iter().map(scale).fold(f64::NEG_INFINITY, f64::max);
        let mut sums = vec![0.0; symbols];
        if largest > f64::NEG_INFINITY {
            for pair in pairs {
                add(&mut sums, (scale(pair) - largest).exp(), pair.0, pair.1);
            }
        }
        (largest, sums)
    }
}

/// `values` times the rows of a matrix.
pub(super) fn spread(values: &[f64], rows: &SparseRows) -> Vec<f64> {
    let mut sums = vec![0.0; values.len()];
    for (value, row) in values.iter().zip(rows).filter(|(value, _)| **value > 0.0) {
        row.iter().for_each(|(column, weight)| sums[*column] += value * weight);
    }
    sums
}

/// The chart of the words so far.
pub(super) struct Chart<'f> {
    form: &'f NormalForm,
    words: Vec<Option<usize>>,
    /// `columns[end - 1][start]` is the span from `start` to `end`.
    columns: Vec<Vec<Cell>>,
    /// The forward weights before each word, and after the last.
    forward: Vec<Cell>,
    prefixes: Vec<f64>,
}

impl<'f> Chart<'f> {
    /// A chart of no words.
    pub fn new(form: &'f NormalForm) -> Self {
        let mut start = vec![0.0; form.symbols];
        start[0] = form.nonempty[0];
        let forward = vec![Cell::new(0.0, spread(&start, &form.left_corners))];
        let prefixes = vec![(form.nonempty[0] + form.empty[0]).ln()];
        Self { form, words: Vec::new(), columns: Vec::new(), forward, prefixes }
    }

    /// A chart of `words`; a word that the grammar does not have is `None`.
    pub fn of(form: &'f NormalForm, words: &[Option<usize>]) -> Self {
        let mut chart = Self::new(form);
        words.iter().for_each(|&word| chart.push(word));
        chart
    }

    pub fn words(&self) -> &[Option<usize>] {
        &self.words
    }

    pub fn cell(&self, start: usize, end: usize) -> &Cell {
        &self.columns[end - 1][start]
    }

    /// Adds a word: a column of spans that end with it.
    pub fn push(&mut self, word: Option<usize>) {
        self.prefixes.push(self.ln_next(word));
        self.words.push(word);
        let end = self.words.len();
        let mut column: Vec<Cell> = Vec::with_capacity(end);
        for start in (0..end).rev() {
            // Cells of the new column stand from the last start to the first while it is built.
            let cell = if start + 1 == end {
                self.of_word(word)
            } else {
                let pairs: Vec<_> = (start + 1..end)
                    .map(|split| (self.cell(start, split), &column[end - 1 - split]))
                    .collect();
                self.of_pairs(&pairs)
            };
            column.push(cell);
        }
        column.reverse();
        self.columns.push(column);
        let forward = self.advance();
        self.forward.push(forward);
    }

    fn of_word(&self, word: Option<usize>) -> Cell {
        let mut values = vec![0.0; self.form.symbols];
        for lexical in word.map_or(&[][..], |word| &self.form.lexical[word]) {
            values[lexical.parent] += lexical.probability;
        }
        Cell::new(0.0, spread(&values, &self.form.above))
    }

    fn of_pairs(&self, pairs: &[(&Cell, &Cell)]) -> Cell {
        let (scale, values) = Cell::sum(self.form.symbols, pairs, |sums, factor, left, right| {
            for (products, value) in self.form.products.iter().zip(&left.values) {
                if *value > 0.0 {
                    for product in products {
                        sums[product.parent] +=
                            factor * value * product.probability * right.values[product.right];
                    }
                }
            }
        });
        Cell::new(scale, spread(&values, &self.form.above))
    }

    /// The forward weights after the last word.
    fn advance(&self) -> Cell {
        let end = self.words.len();
        let pairs: Vec<_> =
            (0..end).map(|start| (&self.forward[start], self.cell(start, end))).collect();
        let (scale, values) =
            Cell::sum(self.form.symbols, &pairs, |sums, factor, forward, left| {
                for (products, value) in self.form.products.iter().zip(&left.values) {
                    if *value > 0.0 {
                        for product in products {
                            sums[product.right] += factor
                                * value
                                * product.probability
                                * forward.values[product.parent];
                        }
                    }
                }
            });
        Cell::new(scale, spread(&values, &self.form.left_corners))
    }

    /// Logarithm of the probability of the words as a whole sentence.
    pub fn ln_sentence(&self) -> f64 {
        match self.words.len() {
            0 => self.form.empty[0].ln(),
            words => self.form.nonempty[0].ln() + self.cell(0, words).ln(0),
        }
    }

    /// Logarithm of the probability of all sentences that begin with the words.
    pub fn ln_prefix(&self) -> f64 {
        self.prefixes[self.words.len()]
    }

    /// Logarithm of the probability of all sentences that begin with the words and then `word`.
    pub fn ln_next(&self, word: Option<usize>) -> f64 {
        let forward = &self.forward[self.words.len()];
        let lexicon = word.map_or(&[][..], |word| &self.form.lexical[word]);
        let sum: f64 = lexicon.iter().map(|l| l.probability * forward.values[l.parent]).sum();
        forward.ln_scale + sum.ln()
    }

    /// What may come next; `None` after words that begin no sentence.
    pub fn next_word(&self) -> Option<NextWord> {
        let prefix = self.ln_prefix();
        if prefix == f64::NEG_INFINITY {
            return None;
        }
        let words =
            (0..self.form.lexical.len()).map(|word| (self.ln_next(Some(word)) - prefix).exp());
        Some(NextWord { words: words.collect(), end: (self.ln_sentence() - prefix).exp() })
    }
}

/// How likely each word, or the end of the sentence, comes next. All of it sums to one.
#[derive(Debug, Clone, PartialEq)]
pub struct NextWord {
    /// A probability for each of [`Grammar::terminals`].
    pub words: Vec<f64>,
    /// The probability that the sentence ends here.
    pub end: f64,
}

impl NextWord {
    /// The probability of a word; zero for one that the grammar does not have.
    pub fn probability(&self, grammar: &Grammar, word: &str) -> f64 {
        grammar.terminal(word).map_or(0.0, |word| self.words[word])
    }
}
