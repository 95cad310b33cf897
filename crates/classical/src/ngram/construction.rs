//! From counts to probabilities: discounting, interpolation, and the links of the automaton.
//!
//! p(w | h) = (c(hw) - D(c(hw))) / c(h) + gamma(h) p(w | h'), where h' is h without its oldest
//! token, c is the raw count at the model's order and the continuation count below it, c(h) its sum
//! over w, and gamma(h) = (D1 N1(h) + D2 N2(h) + D3+ N3+(h)) / c(h) is exactly what the discounts
//! took away. Below the empty context stands the uniform distribution.

use std::borrow::Borrow;

use super::automaton::{Arc, Automaton, ROOT, State, find};
use super::config::{Boundaries, KneserNeyConfig};
use super::discounts::Discounts;
use super::level::{Context, Level, Successor};

/// An automaton with what is worth telling about it, by order (index = order - 1).
#[derive(Debug)]
pub(crate) struct Construction {
    pub automaton: Automaton,
    pub discounts: Vec<Discounts>,
    pub ngrams: Vec<usize>,
}

/// Builds the model of order `config.order` from as many levels. Levels passed by value are freed
/// one by one as the model grows.
pub(crate) fn build(
    config: &KneserNeyConfig,
    levels: impl Iterator<Item: Borrow<Level>>,
) -> Construction {
    let mut automaton = Automaton::empty(config);
    let mut discounts = Vec::new();
    let mut ngrams = Vec::new();
    let mut layer = Layer::root();
    for (length, level) in levels.enumerate() {
        let level = level.borrow();
        let counted = Counted { config, level, length };
        let (order_discounts, order_ngrams) = counted.discounts();
        discounts.push(order_discounts);
        ngrams.push(order_ngrams);
        if length == 0 {
            add_root(&mut automaton, &counted, &order_discounts);
            continue;
        }
        automaton.states.reserve_exact(level.contexts.len());
        automaton.arcs.reserve_exact(order_ngrams);
        let shorter = std::mem::take(&mut layer);
        layer = add_states(&mut automaton, &counted, &shorter);
        if layer.states.is_empty() {
            continue; // no document is this long
        }
        link_arcs(&mut automaton, &counted, &shorter, &layer);
        add_arcs(&mut automaton, &counted, &layer, &order_discounts);
    }
    end_states(&mut automaton);
    Construction { automaton, discounts, ngrams }
}

/// A level seen with the eyes of one model: which contexts it keeps, which count it uses.
struct Counted<'a> {
    config: &'a KneserNeyConfig,
    level: &'a Level,
    length: usize,
}

impl Counted<'_> {
    /// Whether the context reaches over the start of a document.
    fn at_start(&self, context: &Context) -> bool {
        self.length > 0 && context.oldest == self.config.boundary()
    }

    /// In a running stream nothing stands before a document, so such a context is none.
    fn keeps(&self, context: &Context) -> bool {
        self.config.boundaries != Boundaries::Stream || !self.at_start(context)
    }

    /// Raw counts at the model's own order and after the start of a sentence, where there
    /// is only one left neighbour to have; continuation counts elsewhere.
    fn count(&self, context: &Context, successor: &Successor) -> u32 {
        if self.length + 1 == self.config.order || self.at_start(context) {
            successor.occurrences
        } else {
            successor.left_neighbours
        }
    }

    /// The contexts kept, each with its successors.
    fn kept(&self) -> impl Iterator<Item = (usize, &Context, &[Successor])> {
        let contexts = self.level.contexts.iter().enumerate();
        contexts
            .filter(|(_, context)| self.keeps(context))
            .map(|(index, context)| (index, context, self.level.successors(index)))
    }

    /// The discounts of this order, and how many n-grams there are.
    fn discounts(&self) -> (Discounts, usize) {
        let mut counts_of_counts = [0; 4];
        let mut ngrams = 0;
        for (_, context, successors) in self.kept() {
            ngrams += successors.len();
            for successor in successors {
                if let count @ 1..=4 = self.count(context, successor) {
                    counts_of_counts[count as usize - 1] += 1;
                }
            }
        }
        (Discounts::estimate(counts_of_counts), ngrams)
    }

    /// The total count of a context, and the share of it that the discounts take.
    fn total_and_backoff(
        &self,
        context: &Context,
        successors: &[Successor],
        discounts: &Discounts,
    ) -> (f64, f64) {
        let mut total = 0_u64;
        let mut classes = [0_u64; 3];
        for successor in successors {
            let count = self.count(context, successor);
            total += u64::from(count);
            classes[count.min(3) as usize - 1] += 1;
        }
        let [n1, n2, n3_plus] = classes.map(|n| n as f64);
        let taken = discounts.one * n1 + discounts.two * n2 + discounts.three_plus * n3_plus;
        (total as f64, taken / total as f64)
    }
}

/// Not a state: the context was left out.
const NO_STATE: u32 = u32::MAX;

/// What the next level needs to know of the states of one context length.
#[derive(Default)]
struct Layer {
    states: std::ops::Range<u32>,
    /// State of each context of the level, or [`NO_STATE`].
    state_of: Vec<u32>,
    /// Oldest token of each state.
    oldest: Vec<u32>,
    /// Newest token of each state.
    newest: Vec<u32>,
}

