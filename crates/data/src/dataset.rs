//! Random access to a fixed number of items, whatever they are.

use crate::error::{DataError, Result};
use crate::fingerprint::Fingerprint;

/// A finite, indexable, identifiable collection of items.
///
/// Invariant: `get(i)` for the same `i` gives the same item as long as the fingerprint is the same.
pub trait DataSource {
    /// What it holds.
    type Item;

    /// Number of items.
    fn len(&self) -> usize;

    /// Item `i`, counted from 0; an error past the end.
    fn get(&self, i: usize) -> Result<Self::Item>;

    /// Identifies the content.
    fn fingerprint(&self) -> Fingerprint;

    /// Whether there is no item.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Items held in memory.
#[derive(Clone, Debug)]
pub struct MemoryDataset<T> {
    items: Vec<T>,
    fingerprint: Fingerprint,
}

impl<T: AsRef<[u8]>> MemoryDataset<T> {
    /// A data set of byte strings or texts, fingerprinted by their content.
    pub fn new(items: Vec<T>) -> Self {
        let fingerprint = Fingerprint::of_parts(&items);
        Self { items, fingerprint }
    }
}

impl<T: Clone> DataSource for MemoryDataset<T> {
    type Item = T;

    fn len(&self) -> usize {
        self.items.len()
    }

    fn get(&self, i: usize) -> Result<T> {
        self.items.get(i).cloned().ok_or(DataError::OutOfRange {
            what: "item",
            index: i as u64,
            len: self.items.len() as u64,
        })
    }

    fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }
}
