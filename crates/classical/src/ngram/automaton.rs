//! The model as a deterministic automaton with failure links (Aho & Corasick 1975; Allauzen,
//! Mohri & Roark 2003, "Generalized algorithms for constructing statistical language models").
//!
//! A state is a context seen in training, an arc is an n-gram and carries its finished probability,
//! interpolated where the smoothing interpolates. A token without an arc is looked for in the next
//! shorter context at the price of the backoff weight. The state after a token is known from the
//! arc, so scoring a text never looks up a context.

use super::config::NgramConfig;

/// The state of the empty context. It has an arc for every token of the vocabulary, at the index
/// of the token, so the search for an arc always ends.
pub(crate) const ROOT: u32 = 0;

/// A context.
#[derive(Debug, Clone, Copy)]
pub(crate) struct State {
    /// The probability left to tokens without an arc: the weight of the next shorter context.
    pub backoff: f64,
    /// The state of the context without its oldest token. The root is its own.
    pub suffix: u32,
    /// Where its arcs begin; they end where those of the next state begin.
    pub first_arc: u32,
}

/// An n-gram.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arc {
    /// Finished probability of the token after the context.
    pub probability: f64,
    /// The token; the arcs of a state are sorted by it.
    pub token: u32,
    /// The state of the longest known context that ends in this token.
    pub target: u32,
}

/// States and arcs in two flat arrays.
///
/// Invariants: states are ordered by context length, and the last one is a sentinel that only ends the
/// arcs of the one before; every prefix and every suffix of a state's context is a state, so a walk
/// from the root is always in the longest known suffix of what it read.
#[derive(Debug)]
pub(crate) struct Automaton {
    pub(super) states: Vec<State>,
    pub(super) arcs: Vec<Arc>,
    /// The first state of each context length.
    pub(super) layers: Vec<u32>,
    /// The state at the start of a document.
    pub(super) start: u32,
    pub(super) boundary: u32,
    vocab_size: usize,
}

impl Automaton {
    /// An automaton without states, to be filled.
    pub(super) fn empty(config: &NgramConfig) -> Self {
        Self {
            states: Vec::new(),
            arcs: Vec::new(),
            layers: Vec::new(),
            start: ROOT,
            boundary: config.boundary(),
            vocab_size: config.vocab_size,
        }
    }

    /// The state at the start of a document: the root unless sentences are marked.
    pub fn start(&self) -> u32 {
        self.start
    }

    /// The probability of `token` in `state`, and the state behind it.
    ///
    /// The begin-of-sentence id has probability zero and leads to the start of a document; an id
    /// outside the vocabulary has probability zero and leads to the root.
    pub fn step(&self, mut state: u32, token: u32) -> (f64, u32) {
        if token == self.boundary {
            return (0.0, self.start);
        }
        if token as usize >= self.vocab_size {
            return (0.0, ROOT);
        }
        let mut weight = 1.0;
        while state != ROOT {
            let arcs = self.arcs(state);
            if let Some(index) = find(arcs, token) {
                return (weight * arcs[index].probability, arcs[index].target);
            }
            let State { backoff, suffix, .. } = self.states[state as usize];
            weight *= backoff;
            state = suffix;
        }
        let arc = self.arcs[token as usize];
        (weight * arc.probability, arc.target)
    }

    /// The state after reading `tokens` from `state`.
    pub fn walk(&self, state: u32, tokens: &[u32]) -> u32 {
        tokens.iter().fold(state, |state, &token| self.step(state, token).1)
    }

    /// Writes the probability of every token of the vocabulary in `state`: bit for bit what
    /// [`step`](Self::step) gives for each.
    pub fn distribution(&self, state: u32, out: &mut Vec<f64>) {
        let mut chain = vec![(state, 1.0)];
        while let Some(&(state, weight)) = chain.last()
            && state != ROOT
        {
            let State { backoff, suffix, .. } = self.states[state as usize];
            chain.push((suffix, weight * backoff));
        }
        out.clear();
        out.resize(self.vocab_size, 0.0);
        // Longer contexts overwrite shorter ones.
        for (state, weight) in chain.into_iter().rev() {
            for arc in self.arcs(state) {
                out[arc.token as usize] = weight * arc.probability;
            }
        }
    }

    /// The arcs of `state`.
    pub(super) fn arcs(&self, state: u32) -> &[Arc] {
        let state = state as usize;
        let start = self.states[state].first_arc as usize;
        &self.arcs[start..self.states[state + 1].first_arc as usize]
    }

    /// How many tokens the context of `state` has.
    pub(super) fn context_length(&self, state: u32) -> usize {
        self.layers.partition_point(|&first| first <= state) - 1
    }

    /// Adds the sentinel that ends the arcs of the last state.
    pub(super) fn end_states(&mut self) {
        let first_arc = self.arcs.len() as u32;
        self.states.push(State { backoff: 1.0, suffix: ROOT, first_arc });
    }

    /// Bytes held by the tables.
    pub fn memory_bytes(&self) -> usize {
        size_of_val(&self.states[..]) + size_of_val(&self.arcs[..])
    }
}

/// The index of the arc of `token` among `arcs`.
pub(super) fn find(arcs: &[Arc], token: u32) -> Option<usize> {
    // Most contexts have a handful of arcs, where a scan beats the branches of a binary search.
    if arcs.len() <= 8 {
        return arcs.iter().position(|arc| arc.token == token);
    }
    arcs.binary_search_by_key(&token, |arc| arc.token).ok()
}