impl Layer {
    /// The empty context, which has neither an oldest nor a newest token.
    fn root() -> Self {
        Self { states: ROOT..ROOT + 1, state_of: vec![ROOT], oldest: vec![], newest: vec![] }
    }

    fn oldest(&self, state: u32) -> u32 {
        self.oldest[(state - self.states.start) as usize]
    }

    fn newest(&self, state: u32) -> u32 {
        self.newest[(state - self.states.start) as usize]
    }
}

/// The empty context gets an arc for every token that can be predicted, seen or not.
fn add_root(automaton: &mut Automaton, counted: &Counted, discounts: &Discounts) {
    let (config, context) = (counted.config, &counted.level.contexts[0]);
    let successors = counted.level.successors(0);
    let (total, backoff) = counted.total_and_backoff(context, successors, discounts);
    let unseen = backoff / config.predicted_vocab_size() as f64;
    automaton.states.push(State { backoff, suffix: ROOT, first_arc: 0 });
    automaton.arcs.extend((0..config.vocab_size as u32).map(|token| {
        let probability = if token == config.boundary() { 0.0 } else { unseen };
        Arc { probability, token, target: ROOT }
    }));
    for successor in successors {
        let count = counted.count(context, successor);
        let seen = (f64::from(count) - discounts.of(count)) / total;
        automaton.arcs[successor.token as usize].probability = seen + unseen;
    }
}

/// Adds the states of a level, still without arcs.
fn add_states(automaton: &mut Automaton, counted: &Counted, shorter: &Layer) -> Layer {
    let first_arc = automaton.arcs.len() as u32; // ends the arcs of the level before
    let first = automaton.states.len() as u32;
    let mut layer = Layer {
        states: first..first,
        state_of: vec![NO_STATE; counted.level.contexts.len()],
        ..Layer::default()
    };
    for (index, context, _) in counted.kept() {
        let suffix = shorter.state_of[context.parent as usize];
        let newest = if suffix == ROOT { context.oldest } else { shorter.newest(suffix) };
        if newest == counted.config.boundary() {
            automaton.start = layer.states.end; // the longest one, added last, is the one that stays
        }
        layer.state_of[index] = layer.states.end;
        layer.oldest.push(context.oldest);
        layer.newest.push(newest);
        automaton.states.push(State { backoff: 0.0, suffix, first_arc });
        layer.states.end += 1;
    }
    layer
}

/// Points the arc of w out of the state of h to the state of hw, where hw is a context too.
///
/// Contexts are sorted newest token first. So those that end in w stand in the order
/// of their h, which is the order of the arcs of w: one cursor per token finds them all.
/// An arc has so far the target of w after h', which is h'w just when hw can be a state.
fn link_arcs(automaton: &mut Automaton, counted: &Counted, shorter: &Layer, longer: &Layer) {
    let mut cursors = vec![longer.states.end; counted.config.vocab_size + 1];
    for state in longer.states.clone().rev() {
        cursors[longer.newest(state) as usize] = state;
    }
    for prefix in shorter.states.clone() {
        let first = automaton.states[prefix as usize].first_arc as usize;
        for index in first..first + automaton.arcs(prefix).len() {
            let Arc { token, target, .. } = automaton.arcs[index];
            let state = cursors[token as usize];
            let is_successor = longer.states.contains(&state)
                && longer.newest(state) == token
                && automaton.states[state as usize].suffix == target
                && (counted.length == 1 || longer.oldest(state) == shorter.oldest(prefix));
            if is_successor {
                automaton.arcs[index].target = state;
                cursors[token as usize] += 1;
            }
        }
    }
}

/// Adds the arcs of a level, interpolated with the arcs of the level before.
fn add_arcs(automaton: &mut Automaton, counted: &Counted, layer: &Layer, discounts: &Discounts) {
    for (state, (_, context, successors)) in layer.states.clone().zip(counted.kept()) {
        let (total, backoff) = counted.total_and_backoff(context, successors, discounts);
        let suffix = automaton.states[state as usize].suffix;
        let mut lower = automaton.states[suffix as usize].first_arc as usize;
        let lower_end = lower + automaton.arcs(suffix).len();
        let first_arc = automaton.arcs.len() as u32;
        for &Successor { token, .. } in successors {
            // Invariant: what follows a context follows every suffix of it. Both are sorted.
            let found = if suffix == ROOT {
                token as usize
            } else {
                let rest = &automaton.arcs[lower..lower_end];
                lower + find(rest, token).expect("a suffix has all arcs of its context")
            };
            let arc = automaton.arcs[found];
            lower = found + 1;
            automaton.arcs.push(Arc { probability: backoff * arc.probability, ..arc });
        }
        for (arc, successor) in automaton.arcs[first_arc as usize..].iter_mut().zip(successors) {
            let count = counted.count(context, successor);
            arc.probability += (f64::from(count) - discounts.of(count)) / total;
        }
        automaton.states[state as usize] = State { backoff, suffix, first_arc };
    }
}

/// Adds the sentinel that ends the arcs of the last state.
fn end_states(automaton: &mut Automaton) {
    let first_arc = automaton.arcs.len() as u32;
    automaton.states.push(State { backoff: 1.0, suffix: ROOT, first_arc });
}
