//! The published figure: nats per character of the last tenth of tinyshakespeare.

use std::collections::BTreeSet;
use std::io::Read;

use flate2::read::GzDecoder;
use wuji_classical::{Estimation, KneserNeyConfig, NgramCounts, Smoothing, select_order};

use super::shared;

/// The text as ids of its sorted characters, cut where nanoGPT cuts it, and the vocabulary size.
fn read() -> Option<(Vec<u32>, Vec<u32>, usize)> {
    let path = shared::find("data/pretrain/tinyshakespeare/input.txt.gz")?;
    let mut text = String::new();
    GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    let characters: Vec<char> = text.chars().collect::<BTreeSet<_>>().into_iter().collect();
    let id = |c: char| characters.binary_search(&c).unwrap() as u32;
    let mut train: Vec<u32> = text.chars().map(id).collect();
    let validation = train.split_off(train.len() * 9 / 10);
    Some((train, validation, characters.len()))
}

#[test]
fn order_7_reaches_the_published_nats_per_character() {
    let Some((train, validation, vocab_size)) = read() else {
        return;
    };
    assert_eq!((train.len(), validation.len(), vocab_size), (1_003_854, 111_540, 65));
    let counts = NgramCounts::collect(KneserNeyConfig::new(9, vocab_size), [&train[..]]).unwrap();
    let figures: Vec<f64> = (1..=9)
        .map(|order| counts.model(order).unwrap().score(&validation).nats_per_token())
        .collect();
    assert!((figures[6] - 1.5165).abs() < 0.001, "order 7: {figures:?}");
    let best = figures.iter().copied().fold(f64::INFINITY, f64::min);
    assert_eq!(best, figures[6], "{figures:?}");
}

#[test]
fn other_smoothings_reach_their_published_figures() {
    let Some((train, validation, vocab_size)) = read() else {
        return;
    };
    let counts = NgramCounts::collect(KneserNeyConfig::new(7, vocab_size), [&train[..]]).unwrap();
    let check = |order, estimation: Estimation, expected: f64| {
        let model = counts.smoothed(order, &estimation).unwrap();
        let found = model.score(&validation).nats_per_token();
        assert!((found - expected).abs() < 1e-4, "{order} {estimation:?}: {found}");
    };
    check(5, Smoothing::AbsoluteDiscounting.into(), 1.7092);
    check(5, Smoothing::WittenBell.into(), 1.6688);
    check(6, Smoothing::KATZ.into(), 1.6534);
    check(7, Estimation::default().with_min_counts([1, 1, 1, 1, 2]), 1.5102);
}

#[test]
fn the_order_is_found_without_the_validation_text() {
    let Some((train, validation, vocab_size)) = read() else {
        return;
    };
    let selection = select_order(&train, vocab_size, 1..=9, 0.1).unwrap();
    assert!((6..=8).contains(&selection.order), "{:?}", selection.per_order);
    assert!(selection.best.score(&validation).nats_per_token() < 1.525);
    let mut distribution = Vec::new();
    for position in (0..validation.len()).step_by(1009) {
        selection.best.distribution(&validation[..position], &mut distribution);
        assert!((distribution.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
}
