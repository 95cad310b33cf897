//! A model as lists of n-grams, order by order, and back: the form that files and pruning need.
//!
//! The start of a document is one `bos` here, as in ARPA files, also where the automaton knows it as
//! `order - 1` of them: a walk reaches only the longest of those contexts, so nothing is lost.

use std::collections::BTreeMap;
use std::ops::Range;

use super::automaton::{Arc, Automaton, ROOT, State};
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
        let orders = (1..=model.config.order).map(Rows::new).collect();
        let automaton = &model.automaton;
        let mut flatten = Flatten {
            automaton,
            inner: inner_states(automaton),
            bos: model.config.boundary(),
            orders,
        };
        flatten.visit(ROOT, &mut Vec::new());
        Self { config: model.config, orders: flatten.orders }
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

/// Which states a walk from the empty context can reach. The others are those at the start of a document.
fn inner_states(automaton: &Automaton) -> Vec<bool> {
    let states = automaton.states.len() - 1; // without the sentinel
    let mut inner = vec![false; states];
    inner[ROOT as usize] = true;
    for state in 0..states as u32 {
        if inner[state as usize] {
            let length = automaton.context_length(state) + 1;
            for arc in automaton.arcs(state) {
                let target = arc.target;
                // No walk takes the arc of a `bos` inside the vocabulary.
                let is_walked = target != ROOT && arc.token != automaton.boundary;
                if is_walked && automaton.context_length(target) == length {
                    inner[target as usize] = true;
                }
            }
        }
    }
    inner
}

/// Visits contexts in the order of their tokens, so that every list comes out sorted.
struct Flatten<'a> {
    automaton: &'a Automaton,
    inner: Vec<bool>,
    bos: u32,
    orders: Vec<Rows>,
}

impl Flatten<'_> {
    fn visit(&mut self, state: u32, context: &mut Vec<u32>) {
        let automaton = self.automaton;
        for arc in automaton.arcs(state) {
            let is_longer =
                arc.target != ROOT && automaton.context_length(arc.target) == context.len() + 1;
            let child = is_longer.then_some(arc.target);
            if state == ROOT && arc.token == self.bos {
                self.visit_start();
                continue;
            }
            context.push(arc.token);
            let backoff = child.map_or(1.0, |child| automaton.states[child as usize].backoff);
            self.orders[context.len() - 1].push(context, arc.probability, backoff);
            if let Some(child) = child {
                self.visit(child, context);
            }
            context.pop();
        }
        if state == ROOT && self.bos as usize >= automaton.arcs(ROOT).len() {
            self.visit_start(); // behind the vocabulary
        }
    }

    fn visit_start(&mut self) {
        let start = self.automaton.start();
        if start != ROOT {
            let (_, backoff) = self.at_start(start);
            self.orders[0].push(&[self.bos], 0.0, backoff);
            self.visit_at_start(start, &mut vec![self.bos]);
        }
    }

    /// A context that begins at the start of a document.
    fn visit_at_start(&mut self, state: u32, context: &mut Vec<u32>) {
        let (arcs, _) = self.at_start(state);
        for (token, (probability, target)) in arcs {
            let child = (!self.inner[target as usize]).then_some(target);
            context.push(token);
            let backoff = child.map_or(1.0, |child| self.at_start(child).1);
            self.orders[context.len() - 1].push(context, probability, backoff);
            if let Some(child) = child {
                self.visit_at_start(child, context);
            }
            context.pop();
        }
    }

    /// What can follow `state` before a walk gives up the start of the document, with probability and
    /// target, and the weight of what comes then.
    fn at_start(&self, mut state: u32) -> (BTreeMap<u32, (f64, u32)>, f64) {
        let mut arcs = BTreeMap::new();
        let mut weight = 1.0;
        while !self.inner[state as usize] {
            for arc in self.automaton.arcs(state) {
                arcs.entry(arc.token).or_insert((weight * arc.probability, arc.target));
            }
            let State { backoff, suffix, .. } = self.automaton.states[state as usize];
            weight *= backoff;
            state = suffix;
        }
        (arcs, weight)
    }
}

