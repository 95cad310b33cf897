//! From the states and arcs of an automaton to lists of n-grams.

use std::collections::BTreeMap;

use super::Rows;
use crate::ngram::automaton::{Automaton, ROOT, State};
use crate::ngram::model::NgramModel;

/// The n-grams of `model`, order by order, sorted.
pub(super) fn flatten(model: &NgramModel) -> Vec<Rows> {
    let automaton = &model.automaton;
    let mut flatten = Flatten {
        automaton,
        inner: inner_states(automaton),
        bos: model.config.boundary(),
        orders: (1..=model.config.order).map(Rows::new).collect(),
    };
    flatten.visit(ROOT, &mut Vec::new());
    flatten.orders
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
