//! Every smoothing against its definition, on random texts.

use proptest::prelude::*;
use wuji_classical::{
    ClassicalError, Estimation, KneserNey, KneserNeyConfig, NgramCounts, NgramModel, Smoothing,
    StupidBackoff,
};

use super::naive::predicted;
use super::naive_smoothing::NaiveCounts;
use super::texts::{boundaries, config, contexts, documents};

fn smoothing() -> impl Strategy<Value = Smoothing> {
    prop_oneof![
        Just(Smoothing::AbsoluteDiscounting),
        Just(Smoothing::WittenBell),
        (1..6_u16).prop_map(|threshold| Smoothing::Katz { threshold }),
    ]
}

fn min_counts() -> impl Strategy<Value = Vec<u32>> {
    prop_oneof![
        2 => Just(vec![]),
        1 => prop::collection::vec(1..4_u32, 1..5).prop_map(|mut counts| {
            counts.sort_unstable();
            counts
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn probabilities_are_those_of_the_definition(
        documents in documents(),
        boundaries in boundaries(),
        order in 1..=4_usize,
        smoothing in smoothing(),
        min_counts in min_counts(),
        unseen in prop::collection::vec(0..5_u32, 3),
    ) {
        let config = config(order, boundaries);
        let estimation = Estimation::from(smoothing).with_min_counts(min_counts);
        let texts = documents.iter().map(Vec::as_slice);
        let model = NgramModel::train(config, estimation.clone(), texts).unwrap();
        let naive = NaiveCounts::of(config, &documents);
        let mut contexts = contexts(&config, &documents);
        contexts.push(unseen[..order - 1].to_vec());
        let mut distribution = Vec::new();
        for context in contexts {
            model.distribution(&context, &mut distribution);
            let sum: f64 = distribution.iter().sum();
            prop_assert!((sum - 1.0).abs() < 1e-10, "sum {sum} after {context:?}");
            for token in predicted(&config) {
                let expected = naive.probability(&estimation, &context, token);
                let actual = distribution[token as usize];
                prop_assert!(
                    (actual - expected).abs() < 1e-10,
                    "p({token} | {context:?}) is {actual}, not {expected}"
                );
            }
        }
    }

    #[test]
    fn cut_offs_keep_what_occurred_often_enough_and_kneser_ney_sums_to_one(
        documents in documents(),
        boundaries in boundaries(),
        order in 1..=4_usize,
        min_counts in min_counts(),
    ) {
        let config = config(order, boundaries);
        let estimation = Estimation::default().with_min_counts(min_counts.clone());
        let texts = documents.iter().map(Vec::as_slice);
        let model = NgramModel::train(config, estimation, texts).unwrap();
        let naive = NaiveCounts::of(config, &documents);
        let mut distribution = Vec::new();
        for context in contexts(&config, &documents) {
            model.distribution(&context, &mut distribution);
            prop_assert!((distribution.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
        for (index, &found) in model.ngram_counts().iter().enumerate() {
            let last = min_counts.last().copied().unwrap_or(1);
            let min_count = min_counts.get(index).copied().unwrap_or(last);
            prop_assert_eq!(found, naive.kept(index + 1, min_count.into()));
        }
    }

    #[test]
    fn stupid_back_off_scores_are_those_of_the_definition(
        documents in documents(),
        boundaries in boundaries(),
        order in 1..=4_usize,
    ) {
        let config = config(order, boundaries);
        let texts = documents.iter().map(Vec::as_slice);
        let scores = NgramCounts::collect(config, texts).unwrap()
            .stupid_backoff(order, StupidBackoff::FACTOR).unwrap();
        let naive = NaiveCounts::of(config, &documents);
        let mut all = Vec::new();
        for context in contexts(&config, &documents) {
            scores.relative_scores(&context, &mut all);
            for token in predicted(&config) {
                let expected = naive.score(0.4, &context, token);
                prop_assert!((scores.relative_score(&context, token) - expected).abs() < 1e-12);
                prop_assert_eq!(all[token as usize], scores.relative_score(&context, token));
            }
        }
    }

    #[test]
    fn kneser_ney_by_choice_is_kneser_ney(
        documents in documents(),
        boundaries in boundaries(),
        order in 1..=5_usize,
    ) {
        let config = config(order, boundaries);
        let texts = || documents.iter().map(Vec::as_slice);
        let chosen = NgramModel::train(config, Smoothing::KneserNey, texts()).unwrap();
        let plain = KneserNey::train(config, texts()).unwrap();
        for document in &documents {
            prop_assert_eq!(
                chosen.document_log_probs(document),
                plain.document_log_probs(document)
            );
        }
    }
}

/// "a b a b a c", a=0 b=1 c=2, and a token d=3 that never occurs.
const TEXT: &[u32] = &[0, 1, 0, 1, 0, 2];

fn check(smoothing: Smoothing, context: &[u32], expected: [f64; 4]) {
    let model = NgramModel::train(KneserNeyConfig::new(2, 4), smoothing, [TEXT]).unwrap();
    let mut distribution = Vec::new();
    model.distribution(context, &mut distribution);
    for (actual, expected) in distribution.iter().zip(expected) {
        assert!((actual - expected).abs() < 1e-12, "{smoothing:?}: {distribution:?}");
    }
}

/// Unigrams: 6 counts of 3 kinds, so p(a) = (3 + 3/4) / 9, p(b) = (2 + 3/4) / 9, p(d) = 3/4 / 9.
/// After a: b twice, c once, 3 counts of 2 kinds: p(b | a) = (2 + 2 p(b)) / 5.
#[test]
fn witten_bell_by_hand() {
    let unigrams = [3.75 / 9.0, 2.75 / 9.0, 1.75 / 9.0, 0.75 / 9.0];
    check(Smoothing::WittenBell, &[], unigrams);
    let after_a = [
        2.0 * unigrams[0] / 5.0,
        (2.0 + 2.0 * unigrams[1]) / 5.0,
        (1.0 + 2.0 * unigrams[2]) / 5.0,
        2.0 * unigrams[3] / 5.0,
    ];
    check(Smoothing::WittenBell, &[0], after_a);
    check(Smoothing::WittenBell, &[2], unigrams); // nothing followed c
}

/// Unigrams have n1 = n2 = 1, so D = 1/3 and gamma() = 1/6; bigrams n1 = 1, n2 = 2, D = 1/5.
#[test]
fn absolute_discounting_by_hand() {
    let rest = 1.0 / 24.0;
    let third = 1.0 / 3.0;
    let unigrams =
        [(3.0 - third) / 6.0 + rest, (2.0 - third) / 6.0 + rest, (1.0 - third) / 6.0 + rest, rest];
    check(Smoothing::AbsoluteDiscounting, &[], unigrams);
    let gamma = 0.4 / 3.0;
    let after_a = [
        gamma * unigrams[0],
        1.8 / 3.0 + gamma * unigrams[1],
        0.8 / 3.0 + gamma * unigrams[2],
        gamma * unigrams[3],
    ];
    check(Smoothing::AbsoluteDiscounting, &[0], after_a);
}

/// Counts of 1 and 2 once or twice fit no Good–Turing line, so counts lose half of themselves up to
/// three. Unigrams: 1.5, 1 and 0.5 of 6, and d alone gets the other half. After a: 1 and 0.5
/// of 3; the other half in proportion to p(a) = 1/4 and p(d) = 1/2.
#[test]
fn katz_by_hand() {
    check(Smoothing::KATZ, &[], [0.25, 1.0 / 6.0, 0.5 / 6.0, 0.5]);
    check(Smoothing::KATZ, &[0], [0.5 / 3.0, 1.0 / 3.0, 0.5 / 3.0, 1.0 / 3.0]);
    check(Smoothing::KATZ, &[3], [0.25, 1.0 / 6.0, 0.5 / 6.0, 0.5]);
}

#[test]
fn what_cannot_be_estimated_is_an_error() {
    let counts = NgramCounts::collect(KneserNeyConfig::new(3, 4), [TEXT]).unwrap();
    let estimation = Estimation::default().with_min_counts([2, 1]);
    assert_eq!(
        counts.smoothed(2, &estimation).unwrap_err().to_string(),
        "count cut-offs by order must be at least 1 and not fall from one order to the next, got [2, 1]"
    );
    let order = ClassicalError::Order { order: 4, max: 3 };
    assert_eq!(counts.smoothed(4, &Estimation::default()).unwrap_err(), order);
    assert_eq!(counts.stupid_backoff(4, 0.4).unwrap_err(), order);
    for factor in [0.0, -1.0, 1.5, f64::NAN] {
        let error = counts.stupid_backoff(2, factor).unwrap_err().to_string();
        assert!(error.contains("above 0 and at most 1"), "{error}");
    }
}

#[test]
fn stupid_back_off_retells_the_text() {
    let text: Vec<u32> = "round and round and round and ".bytes().map(u32::from).collect();
    let counts = NgramCounts::collect(KneserNeyConfig::new(5, 256), [text.as_slice()]).unwrap();
    let scores = counts.stupid_backoff(5, StupidBackoff::FACTOR).unwrap();
    assert_eq!(scores.generate(&text[..6], 24, 0.0, 0), text[6..30]);
    assert_eq!(scores.order(), 5);
}
