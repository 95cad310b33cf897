//! What must hold for every text: the definition, exact sums, and independence of how it is asked.

use proptest::prelude::*;
use wuji_classical::{KneserNey, KneserNeyConfig, NgramCounts};

use super::naive::{Naive, predicted};
use super::texts::{VOCAB, boundaries, config, contexts, documents};

fn train(config: KneserNeyConfig, documents: &[Vec<u32>]) -> KneserNey {
    KneserNey::train(config, documents.iter().map(Vec::as_slice)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn probabilities_are_those_of_the_definition(
        documents in documents(),
        boundaries in boundaries(),
        order in 1..=5_usize,
        unseen in prop::collection::vec(0..VOCAB - 1, 0..5),
    ) {
        let config = config(order, boundaries);
        let model = train(config, &documents);
        let naive = Naive::train(config, &documents);
        let mut contexts = contexts(&config, &documents);
        contexts.push(unseen[unseen.len().saturating_sub(order - 1)..].to_vec());
        let mut distribution = Vec::new();
        for context in contexts {
            model.distribution(&context, &mut distribution);
            let sum: f64 = distribution.iter().sum();
            prop_assert!((sum - 1.0).abs() < 1e-12, "sum {sum} after {context:?}");
            for token in predicted(&config) {
                let expected = naive.probability(&context, token);
                let actual = distribution[token as usize];
                prop_assert!(
                    (actual - expected).abs() < 1e-12 * expected.max(1e-3),
                    "p({token} | {context:?}) is {actual}, not {expected}"
                );
            }
        }
    }

    #[test]
    fn counts_of_a_longer_order_give_the_same_models(
        documents in documents(),
        boundaries in boundaries(),
    ) {
        let counts = NgramCounts::collect(
            config(9, boundaries),
            documents.iter().map(Vec::as_slice),
        ).unwrap();
        for order in 1..=9 {
            let direct = train(config(order, boundaries), &documents);
            let derived = counts.model(order).unwrap();
            prop_assert_eq!(direct.ngram_counts(), derived.ngram_counts());
            prop_assert_eq!(direct.discounts(), derived.discounts());
            for document in &documents {
                prop_assert_eq!(
                    direct.document_log_probs(document),
                    derived.document_log_probs(document)
                );
            }
        }
    }

    #[test]
    fn asking_in_another_way_changes_nothing(
        documents in documents(),
        boundaries in boundaries(),
        order in 1..=7_usize,
        text in prop::collection::vec(0..VOCAB + 2, 1..40),
        other in prop::collection::vec(0..VOCAB + 2, 0..9),
        split in 0..40_usize,
    ) {
        let model = train(config(order, boundaries), &documents);

        // log_prob is the logarithm of the distribution's entry, exactly.
        let mut distribution = Vec::new();
        model.distribution(&text, &mut distribution);
        prop_assert!((distribution.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        for token in 0..VOCAB {
            prop_assert_eq!(model.log_prob(&text, token), distribution[token as usize].ln());
        }

        // What stands more than order - 1 tokens back does not matter.
        let used = &text[text.len().saturating_sub(order - 1)..];
        if used.len() == order - 1 {
            let longer = [other.as_slice(), used].concat();
            for token in 0..VOCAB {
                prop_assert_eq!(model.log_prob(used, token), model.log_prob(&longer, token));
            }
        }

        // A stream token by token, and cut anywhere.
        let log_probs = model.token_log_probs(&text);
        for (position, &log_prob) in log_probs.iter().enumerate() {
            prop_assert_eq!(log_prob, model.log_prob(&text[..position], text[position]));
        }
        let score = model.score(&text);
        prop_assert_eq!(score.tokens, text.len());
        prop_assert_eq!(score.nats, -log_probs.iter().sum::<f64>());
        let (front, back) = text.split_at(split.min(text.len()));
        let mut nats = model.score(front).nats;
        for (position, &token) in back.iter().enumerate() {
            nats -= model.log_prob(&text[..front.len() + position], token);
        }
        prop_assert!(nats == score.nats || (nats - score.nats).abs() < 1e-9);
    }
}

/// A text long enough for several chunks of parallel scoring.
fn long_text() -> Vec<u32> {
    let mut state = 1_u64;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % 10 * ((state >> 40) % 10) / 10) as u32
    };
    (0..50_000).map(|_| next()).collect()
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let text = long_text();
    let config = KneserNeyConfig::new(4, 10);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let model = KneserNey::train(config, [text.as_slice()]).unwrap();
            (model.score(&text), model.token_log_probs(&text), model.generate(&text, 20, 1.0, 5))
        })
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(7));
    // Chunks start with the state they would have had.
    assert!((one.0.nats + one.1.iter().sum::<f64>()).abs() < 1e-6);
    let model = KneserNey::train(config, [text.as_slice()]).unwrap();
    for position in [16_383, 16_384, 16_385, 32_768, 49_999] {
        assert_eq!(one.1[position], model.log_prob(&text[..position], text[position]));
    }
}

#[test]
fn sums_are_one_in_large_vocabularies() {
    let text: Vec<u32> =
        long_text().iter().zip(long_text().iter().skip(7)).map(|(a, b)| a * 500 + b * 50).collect();
    let model = KneserNey::train(KneserNeyConfig::new(6, 5000), [text.as_slice()]).unwrap();
    let mut distribution = Vec::new();
    for position in (0..text.len()).step_by(997) {
        model.distribution(&text[..position], &mut distribution);
        let sum: f64 = distribution.iter().sum();
        assert!((sum - 1.0).abs() < 1e-11, "{sum} at {position}");
        assert!(distribution.iter().all(|&probability| probability > 0.0));
    }
}
