//! Random documents, and the contexts in them.

use proptest::prelude::*;
use wuji_classical::{Boundaries, KneserNeyConfig};

pub const VOCAB: u32 = 6;

/// All conventions: `bos` outside and inside the vocabulary (where documents do not hold it).
pub fn boundaries() -> impl Strategy<Value = Boundaries> {
    prop_oneof![
        Just(Boundaries::Stream),
        Just(Boundaries::Sentences { bos: VOCAB, eos: Some(VOCAB - 1) }),
        Just(Boundaries::Sentences { bos: VOCAB - 1, eos: None }),
    ]
}

/// Documents of ids below 5, some empty, at least one not. Skewed, so that contexts repeat.
pub fn documents() -> impl Strategy<Value = Vec<Vec<u32>>> {
    let token = prop_oneof![4 => 0..2_u32, 1 => 2..VOCAB - 1];
    let document = prop::collection::vec(token, 0..40);
    prop::collection::vec(document, 1..6)
        .prop_filter("all empty", |documents| documents.iter().any(|d| !d.is_empty()))
}

pub fn config(order: usize, boundaries: Boundaries) -> KneserNeyConfig {
    KneserNeyConfig::new(order, VOCAB as usize).with_boundaries(boundaries)
}

/// Whole contexts and all their suffixes, from the start of each document.
pub fn contexts(config: &KneserNeyConfig, documents: &[Vec<u32>]) -> Vec<Vec<u32>> {
    let start = match config.boundaries {
        Boundaries::Sentences { bos, .. } => vec![bos; config.order - 1],
        _ => vec![],
    };
    let mut contexts = vec![vec![]];
    for document in documents {
        let text = [start.as_slice(), document].concat();
        for end in start.len()..=text.len() {
            contexts.push(text[end.saturating_sub(config.order - 1)..end].to_vec());
        }
    }
    contexts
}
