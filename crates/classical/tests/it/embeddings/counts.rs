//! Neighbours and their weights, against slow and plain versions.

use std::collections::BTreeMap;

use proptest::prelude::*;
use wuji_classical::{
    ClassicalError, Cooccurrence, DistanceWeighting, GloVe, Ppmi, PpmiSvd, SparseMatrix, Word2Vec,
    WordVocabulary,
};

fn dense(matrix: &SparseMatrix) -> Vec<Vec<f64>> {
    let row = |row: wuji_classical::SparseRow| {
        let mut dense = vec![0.0; matrix.width()];
        row.columns.iter().zip(row.values).for_each(|(&c, &v)| dense[c as usize] = f64::from(v));
        dense
    };
    matrix.rows().map(row).collect()
}

/// What a neighbour counts, by its distance and the window.
type Weight = fn(f64, f64) -> f64;

/// Every pair of places of every document.
fn naive(documents: &[Vec<u32>], words: usize, window: usize, weight: Weight) -> Vec<Vec<f64>> {
    let mut counts = vec![vec![0.0; words]; words];
    for document in documents {
        for (a, &left) in document.iter().enumerate() {
            for (b, &right) in document.iter().enumerate() {
                let distance = a.abs_diff(b);
                if distance > 0 && distance <= window {
                    counts[left as usize][right as usize] += weight(distance as f64, window as f64);
                }
            }
        }
    }
    counts
}

proptest! {
    #[test]
    fn counts_are_those_of_all_pairs(
        documents in prop::collection::vec(prop::collection::vec(0u32..7, 0..20), 1..5),
        window in 1usize..8,
    ) {
        prop_assume!(documents.iter().any(|document| !document.is_empty()));
        let weightings: [(DistanceWeighting, Weight); 3] = [
            (DistanceWeighting::Uniform, |_, _| 1.0),
            (DistanceWeighting::Harmonic, |distance, _| 1.0 / distance),
            (DistanceWeighting::Linear, |distance, window| 1.0 - (distance - 1.0) / window),
        ];
        for (weighting, weight) in weightings {
            let counts = Cooccurrence { window, weighting }.count(7, &documents).unwrap();
            let expected = naive(&documents, 7, window, weight);
            for (found, expected) in dense(&counts).concat().iter().zip(expected.concat()) {
                prop_assert!((found - expected).abs() < 1e-5, "{} and {}", found, expected);
            }
        }
    }

    #[test]
    fn information_is_that_of_the_formula(
        cells in prop::collection::vec(prop_oneof![Just(0u8), 1u8..9], 12),
        shift in 0.5f64..5.0,
        smoothing in 0.3f64..1.0,
    ) {
        let pairs = |row: &[u8]| (0..).zip(row.iter().map(|&v| f32::from(v))).filter(|(_, v)| *v > 0.0).collect();
        let counts = SparseMatrix::from_rows(4, cells.chunks(4).map(pairs));
        let found = dense(&Ppmi { shift, context_smoothing: smoothing }.weigh(&counts).unwrap());
        let cell = |row: usize, column: usize| f64::from(cells[4 * row + column]);
        let smooth = |column: usize| (0..3).map(|row| cell(row, column)).sum::<f64>().powf(smoothing);
        let total: f64 = (0..12).map(|i| cell(i / 4, i % 4)).sum();
        let smooth_total: f64 = (0..4).map(smooth).sum();
        for (row, found) in found.iter().enumerate() {
            for (column, found) in found.iter().enumerate() {
                let expected = if cell(row, column) == 0.0 { 0.0 } else {
                    let together = cell(row, column) / total;
                    let word = (0..4).map(|column| cell(row, column)).sum::<f64>() / total;
                    let context = smooth(column) / smooth_total;
                    ((together / (word * context)).ln() - shift.ln()).max(0.0)
                };
                prop_assert!((found - expected).abs() < 1e-5);
            }
        }
    }
}

#[test]
fn a_count_by_hand() {
    let vocabulary = WordVocabulary::build([["the", "cat", "saw", "the", "dog"]], 1);
    assert_eq!(vocabulary.words(), ["the", "cat", "dog", "saw"]);
    let document = vocabulary.encode(["the", "cat", "saw", "the", "dog"]);
    let counting = Cooccurrence { window: 2, weighting: DistanceWeighting::Harmonic };
    let counts = counting.count(vocabulary.len(), &[document]).unwrap();
    let row: BTreeMap<u32, f32> =
        counts.row(0).columns.iter().copied().zip(counts.row(0).values.iter().copied()).collect();
    // "the": the cat next to it and two before it, the dog next to it, and "saw" two and one away.
    assert_eq!(row, BTreeMap::from([(1, 1.5), (2, 1.0), (3, 1.5)]));
}

#[test]
fn what_makes_no_sense_is_named() {
    let vocabulary = WordVocabulary::from_words(["a".to_owned(), "b".to_owned()]);
    let good = [vec![0u32, 1]];
    let name = |result: Result<_, ClassicalError>| match result.unwrap_err() {
        ClassicalError::Setting { name, .. } => name,
        other => panic!("{other}"),
    };
    let word2vec = Word2Vec::default();
    let cases = [
        (Word2Vec { dim: 0, ..word2vec }, "dim"),
        (Word2Vec { window: 0, ..word2vec }, "window"),
        (Word2Vec { subsample: -1.0, ..word2vec }, "subsample"),
        (Word2Vec { learning_rate: f64::NAN, ..word2vec }, "learning_rate"),
        (Word2Vec { batch_words: 0, ..word2vec }, "batch_words"),
    ];
    for (options, expected) in cases {
        assert_eq!(name(options.train(&vocabulary, &good)), expected);
    }
    assert_eq!(name(GloVe { x_max: 0.0, ..GloVe::default() }.train(&vocabulary, &good)), "x_max");
    let window = Cooccurrence { window: 0, ..Cooccurrence::default() };
    let counted = PpmiSvd { cooccurrence: window, ..PpmiSvd::default() };
    assert_eq!(name(counted.train(&vocabulary, &good)), "window");
    let outside = [vec![0u32], vec![1, 2]];
    let expected =
        ClassicalError::TokenOutOfRange { document: 1, position: 1, token: 2, vocab_size: 2 };
    assert_eq!(word2vec.train(&vocabulary, &outside).unwrap_err(), expected);
    let empty: [Vec<u32>; 2] = Default::default();
    assert_eq!(
        word2vec.train(&vocabulary, &empty).unwrap_err(),
        ClassicalError::EmptyCorpus { documents: 2 }
    );
}
