//! Temperature, and filters that keep the head of the distribution: top-k, top-p, min-p.

use std::cmp::Ordering;

use super::choice::{log_sum_exp, maximum};

/// Divides the logits by `temperature`, which is above 0.
pub fn temperature(logits: &mut [f32], temperature: f32) {
    for logit in logits {
        *logit /= temperature;
    }
}

/// Keeps the `k` largest logits, and those equal to the smallest of them.
pub fn top_k(logits: &mut [f32], k: usize) {
    if let Some(threshold) = kth_largest(logits, k) {
        exclude_below(logits, threshold);
    }
}

/// Keeps the smallest set of most likely tokens whose probabilities reach `p`, the token that
/// crosses it included (Holtzman et al. 2020, nucleus sampling). Of equally likely tokens the
/// lower id goes first.
pub fn top_p(logits: &mut [f32], p: f32) {
    let normaliser = log_sum_exp(logits);
    if p >= 1.0 || !normaliser.is_finite() {
        return;
    }
    let mut order: Vec<usize> = (0..logits.len()).filter(|&id| logits[id].is_finite()).collect();
    let by_rank = |&a: &usize, &b: &usize| logits[b].total_cmp(&logits[a]).then(a.cmp(&b));
    let probability = |id: usize| (f64::from(logits[id]) - normaliser).exp();
    let size = head_size(&mut order, by_rank, probability, f64::from(p));
    for &id in &order[size..] {
        logits[id] = f32::NEG_INFINITY;
    }
}

/// Keeps the tokens at least `p` times as likely as the most likely one (Nguyen et al. 2024).
pub fn min_p(logits: &mut [f32], p: f32) {
    // In logits the factor is a distance; p = 0 puts the threshold at -inf, which keeps all.
    exclude_below(logits, maximum(logits) + p.ln());
}

/// The `k`-th largest value, in one pass with a buffer of 2 `k`; `None` when there are at most `k`.
fn kth_largest(values: &[f32], k: usize) -> Option<f32> {
    if k == 0 || k >= values.len() {
        return None;
    }
    let mut largest: Vec<f32> = Vec::with_capacity(2 * k);
    let mut threshold = f32::NEG_INFINITY;
    for &value in values {
        if value > threshold || largest.len() < k {
            largest.push(value);
        }
        if largest.len() == 2 * k {
            threshold = keep_largest(&mut largest, k);
        }
    }
    Some(keep_largest(&mut largest, k))
}

/// Shrinks `values` to its `k` largest and returns the smallest of them.
fn keep_largest(values: &mut Vec<f32>, k: usize) -> f32 {
    let (_, &mut threshold, _) = values.select_nth_unstable_by(k - 1, |a, b| b.total_cmp(a));
    values.truncate(k);
    threshold
}

/// Puts the head of `order` by `by_rank` in place and says how many of it have less than `mass` of
/// `probability` before them.
///
/// Sorts growing pieces, so that a peaked distribution costs a selection and a short sort.
pub(super) fn head_size(
    order: &mut [usize],
    by_rank: impl Fn(&usize, &usize) -> Ordering,
    probability: impl Fn(usize) -> f64,
    mass: f64,
) -> usize {
    let (mut seen, mut sorted, mut end) = (0.0, 0, 64.min(order.len()));
    while sorted < order.len() {
        if end < order.len() {
            order[sorted..].select_nth_unstable_by(end - sorted, &by_rank);
        }
        order[sorted..end].sort_unstable_by(&by_rank);
        for (rank, &id) in order.iter().enumerate().take(end).skip(sorted) {
            if seen >= mass {
                return rank;
            }
            seen += probability(id);
        }
        (sorted, end) = (end, (end * 4).min(order.len()));
    }
    order.len()
}

