//! From counts to the states, arcs and links of the automaton, whatever the smoothing.
//!
//! Levels come shortest context first. Each n-gram starts with the probability that its token has after
//! the context without the oldest token, and [`Estimate::finish`] makes its own of it. Below
//! the empty context stands the uniform distribution.

use std::borrow::Borrow;

use super::automaton::{Arc, Automaton, ROOT, State, find};
use super::config::NgramConfig;
use super::counted::{Counted, Method};
use super::estimate::Estimate;
use super::level::{Level, Successor};

/// An automaton with what is worth telling about it, by order (index = order - 1).
#[derive(Debug)]
pub(super) struct Construction {
    pub automaton: Automaton,
    pub estimates: Vec<Estimate>,
    pub ngrams: Vec<usize>,
}

/// Builds the model of order `config.order` from as many levels. Levels passed by value are freed
/// one by one as the model grows.
pub(super) fn build(
    config: &NgramConfig,
    method: &Method<'_>,
    levels: impl Iterator<Item: Borrow<Level>>,
) -> Construction {
    let mut automaton = Automaton::empty(config);
    let mut estimates = Vec::new();
    let mut ngrams = Vec::new();
    let mut layer = Layer::root();
    for (length, level) in levels.enumerate() {
        let level = level.borrow();
        let counted = Counted::new(config, method, level, length);
        let estimate = method.estimate(&counted);
        ngrams.push(counted.ngrams());
        automaton.layers.push(automaton.states.len() as u32);
        if length == 0 {
            add_root(&mut automaton, &counted, &estimate);
            estimates.push(estimate);
            continue;
        }
        automaton.states.reserve_exact(level.contexts.len());
        automaton.arcs.reserve_exact(ngrams[length]);
        let shorter = std::mem::take(&mut layer);
        layer = add_states(&mut automaton, &counted, &shorter);
        // Without states no document is this long.
        if !layer.states.is_empty() {
            link_arcs(&mut automaton, &counted, &shorter, &layer);
            add_arcs(&mut automaton, &counted, &layer, &estimate);
        }
        estimates.push(estimate);
    }
    automaton.end_states();
    Construction { automaton, estimates, ngrams }
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
fn add_root(automaton: &mut Automaton, counted: &Counted, estimate: &Estimate) {
    let config = counted.config;
    let predicted = config.predicted_vocab_size();
    let uniform = 1.0 / predicted as f64;
    let successors = counted.level.successors(0);
    let mut shares = Vec::new();
    counted.shares(&counted.level.contexts[0], successors, &mut shares);
    for share in &mut shares {
        share.probability = uniform;
    }
    let backoff = estimate.finish(&mut shares, predicted);
    automaton.states.push(State { backoff, suffix: ROOT, first_arc: 0 });
    automaton.arcs.extend((0..config.vocab_size as u32).map(|token| {
        let probability = if token == config.boundary() { 0.0 } else { backoff * uniform };
        Arc { probability, token, target: ROOT }
    }));
    for (successor, share) in successors.iter().zip(&shares).filter(|(_, share)| share.kept) {
        automaton.arcs[successor.token as usize].probability = share.probability;
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

/// Adds the arcs of a level, finished with the arcs of the level before.
fn add_arcs(automaton: &mut Automaton, counted: &Counted, layer: &Layer, estimate: &Estimate) {
    let predicted = counted.config.predicted_vocab_size();
    let mut shares = Vec::new();
    let mut lower_arcs = Vec::new();
    for (state, (_, context, successors)) in layer.states.clone().zip(counted.kept()) {
        let suffix = automaton.states[state as usize].suffix;
        counted.shares(context, successors, &mut shares);
        find_arcs(automaton, suffix, successors, &mut lower_arcs);
        for (share, lower) in shares.iter_mut().zip(&lower_arcs) {
            share.probability = lower.probability;
        }
        let backoff = estimate.finish(&mut shares, predicted);
        let first_arc = automaton.arcs.len() as u32;
        let kept = shares.iter().zip(&lower_arcs).filter(|(share, _)| share.kept);
        automaton
            .arcs
            .extend(kept.map(|(share, &lower)| Arc { probability: share.probability, ..lower }));
        automaton.states[state as usize] = State { backoff, suffix, first_arc };
    }
}

/// The arcs of `state` with the tokens of `successors`, in their order, into `arcs`.
fn find_arcs(automaton: &Automaton, state: u32, successors: &[Successor], arcs: &mut Vec<Arc>) {
    arcs.clear();
    let mut rest = automaton.arcs(state);
    for &Successor { token, .. } in successors {
        let found = if state == ROOT { Some(token as usize) } else { find(rest, token) };
        // Invariant: what is kept after a context is kept after every suffix of it, so only an n-gram that
        // is left out itself can be missing here, and nobody asks for its probability.
        let missing = Arc { probability: 0.0, token, target: ROOT };
        arcs.push(found.map_or(missing, |index| rest[index]));
        if state != ROOT {
            rest = &rest[found.map_or(0, |index| index + 1)..]; // both are sorted
        }
    }
}
