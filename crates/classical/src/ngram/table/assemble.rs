//! From lists of n-grams to the states and arcs of an automaton.

use super::NgramTable;
use crate::ngram::automaton::{Arc, Automaton, ROOT, State};

/// Builds the automaton: a state for every n-gram that something follows or that passes on less than
/// everything, an arc for every n-gram.
pub(super) fn assemble(table: &NgramTable) -> Automaton {
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
