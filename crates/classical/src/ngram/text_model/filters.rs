//! Filters that keep the head of a distribution, as `transformers` defines them.

/// Keeps the `k` largest weights, and those equal to the smallest of them.
pub(super) fn top_k(weights: &mut [f64], k: usize) {
    if k < weights.len() {
        let mut order = weights.to_vec();
        let (_, &mut threshold, _) =
            order.select_nth_unstable_by(k.saturating_sub(1), |a, b| b.total_cmp(a));
        keep_from(weights, threshold);
    }
}

/// Keeps the smallest set of largest weights that reach a share of `p`, the one that crosses it
/// included. Of equal weights the lower token goes first.
pub(super) fn top_p(weights: &mut [f64], p: f64) {
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|&a, &b| weights[b].total_cmp(&weights[a]));
    let mut missing = p * weights.iter().sum::<f64>();
    for token in order {
        if missing <= 0.0 {
            weights[token] = 0.0;
        }
        missing -= weights[token];
    }
}

/// Keeps the weights that are at least `p` times the largest.
pub(super) fn min_p(weights: &mut [f64], p: f64) {
    let largest = weights.iter().copied().fold(0.0, f64::max);
    keep_from(weights, p * largest);
}

fn keep_from(weights: &mut [f64], threshold: f64) {
    for weight in weights {
        if *weight < threshold {
            *weight = 0.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(filter: impl Fn(&mut [f64]), weights: &[f64]) -> Vec<usize> {
        let mut filtered = weights.to_vec();
        filter(&mut filtered);
        (0..weights.len()).filter(|&token| filtered[token] > 0.0).collect()
    }

    #[test]
    fn top_k_keeps_the_ties_of_the_last_place() {
        let weights = [0.1, 0.4, 0.25, 0.25];
        assert_eq!(kept(|w| top_k(w, 1), &weights), [1]);
        assert_eq!(kept(|w| top_k(w, 2), &weights), [1, 2, 3]);
        assert_eq!(kept(|w| top_k(w, 9), &weights), [0, 1, 2, 3]);
    }

    #[test]
    fn top_p_keeps_the_token_that_crosses() {
        let weights = [0.5, 1.0, 0.25, 0.25]; // half of it in one
        assert_eq!(kept(|w| top_p(w, 0.5), &weights), [1]);
        assert_eq!(kept(|w| top_p(w, 0.6), &weights), [0, 1]);
        assert_eq!(kept(|w| top_p(w, 0.8), &weights), [0, 1, 2]);
        assert_eq!(kept(|w| top_p(w, 1.0), &weights), [0, 1, 2, 3]);
    }

    #[test]
    fn min_p_is_a_share_of_the_largest() {
        let weights = [0.5, 1.0, 0.25, 0.25];
        assert_eq!(kept(|w| min_p(w, 0.5), &weights), [0, 1]);
        assert_eq!(kept(|w| min_p(w, 0.0), &weights), [0, 1, 2, 3]);
        assert_eq!(kept(|w| min_p(w, 1.0), &weights), [1]);
    }
}