fn exclude_below(logits: &mut [f32], threshold: f32) {
    for logit in logits {
        if *logit < threshold {
            *logit = f32::NEG_INFINITY;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sampling::{epsilon, eta, typical};

    const OUT: f32 = f32::NEG_INFINITY;

    fn kept(filter: impl Fn(&mut [f32]), logits: &[f32]) -> Vec<usize> {
        let mut filtered = logits.to_vec();
        filter(&mut filtered);
        (0..logits.len()).filter(|&id| filtered[id].is_finite()).collect()
    }

    fn from_probabilities(probabilities: &[f32]) -> Vec<f32> {
        probabilities.iter().map(|p| p.ln()).collect()
    }

    #[test]
    fn top_k_keeps_the_ties_of_the_last_place() {
        assert_eq!(kept(|l| top_k(l, 2), &[1.0, 3.0, 2.0, 2.0, OUT]), [1, 2, 3]);
        assert_eq!(kept(|l| top_k(l, 9), &[1.0, 3.0]), [0, 1]);
    }

    #[test]
    fn top_p_includes_the_token_that_crosses() {
        let logits = from_probabilities(&[0.5, 0.25, 0.125, 0.125]);
        assert_eq!(kept(|l| top_p(l, 0.6), &logits), [0, 1]);
        assert_eq!(kept(|l| top_p(l, 0.01), &logits), [0]);
        assert_eq!(kept(|l| top_p(l, 0.8), &logits), [0, 1, 2]);
        assert_eq!(kept(|l| top_p(l, 1.0), &logits), [0, 1, 2, 3]);
    }

    #[test]
    fn top_p_ignores_what_is_already_excluded() {
        assert_eq!(kept(|l| top_p(l, 0.6), &[OUT, 0.0, 0.0, OUT]), [1, 2]);
        assert_eq!(kept(|l| top_p(l, 0.6), &[OUT, OUT]), [0; 0]);
    }

    #[test]
    fn min_p_is_relative_to_the_most_likely_token() {
        let logits = from_probabilities(&[0.5, 0.3, 0.15, 0.05]);
        assert_eq!(kept(|l| min_p(l, 0.25), &logits), [0, 1, 2]);
        assert_eq!(kept(|l| min_p(l, 1.0), &logits), [0]);
        assert_eq!(kept(|l| min_p(l, 0.0), &logits), [0, 1, 2, 3]);
    }

    /// Sorts everything: the definitions, without the shortcuts.
    fn ranked(logits: &[f32]) -> Vec<usize> {
        let mut order: Vec<usize> = (0..logits.len()).collect();
        order.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]).then(a.cmp(&b)));
        order
    }

    type Filter = fn(&mut [f32], f32);

    proptest! {
        #[test]
        fn top_k_equals_the_k_th_of_a_full_sort(
            logits in prop::collection::vec(-4i8..4, 1..300), k in 1usize..320
        ) {
            let logits: Vec<f32> = logits.into_iter().map(f32::from).collect();
            let threshold = logits[ranked(&logits)[k.min(logits.len()) - 1]];
            let expected: Vec<usize> = (0..logits.len()).filter(|&id| logits[id] >= threshold).collect();
            prop_assert_eq!(kept(|l| top_k(l, k), &logits), expected);
        }

        #[test]
        fn top_p_is_the_smallest_head_of_a_full_sort(
            logits in prop::collection::vec(-6.0f32..6.0, 1..700), p in 0.001f32..0.999
        ) {
            let normaliser = log_sum_exp(&logits);
            let order = ranked(&logits);
            let mut mass = 0.0;
            let mut size = 0;
            while size < order.len() && mass < f64::from(p) {
                mass += (f64::from(logits[order[size]]) - normaliser).exp();
                size += 1;
            }
            let mut expected = order[..size].to_vec();
            expected.sort_unstable();
            prop_assert!(!expected.is_empty());
            prop_assert_eq!(kept(|l| top_p(l, p), &logits), expected);
        }

        #[test]
        fn every_filter_keeps_something_and_what_is_kept_sums_to_one(
            logits in prop::collection::vec(-50.0f32..50.0, 1..200),
            k in 1usize..50, p in 0.001f32..=1.0
        ) {
            let best = ranked(&logits)[0];
            let filters: [(bool, Filter); 5] =
                [(true, top_p), (true, min_p), (true, epsilon), (true, eta), (false, typical)];
            for (keeps_best, filter) in filters {
                let mut filtered = logits.clone();
                top_k(&mut filtered, k);
                filter(&mut filtered, p);
                let kept: Vec<usize> = (0..logits.len()).filter(|&id| filtered[id] != OUT).collect();
                prop_assert!(!kept.is_empty());
                prop_assert!(kept.contains(&best) || !keeps_best);
                prop_assert!(kept.iter().all(|&id| filtered[id] == logits[id]));
                let normaliser = log_sum_exp(&filtered);
                let total: f64 = kept.iter().map(|&id| (f64::from(filtered[id]) - normaliser).exp()).sum();
                prop_assert!((total - 1.0).abs() < 1e-6);
            }
        }
    }
}
