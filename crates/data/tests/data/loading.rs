//! Batches: pure functions of the step, covering what they should, in the shapes they should.

use std::collections::BTreeMap;

use proptest::prelude::*;
use wuji_data::{
    BatchLoader, ByteEncoder, Corpus, IGNORE_INDEX, LoaderOptions, MemorySource, Packing,
    Prefetcher, Sampling, SplitOptions, TokenBatch, TokenShards, WeightedSource,
};

use crate::support::{directory, epoch, prepare, tokens};

const SAMPLINGS: [Sampling; 4] = [
    Sampling::RandomOffset,
    Sampling::ShuffledWindows,
    Sampling::Sequential { include_partial: false },
    Sampling::Sequential { include_partial: true },
];

/// Training shards of documents made of a counter, so that neighbouring tokens are telling.
fn counting(directory: &tempfile::TempDir, documents: usize, separator: bool) -> TokenShards {
    let texts: Vec<String> =
        (0..documents).map(|index| format!("{index}:").repeat(1 + index % 7)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    prepare(directory, &texts, separator, &SplitOptions::default()).train
}

/// Every label with the token before it, as counted over all batches.
fn predictions(batches: &[TokenBatch]) -> BTreeMap<(u32, i64), usize> {
    let mut counts = BTreeMap::new();
    for batch in batches {
        for (&input, &label) in batch.input_ids.iter().zip(&batch.labels) {
            if label != IGNORE_INDEX {
                *counts.entry((input, label)).or_default() += 1;
            }
        }
    }
    counts
}

fn expected_predictions(tokens: &[u32]) -> BTreeMap<(u32, i64), usize> {
    let mut counts = BTreeMap::new();
    for pair in tokens.windows(2) {
        *counts.entry((pair[0], i64::from(pair[1]))).or_default() += 1;
    }
    counts
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn an_epoch_predicts_every_token_once_from_the_one_before_it(
        documents in 5_usize..60,
        context in 1_usize..30,
        seed: u64,
        shuffled: bool,
    ) {
        let directory = directory();
        let shards = counting(&directory, documents, true);
        prop_assume!(shards.token_count() > context as u64);
        let sampling = match shuffled {
            true => Sampling::ShuffledWindows,
            false => Sampling::Sequential { include_partial: true },
        };
        // One row per batch, so that an epoch ends with a batch.
        let options =
            LoaderOptions { context, micro_batch_size: 1, sampling, seed, ..Default::default() };
        let batches = epoch(&shards, options);
        prop_assert_eq!(predictions(&batches), expected_predictions(&tokens(&shards)));
    }

    #[test]
    fn a_batch_is_a_function_of_its_step_alone(
        seed: u64,
        batch in 1_usize..5,
        accumulation in 1_u32..4,
        steps in proptest::collection::vec(0_u64..1_000_000, 1..6),
    ) {
        let directory = directory();
        let shards = counting(&directory, 40, false);
        for sampling in SAMPLINGS {
            let options = LoaderOptions {
                context: 16,
                micro_batch_size: batch,
                gradient_accumulation_steps: accumulation,
                sampling,
                seed,
                packing: Packing::DocumentMask,
            };
            let loader = BatchLoader::new(shards.clone(), options.clone()).expect("fits");
            let forward: Vec<_> = steps.iter().map(|&step| loader.batch(step, accumulation - 1).expect("a batch")).collect();
            // Prepared again from the same text, asked in the opposite order.
            let reopened = counting(&directory, 40, false);
            prop_assert_eq!(reopened.fingerprint(), shards.fingerprint());
            let again = BatchLoader::new(reopened, options).expect("fits");
            for (&step, expected) in steps.iter().zip(&forward).rev() {
                prop_assert_eq!(&again.batch(step, accumulation - 1).expect("a batch"), expected);
            }
        }
    }
}

#[test]
fn rows_are_windows_of_the_text() {
    let directory = directory();
    let shards = counting(&directory, 50, false);
    let text = tokens(&shards);
    for sampling in [Sampling::RandomOffset, Sampling::Sequential { include_partial: false }] {
        let options =
            LoaderOptions { context: 12, micro_batch_size: 4, sampling, ..Default::default() };
        let batch = BatchLoader::new(shards.clone(), options).expect("fits").batch(3, 0);
        let batch = batch.expect("a batch");
        assert_eq!((batch.batch, batch.context, batch.label_count()), (4, 12, 48));
        for (inputs, labels) in batch.input_ids.chunks(12).zip(batch.labels.chunks(12)) {
            let mut window = inputs.to_vec();
            window.push(labels[11] as u32);
            assert!(text.windows(13).any(|found| found == window));
            assert!(inputs[1..].iter().map(|&id| i64::from(id)).eq(labels[..11].iter().copied()));
        }
    }
}

#[test]
fn accumulated_micro_batches_are_the_rows_of_one_large_batch() {
    let directory = directory();
    let shards = counting(&directory, 60, false);
    for sampling in [Sampling::RandomOffset, Sampling::ShuffledWindows] {
        let loader = |micro_batch_size, gradient_accumulation_steps| {
            let options = LoaderOptions {
                context: 8,
                micro_batch_size,
                gradient_accumulation_steps,
                sampling,
                ..Default::default()
            };
            BatchLoader::new(shards.clone(), options).expect("fits")
        };
        let large = loader(6, 1).batch(5, 0).expect("a batch");
        let small = loader(2, 3);
        let rows: Vec<u32> =
            (0..3).flat_map(|micro| small.batch(5, micro).expect("a batch").input_ids).collect();
        assert_eq!(rows, large.input_ids);
    }
}

#[test]
fn sequential_batches_begin_again_after_a_short_last_one() {
    let directory = directory();
    let shards = prepare(&directory, &[&"x".repeat(111)], false, &SplitOptions::default()).train;
    assert_eq!(shards.token_count(), 99);
    let options = LoaderOptions {
        context: 10,
        micro_batch_size: 4,
        sampling: Sampling::Sequential { include_partial: true },
        ..Default::default()
    };
    let loader = BatchLoader::new(shards, options).expect("fits");
    assert_eq!((loader.rows_per_epoch(), loader.batches_per_epoch()), (10, 3));
    let rows: Vec<usize> = (0..6).map(|step| loader.batch(step, 0).expect("b").batch).collect();
    assert_eq!(rows, [4, 4, 2, 4, 4, 2]);
    let labels: usize = (0..3).map(|step| loader.batch(step, 0).expect("b").label_count()).sum();
    assert_eq!(labels, 98);
}

#[test]
fn a_document_mask_makes_packed_documents_separate() {
    let directory = directory();
    let texts = ["alpha", "b", "gamma gamma", "delta"];
    let shards =
        prepare(&directory, &texts, true, &SplitOptions::Position { validation_fraction: 0.01 });
    let context = 30;
    let options = LoaderOptions {
        context,
        micro_batch_size: 1,
        packing: Packing::DocumentMask,
        sampling: Sampling::Sequential { include_partial: true },
        ..Default::default()
    };
    let batch = &epoch(&shards.train, options)[0];
    let segments = batch.segment_ids.as_ref().expect("segments");
    let positions = batch.position_ids.as_ref().expect("positions");
    let mut at = 0;
    // The last character of the last document validates.
    for (number, text) in (0..).zip(["alpha\u{0}", "b\u{0}", "gamma gamma\u{0}", "delt"]) {
        let ids: Vec<u32> =
            text.bytes().map(|byte| if byte == 0 { 256 } else { u32::from(byte) }).collect();
        let range = at..at + ids.len();
        assert_eq!(batch.input_ids[range.clone()], ids);
        assert!(segments[range.clone()].iter().all(|&segment| segment == number));
        assert!(positions[range.clone()].iter().copied().eq(0..ids.len() as u32));
        let mut labels: Vec<i64> = ids[1..].iter().map(|&id| i64::from(id)).collect();
        labels.push(IGNORE_INDEX);
        assert_eq!(batch.labels[range.clone()], labels, "{text:?}");
        at = range.end;
    }
    for position in at..context {
        assert_eq!(batch.labels[position], IGNORE_INDEX);
        assert!((0..at).all(|earlier| !batch.attends(0, position, earlier)));
    }
}

#[test]
fn the_ring_of_a_masked_epoch_does_not_join_the_end_to_the_beginning() {
    let directory = directory();
    let shards = prepare(&directory, &[&"abcdefghij".repeat(5)], false, &SplitOptions::default());
    let options = LoaderOptions {
        context: 10,
        micro_batch_size: 1,
        packing: Packing::DocumentMask,
        ..Default::default()
    };
    let batches = epoch(&shards.train, options);
    let rings: Vec<_> = batches
        .iter()
        .filter(|batch| {
            let segments = batch.segment_ids.as_ref().expect("segments");
            segments[0] == 0 && segments.contains(&1)
        })
        .collect();
    assert_eq!(rings.len(), 1, "one row runs over the end of the text");
    let positions = rings[0].position_ids.as_ref().expect("positions");
    let segments = rings[0].segment_ids.as_ref().expect("segments");
    let beginnings = segments.iter().zip(positions).filter(|&(&segment, &position)| {
        segment <= 1 && position == 0 // beyond 1 is padding
    });
    assert_eq!(beginnings.count(), 2);
}

/// Two sources told apart by their letters.
fn mixed(directory: &tempfile::TempDir, weights: [f64; 2]) -> TokenShards {
    let source = |name: &str, letter: &str, length: usize, weight| WeightedSource {
        source: std::sync::Arc::new(MemorySource::new(name, [letter.repeat(length)])),
        weight: Some(weight),
    };
    let sources = vec![source("a", "a", 900, weights[0]), source("b", "b", 300, weights[1])];
    let corpus = Corpus::new(sources).expect("two sources");
    let split = SplitOptions::default();
    wuji_data::prepare(&corpus, &ByteEncoder::default(), &split, directory.path())
        .expect("prepares")
        .train
}

#[test]
fn samples_follow_the_weights_not_the_sizes() {
    for sampling in [Sampling::RandomOffset, Sampling::ShuffledWindows] {
        for (weights, expected) in [([1.0, 1.0], 2048), ([1.0, 3.0], 1024)] {
            let directory = directory();
            let shards = mixed(&directory, weights);
            let options =
                LoaderOptions { context: 10, micro_batch_size: 64, sampling, ..Default::default() };
            let loader = BatchLoader::new(shards, options).expect("fits");
            let mut first = 0;
            for step in 0..64 {
                let batch = loader.batch(step, 0).expect("a batch");
                for row in batch.input_ids.chunks(10) {
                    let letter = row[0];
                    assert!(row.iter().all(|&id| id == letter), "a row has one source");
                    first += usize::from(letter == u32::from(b'a'));
                }
            }
            assert_eq!(first, expected, "{weights:?} {sampling:?}");
        }
    }
}

#[test]
fn weights_change_the_order_but_not_the_prepared_text() {
    let directory = directory();
    let first = mixed(&directory, [1.0, 1.0]);
    let second = mixed(&directory, [1.0, 2.0]);
    assert_eq!(first.shards()[0].shard.path(), second.shards()[0].shard.path());
    assert_ne!(first.fingerprint(), second.fingerprint());
}

#[test]
fn prefetched_batches_come_in_order_and_are_the_same() {
    let directory = directory();
    let shards = counting(&directory, 50, false);
    let options = LoaderOptions {
        context: 8,
        micro_batch_size: 2,
        gradient_accumulation_steps: 3,
        ..Default::default()
    };
    let loader = BatchLoader::new(shards, options).expect("fits");
    for depth in [0, 1, 7, 100] {
        let mut found = Prefetcher::new(loader.clone(), 10..20, depth).expect("starts");
        for step in 10..20 {
            for micro_step in 0..3 {
                let next = found.next().expect("more").expect("a batch");
                assert_eq!((next.step, next.micro_step), (step, micro_step));
                assert_eq!(next.batch, loader.batch(step, micro_step).expect("a batch"));
            }
        }
        assert!(found.next().is_none() && found.next().is_none());
    }
}

#[test]
fn a_prefetcher_that_is_dropped_early_ends() {
    let directory = directory();
    let loader = BatchLoader::new(
        counting(&directory, 50, false),
        LoaderOptions { context: 8, ..Default::default() },
    );
    let mut prefetcher = Prefetcher::new(loader.expect("fits"), 0..u64::MAX, 2).expect("starts");
    assert!(prefetcher.next().is_some());
    drop(prefetcher); // returns: the thread was joined
}

#[test]
fn sampling_and_packing_are_words_in_a_configuration() {
    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Options {
        sampling: Sampling,
        packing: Packing,
    }
    let check = |text: &str, sampling, packing| {
        let found: Options = toml::from_str(text).expect("parses");
        assert_eq!(found, Options { sampling, packing });
    };
    check(
        "sampling = 'random-offset'\npacking = 'documents-cross'",
        Sampling::RandomOffset,
        Packing::DocumentsCross,
    );
    check(
        "sampling = 'shuffled-windows'\npacking = 'document-mask'",
        Sampling::ShuffledWindows,
        Packing::DocumentMask,
    );
    check(
        "packing = 'document-mask'\nsampling.sequential.include_partial = true",
        Sampling::Sequential { include_partial: true },
        Packing::DocumentMask,
    );
}