/// Builds the automaton: a state for every n-gram that something follows or that passes on less than
/// everything, an arc for every n-gram.
fn assemble(table: &NgramTable) -> Automaton {
    let config = &table.config;
    let bos = config.boundary();
    let mut automaton = Automaton::empty(config);
    let mut targets: Vec<Vec<u32>> = Vec::new(); // by order - 1 and row: the longest state it ends in
    automaton.layers.push(ROOT);
    let mut next_state = ROOT + 1;
    for rows in &table.orders {
        automaton.layers.push(next_state);
        let longer = table.orders.get(rows.order);
        let mut children = longer.into_iter().flat_map(|longer| longer.groups()).peekable();
        let row_targets = (0..rows.len()).map(|index| {
            let ngram = rows.ngram(index);
            let has_children = longer.is_some_and(|longer| {
                children.next_if(|group| longer.context(group.start) == ngram).is_some()
            });
            if has_children || (longer.is_some() && rows.backoff[index] != 1.0) {
                next_state += 1;
                return next_state - 1;
            }
            longest_target(table, &targets, &ngram[1..])
        });
        let row_targets = row_targets.collect();
        targets.push(row_targets);
    }
    automaton.layers.pop(); // the longest n-grams are no contexts
    add_root(&mut automaton, table, &targets[0]);
    for order in 1..table.orders.len() {
        add_states(&mut automaton, table, order, &targets, bos);
    }
    automaton.end_states();
    automaton
}

/// The state of the longest suffix of `ngram` that has one.
fn longest_target(table: &NgramTable, targets: &[Vec<u32>], mut ngram: &[u32]) -> u32 {
    while !ngram.is_empty() {
        if let Some(index) = table.orders[ngram.len() - 1].find(ngram) {
            return targets[ngram.len() - 1][index];
        }
        ngram = &ngram[1..];
    }
    ROOT
}

/// The empty context, with an arc for every token of the vocabulary.
fn add_root(automaton: &mut Automaton, table: &NgramTable, targets: &[u32]) {
    let rows = &table.orders[0];
    automaton.states.push(State { backoff: 1.0, suffix: ROOT, first_arc: 0 });
    let vocabulary = 0..table.config.vocab_size as u32;
    automaton.arcs.extend(vocabulary.map(|token| Arc { probability: 0.0, token, target: ROOT }));
    let bos = table.config.boundary();
    for index in (0..rows.len()).filter(|&index| rows.tokens[index] != bos) {
        let arc = &mut automaton.arcs[rows.tokens[index] as usize];
        arc.probability = rows.probability[index];
        arc.target = targets[index];
    }
}

/// The contexts of `length` tokens and their arcs.
fn add_states(
    automaton: &mut Automaton,
    table: &NgramTable,
    length: usize,
    targets: &[Vec<u32>],
    bos: u32,
) {
    let (rows, longer) = (&table.orders[length - 1], &table.orders[length]);
    let mut groups = longer.groups().peekable();
    for index in 0..rows.len() {
        let ngram = rows.ngram(index);
        let state = targets[length - 1][index];
        let children = groups.next_if(|group| longer.context(group.start) == ngram);
        if state as usize != automaton.states.len() {
            continue; // a shorter context's
        }
        if ngram.iter().all(|&token| token == bos) {
            automaton.start = state; // the longest one, added last, is the one that stays
        }
        let suffix = longest_target(table, targets, &ngram[1..]);
        let first_arc = automaton.arcs.len() as u32;
        automaton.states.push(State { backoff: rows.backoff[index], suffix, first_arc });
        for child in children.into_iter().flatten() {
            let token = longer.ngram(child)[length];
            if token != bos {
                let (probability, target) = (longer.probability[child], targets[length][child]);
                automaton.arcs.push(Arc { probability, token, target });
            }
        }
    }
}
