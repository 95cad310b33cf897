//! Word lists: all phrases of all lists in one tree of words.
//!
//! A tree over words rather than an automaton over bytes: phrases are then found at word boundaries only, whatever
//! white space or line break stands between their words, and in any case of letters.

use std::collections::HashMap;

use super::tokens::{Token, UNKNOWN};

/// The phrases of all lists.
#[derive(Debug, Clone, Default)]
pub(super) struct Lists {
    exact: Tree,
    folded: Tree,
}

/// Words below words; node 0 is the root.
#[derive(Debug, Clone, Default)]
struct Tree {
    below: HashMap<(u32, u32), u32>,
    /// The lists with a phrase that ends at each node.
    lists: HashMap<u32, Vec<usize>>,
    nodes: u32,
}

impl Tree {
    fn add(&mut self, phrase: &[u32], list: usize) {
        let mut node = 0;
        for &word in phrase {
            let next = self.nodes + 1;
            node = *self.below.entry((node, word)).or_insert(next);
            self.nodes = self.nodes.max(node);
        }
        let lists = self.lists.entry(node).or_default();
        if !lists.contains(&list) {
            lists.push(list);
        }
    }

    fn find(&self, tokens: &[Token], word: impl Fn(&Token) -> u32, hits: &mut Vec<(usize, usize)>) {
        let mut node = 0;
        for (length, token) in tokens.iter().enumerate() {
            let word = word(token);
            match self.below.get(&(node, word)) {
                Some(&next) if word != UNKNOWN => node = next,
                _ => return,
            }
            for &list in self.lists.get(&node).into_iter().flatten() {
                hits.push((list, length + 1));
            }
        }
    }
}

impl Lists {
    /// Adds a phrase, as numbers of words that are exact or folded.
    pub fn add(&mut self, phrase: &[u32], list: usize, exact: bool) {
        if exact { &mut self.exact } else { &mut self.folded }.add(phrase, list);
    }

    /// Where phrases begin.
    pub fn hits(&self, tokens: &[Token]) -> Hits {
        let mut hits = Hits { starts: Vec::with_capacity(tokens.len() + 1), hits: Vec::new() };
        for start in 0..tokens.len() {
            hits.starts.push(hits.hits.len());
            self.folded.find(&tokens[start..], |token| token.folded, &mut hits.hits);
            self.exact.find(&tokens[start..], |token| token.exact, &mut hits.hits);
        }
        hits.starts.push(hits.hits.len());
        hits
    }
}

/// The phrases in a text.
#[derive(Debug)]
pub(super) struct Hits {
    starts: Vec<usize>,
    hits: Vec<(usize, usize)>,
}

impl Hits {
    /// The lists with a phrase that begins at a token, and the number of its words.
    pub fn at(&self, token: usize) -> &[(usize, usize)] {
        &self.hits[self.starts[token]..self.starts[token + 1]]
    }
}
