//! Who goes to which fold: blocks of items that must stay together are dealt out one by one, each
//! to the fold in which its labels are rarest.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Items that must not be parted.
pub(super) struct Block {
    /// Their positions, ascending.
    items: Vec<usize>,
    /// How many there are of every label among them.
    labels: BTreeMap<usize, usize>,
    /// What decides over the order of blocks of one size.
    hash: u64,
}

/// Blocks of items that share a group or say the same. The hash of a block is of what it says, so
/// that the order of items has no part in it.
pub(super) fn blocks<T: AsRef<[u8]>, G: Eq + Hash>(
    contents: &[T],
    groups: Option<&[G]>,
    labels: Option<&[usize]>,
    seed: u64,
) -> Vec<Block> {
    let mut together = Together::new(contents.len());
    together.join_equal(contents.iter().map(|content| -> &[u8] { content.as_ref() }));
    if let Some(groups) = groups {
        together.join_equal(groups.iter());
    }
    let mut blocks: BTreeMap<usize, Block> = BTreeMap::new();
    for (at, content) in contents.iter().enumerate() {
        let hash = xxh3_64_with_seed(content.as_ref(), seed);
        let block = blocks.entry(together.first_of(at)).or_insert_with(|| Block {
            items: Vec::new(),
            labels: BTreeMap::new(),
            hash,
        });
        block.items.push(at);
        *block.labels.entry(labels.map_or(0, |labels| labels[at])).or_default() += 1;
        block.hash = block.hash.min(hash);
    }
    blocks.into_values().collect()
}

/// The fold of every item, and how many items each fold has.
///
/// Blocks go out from the largest to the smallest. Each goes where the sum of squares of the
/// folds' shares of its labels grows least, which keeps the shares as equal as possible; of equals,
/// to the fold with the fewest items. Single items without labels are thus dealt out in turn.
pub(super) fn deal(mut blocks: Vec<Block>, items: usize, folds: usize) -> (Vec<usize>, Vec<usize>) {
    blocks.sort_by_key(|block| (Reverse(block.items.len()), block.hash));
    let mut totals: HashMap<usize, f64> = HashMap::new();
    for (label, count) in blocks.iter().flat_map(|block| &block.labels) {
        *totals.entry(*label).or_default() += *count as f64;
    }
    let mut held = vec![HashMap::<usize, f64>::new(); folds];
    let mut sizes = vec![0; folds];
    let mut fold_of = vec![0; items];
    for block in blocks {
        let growth = |fold: usize| -> f64 {
            let of_label = |(label, count): (&usize, &usize)| {
                let (before, more) =
                    (held[fold].get(label).copied().unwrap_or_default(), *count as f64);
                more * (2.0 * before + more) / totals[label].powi(2)
            };
            block.labels.iter().map(of_label).sum()
        };
        let costs: Vec<(f64, usize)> = (0..folds).map(|fold| (growth(fold), sizes[fold])).collect();
        let cheaper = |a: &usize, b: &usize| {
            costs[*a].0.total_cmp(&costs[*b].0).then(costs[*a].1.cmp(&costs[*b].1))
        };
        let fold = (0..folds).min_by(cheaper).expect("there are at least two folds");
        for (label, count) in &block.labels {
            *held[fold].entry(*label).or_default() += *count as f64;
        }
        sizes[fold] += block.items.len();
        block.items.iter().for_each(|at| fold_of[*at] = fold);
    }
    (fold_of, sizes)
}

/// Sets of items that grow together, as a forest (union–find).
struct Together(Vec<usize>);

impl Together {
    fn new(items: usize) -> Self {
        Self((0..items).collect())
    }

    /// The item that stands for the set of an item: its first.
    fn first_of(&mut self, mut at: usize) -> usize {
        while self.0[at] != at {
            self.0[at] = self.0[self.0[at]];
            at = self.0[at];
        }
        at
    }

    /// Joins items with equal keys.
    fn join_equal<K: Eq + Hash>(&mut self, keys: impl Iterator<Item = K>) {
        let mut seen = HashMap::new();
        for (at, key) in keys.enumerate() {
            let earlier = *seen.entry(key).or_insert(at);
            let (a, b) = (self.first_of(earlier), self.first_of(at));
            self.0[a.max(b)] = a.min(b);
        }
    }
}
