//! A model as lists of n-grams, order by order, and back: the form that files and pruning need.
//!
//! The start of a document is one `bos` here, as in ARPA files, also where the automaton knows it as
//! `order - 1` of them: a walk reaches only the longest of those contexts, so nothing is lost.

mod assemble;
mod flatten;

use std::ops::Range;

use self::assemble::assemble;
use self::flatten::flatten;
use super::config::NgramConfig;
use super::model::NgramModel;

/// The n-grams of one order, sorted by their tokens.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    /// Tokens of all n-grams, oldest first, end to end.
    pub tokens: Vec<u32>,
    /// The probability of the last token after the others.
    pub probability: Vec<f64>,
    /// What the n-gram as a context passes on to the shorter one; 1 for one that is no context.
    pub backoff: Vec<f64>,
    /// Tokens per n-gram.
    pub order: usize,
}

impl Rows {
    pub fn new(order: usize) -> Self {
        Self { order, ..Self::default() }
    }

    pub fn len(&self) -> usize {
        self.probability.len()
    }

    /// The tokens of the n-gram at `index`.
    pub fn ngram(&self, index: usize) -> &[u32] {
        &self.tokens[index * self.order..][..self.order]
    }

    pub fn push(&mut self, ngram: &[u32], probability: f64, backoff: f64) {
        debug_assert_eq!(ngram.len(), self.order);
        self.tokens.extend_from_slice(ngram);
        self.probability.push(probability);
        self.backoff.push(backoff);
    }

    /// Where `ngram` is.
    pub fn find(&self, ngram: &[u32]) -> Option<usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.ngram(middle).cmp(ngram) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// The runs of n-grams with the same tokens before the last.
    pub fn groups(&self) -> impl Iterator<Item = Range<usize>> {
        let mut start = 0;
        std::iter::from_fn(move || {
            let context = (start < self.len()).then(|| self.context(start))?;
            let same = (start..self.len()).take_while(|&index| self.context(index) == context);
            let group = start..start + same.count();
            start = group.end;
            Some(group)
        })
    }

    /// All but the last token of the n-gram at `index`.
    pub fn context(&self, index: usize) -> &[u32] {
        &self.ngram(index)[..self.order - 1]
    }
}

/// A model as n-grams.
///
/// Invariant: all but the last token of an n-gram are an n-gram themselves. What starts with `bos` is
/// a context at the start of a document; `bos` has the probability zero.
#[derive(Debug, Clone)]
pub(super) struct NgramTable {
    pub config: NgramConfig,
    /// Index = order - 1.
    pub orders: Vec<Rows>,
}

impl NgramTable {
    /// The n-grams of `model`.
    pub fn of(model: &NgramModel) -> Self {
        Self { config: model.config, orders: flatten(model) }
    }

    /// The probability of `token` after `context`, both within the orders of the table.
    pub fn probability(&self, context: &[u32], token: u32) -> f64 {
        let mut weight = 1.0;
        for start in 0..=context.len() {
            let context = &context[start..];
            let rows = &self.orders[context.len()];
            if let Some(index) = rows.find(&[context, &[token]].concat()) {
                return weight * rows.probability[index];
            }
            weight *= self.backoff(context);
        }
        0.0
    }

    fn backoff(&self, context: &[u32]) -> f64 {
        let Some(shorter) = context.len().checked_sub(1) else { return 1.0 };
        let rows = &self.orders[shorter];
        rows.find(context).map_or(1.0, |index| rows.backoff[index])
    }

    /// The model of these n-grams.
    pub fn into_model(self) -> NgramModel {
        let ngrams = self.orders.iter().map(|rows| self.predicted(rows)).collect();
        NgramModel { config: self.config, automaton: assemble(&self), ngrams }
    }

    /// How many n-grams predict something: those that end in `bos` are contexts only.
    fn predicted(&self, rows: &Rows) -> usize {
        let bos = self.config.boundary();
        (0..rows.len()).filter(|&index| rows.ngram(index).last() != Some(&bos)).count()
    }
}
