//! Counted n-grams of words or characters, which BLEU, chrF and ROUGE compare.

use std::collections::HashMap;
use std::hash::Hash;

/// How often each n-gram of one order occurs.
pub(crate) type Counts<'a, T> = HashMap<&'a [T], u64>;

/// Counts the n-grams of `order`, which is at least 1.
pub(crate) fn count<T: Eq + Hash>(items: &[T], order: usize) -> Counts<'_, T> {
    let mut counts = HashMap::with_capacity((items.len() + 1).saturating_sub(order));
    for ngram in items.windows(order) {
        *counts.entry(ngram).or_insert(0) += 1;
    }
    counts
}

/// How many n-grams of `order` a sequence of `len` items has.
pub(crate) fn total(len: usize, order: usize) -> u64 {
    (len + 1).saturating_sub(order) as u64
}

/// How many n-grams two texts share, each as often as it is in both.
pub(crate) fn shared<T: Eq + Hash>(left: &Counts<'_, T>, right: &Counts<'_, T>) -> u64 {
    left.iter().filter_map(|(ngram, count)| Some(*count.min(right.get(ngram)?))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_ngrams_count_as_often_as_in_both() {
        let (left, right) = ([1, 2, 1, 2, 1], [1, 2, 3, 1, 2]);
        assert_eq!(shared(&count(&left, 1), &count(&right, 1)), 4);
        assert_eq!(shared(&count(&left, 2), &count(&right, 2)), 2);
        assert_eq!(shared(&count(&left, 6), &count(&right, 6)), 0);
        assert_eq!((total(5, 2), total(1, 2), total(0, 1)), (4, 0, 0));
    }
}
