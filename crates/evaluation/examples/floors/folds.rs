//! Stratified folds of labelled rows.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Positions to train on and positions to test on.
pub struct Fold {
    pub train: Vec<usize>,
    pub test: Vec<usize>,
}

/// Parts `0..labels.len()` into `count` folds with an even share of each label in each.
pub fn stratified(labels: &[usize], count: usize, seed: u64) -> Vec<Fold> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut order: Vec<(usize, u64, usize)> =
        labels.iter().enumerate().map(|(row, &label)| (label, random.next_u64(), row)).collect();
    order.sort_unstable();
    let mut fold_of = vec![0; labels.len()];
    for (position, &(_, _, row)) in order.iter().enumerate() {
        fold_of[row] = position % count;
    }
    let fold = |fold: usize| {
        let (test, train) = (0..labels.len()).partition(|&row| fold_of[row] == fold);
        Fold { train, test }
    };
    (0..count).map(fold).collect()
}
