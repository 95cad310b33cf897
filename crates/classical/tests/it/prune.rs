//! Relative-entropy pruning against the relative entropy itself.

use proptest::prelude::*;
use wuji_classical::{ClassicalError, KneserNeyConfig, NgramModel, Smoothing};

use super::texts::{boundaries, config, contexts, documents};

fn smoothing() -> impl Strategy<Value = Smoothing> {
    prop_oneof![Just(Smoothing::KneserNey), Just(Smoothing::WittenBell), Just(Smoothing::KATZ)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_pruned_model_sums_to_one_and_never_grows(
        documents in documents(),
        boundaries in boundaries(),
        order in 1..=4_usize,
        smoothing in smoothing(),
        threshold in prop_oneof![Just(0.0), 1e-5..0.2_f64, Just(1e9)],
    ) {
        let config = config(order, boundaries);
        let texts = documents.iter().map(Vec::as_slice);
        let model = NgramModel::train(config, smoothing, texts).unwrap();
        let pruned = model.prune(threshold).unwrap();
        let mut distribution = Vec::new();
        for context in contexts(&config, &documents) {
            pruned.distribution(&context, &mut distribution);
            let sum: f64 = distribution.iter().sum();
            prop_assert!((sum - 1.0).abs() < 1e-9, "sum {sum} after {context:?}");
        }
        let sizes = model.ngram_counts().iter().zip(pruned.ngram_counts());
        for (before, after) in sizes {
            prop_assert!(after <= before);
        }
        let harder = pruned.prune(threshold).unwrap();
        prop_assert!(harder.ngram_count() <= pruned.ngram_count());
    }

    #[test]
    fn only_what_makes_no_difference_goes_at_a_threshold_of_zero(
        documents in documents(),
        boundaries in boundaries(),
        order in 1..=4_usize,
        smoothing in smoothing(),
    ) {
        let config = config(order, boundaries);
        let texts = documents.iter().map(Vec::as_slice);
        let model = NgramModel::train(config, smoothing, texts).unwrap();
        let pruned = model.prune(0.0).unwrap();
        for document in &documents {
            let pairs = model.document_log_probs(document).into_iter()
                .zip(pruned.document_log_probs(document));
            for (before, after) in pairs {
                prop_assert!((before - after).abs() < 1e-5, "{before} and {after}");
            }
        }
    }
}

/// More tokens than the text has, so that no context saw everything.
const VOCAB: u32 = 8;

/// How much the perplexity of a bigram model rises without one bigram, from the distributions alone.
fn rise(model: &NgramModel, followers: &[u32], context: u32, dropped: u32) -> f64 {
    let p = |token| model.log_prob(&[context], token).exp();
    let lower = |token| model.log_prob(&[], token).exp();
    let kept = || followers.iter().copied().filter(|&token| token != dropped);
    let left: f64 = 1.0 - kept().map(p).sum::<f64>();
    let lower_left: f64 = 1.0 - kept().map(lower).sum::<f64>();
    let divergence: f64 = (0..VOCAB)
        .map(|token| {
            let new = if kept().any(|other| other == token) {
                p(token)
            } else {
                left / lower_left * lower(token)
            };
            p(token) * (p(token) / new).ln()
        })
        .sum();
    (lower(context) * divergence).exp() - 1.0
}

#[test]
fn the_bigrams_that_go_are_those_of_least_relative_entropy() {
    let text: Vec<u32> = (0..400_u32).map(|i| (i * i / 5 + i / 3) % 7 % 5).collect();
    let config = KneserNeyConfig::new(2, VOCAB as usize);
    for smoothing in [Smoothing::KneserNey, Smoothing::WittenBell, Smoothing::KATZ] {
        let model = NgramModel::train(config, smoothing, [text.as_slice()]).unwrap();
        let mut rises = Vec::new();
        for context in 0..VOCAB {
            let pairs = text.windows(2).filter(|pair| pair[0] == context);
            let mut followers: Vec<u32> = pairs.map(|pair| pair[1]).collect();
            followers.sort_unstable();
            followers.dedup();
            rises.extend(followers.iter().map(|&t| rise(&model, &followers, context, t)));
        }
        rises.sort_by(f64::total_cmp);
        assert_eq!(model.ngram_counts()[1], rises.len());
        assert!(rises.len() > 6);
        for (dropped, pair) in rises.windows(2).enumerate() {
            if pair[1] > pair[0] * 1.001 {
                let pruned = model.prune((pair[0] * pair[1]).sqrt()).unwrap();
                assert_eq!(pruned.ngram_counts()[1], rises.len() - dropped - 1, "{smoothing:?}");
            }
        }
    }
}

#[test]
fn a_threshold_that_is_none_is_refused() {
    let config = KneserNeyConfig::new(2, 3);
    let model = NgramModel::train(config, Smoothing::WittenBell, [&[0, 1, 2][..]]).unwrap();
    for threshold in [-1e-9, f64::NAN, f64::INFINITY] {
        let error = model.prune(threshold).unwrap_err();
        assert!(matches!(error, ClassicalError::PruneThreshold { .. }), "{error}");
    }
}
