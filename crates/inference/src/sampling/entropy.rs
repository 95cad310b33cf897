//! Filters that look at how surprising tokens are: locally typical sampling, epsilon and eta
//! cut-offs.

use super::choice::{argmax, log_sum_exp};
use super::truncation::head_size;

/// Keeps the tokens whose surprise `-ln p` is closest to the distribution's entropy, up to a mass
/// of `p`, the token that crosses it included (Meister et al. 2023, locally typical sampling).
pub fn typical(logits: &mut [f32], p: f32) {
    let normaliser = log_sum_exp(logits);
    if !normaliser.is_finite() {
        return;
    }
    let entropy = entropy(logits, normaliser);
    let distance = |logit: f32| (normaliser - f64::from(logit) - entropy).abs();
    let mut order: Vec<usize> = (0..logits.len()).filter(|&id| logits[id].is_finite()).collect();
    let surprise = |id: usize| distance(logits[id]);
    let by_rank = |&a: &usize, &b: &usize| surprise(a).total_cmp(&surprise(b)).then(a.cmp(&b));
    let probability = |id: usize| (f64::from(logits[id]) - normaliser).exp();
    let size = head_size(&mut order, by_rank, probability, f64::from(p));
    let threshold = surprise(order[size - 1]);
    keep(logits, |logit| distance(logit) <= threshold);
}

/// Keeps the tokens with a probability of at least `cutoff`, and always the most likely one
/// (Hewitt et al. 2022).
pub fn epsilon(logits: &mut [f32], cutoff: f32) {
    let threshold = log_sum_exp(logits) + f64::from(cutoff).ln();
    keep_from(logits, threshold);
}

/// Keeps the tokens with a probability of at least `min(cutoff, sqrt(cutoff) · exp(-entropy))`, and
/// always the most likely one (Hewitt et al. 2022).
pub fn eta(logits: &mut [f32], cutoff: f32) {
    let normaliser = log_sum_exp(logits);
    let log_cutoff = f64::from(cutoff).ln();
    let threshold = log_cutoff.min(0.5 * log_cutoff - entropy(logits, normaliser));
    keep_from(logits, normaliser + threshold);
}

/// Entropy of the softmax of `logits` in nats, given their log-sum-exp.
fn entropy(logits: &[f32], normaliser: f64) -> f64 {
    let surprises =
        logits.iter().filter(|logit| logit.is_finite()).map(|&l| normaliser - f64::from(l));
    surprises.map(|surprise| surprise * (-surprise).exp()).sum()
}

fn keep_from(logits: &mut [f32], threshold: f64) {
    let Some(best) = argmax(logits) else { return };
    let best = logits[best];
    keep(logits, |logit| f64::from(logit) >= threshold || logit == best);
}

fn keep(logits: &mut [f32], kept: impl Fn(f32) -> bool) {
    for logit in logits {
        if !kept(*logit) {
            *logit = f32::NEG_INFINITY;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(filter: impl Fn(&mut [f32]), probabilities: &[f32]) -> Vec<usize> {
        let mut logits: Vec<f32> = probabilities.iter().map(|p| p.ln()).collect();
        filter(&mut logits);
        (0..logits.len()).filter(|&id| logits[id].is_finite()).collect()
    }

    #[test]
    fn the_most_likely_token_need_not_be_typical() {
        // Entropy 1.16 nats; surprises 0.69, 1.39, 2.08, 2.08 (0.47, 0.22, 0.92, 0.92 away).
        assert_eq!(kept(|l| typical(l, 0.2), &[0.5, 0.25, 0.125, 0.125]), [1]);
        assert_eq!(kept(|l| typical(l, 0.6), &[0.5, 0.25, 0.125, 0.125]), [0, 1]);
        assert_eq!(kept(|l| typical(l, 1.0), &[0.5, 0.25, 0.125, 0.125]), [0, 1, 2, 3]);
    }

    #[test]
    fn epsilon_is_an_absolute_floor() {
        assert_eq!(kept(|l| epsilon(l, 0.2), &[0.5, 0.3, 0.15, 0.05]), [0, 1]);
        assert_eq!(kept(|l| epsilon(l, 0.9), &[0.5, 0.3, 0.15, 0.05]), [0]);
        assert_eq!(kept(|l| epsilon(l, 0.0), &[0.5, 0.3, 0.15, 0.05]), [0, 1, 2, 3]);
    }

    #[test]
    fn eta_lowers_the_floor_where_the_distribution_is_flat() {
        // Uniform over 8: entropy ln 8, floor min(0.25, 0.5 / 8): all stay, where epsilon keeps none but ties.
        assert_eq!(kept(|l| eta(l, 0.25), &[0.125; 8]), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(kept(|l| eta(l, 0.25), &[0.97, 0.01, 0.01, 0.01]), [0]);
    }
}
