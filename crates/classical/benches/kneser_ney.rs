//! Training, scoring and order selection on procedural texts: characters and a BPE-like vocabulary.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use wuji_classical::{KneserNey, KneserNeyConfig, select_order};

/// A text with the statistics of one: Zipf-like words of letters, in a random order that favours
/// what came after the same word before. Seeded, so every run measures the same text.
fn text(vocab_size: u32, length: usize) -> Vec<u32> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = move |below: u32| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (((state >> 32) * u64::from(below)) >> 32) as u32
    };
    let mut tokens: Vec<u32> = (0..64).map(|_| random(vocab_size)).collect();
    while tokens.len() < length {
        // Either copy a phrase from before or say something new, rare tokens rarely.
        if random(4) > 0 {
            let (start, phrase) =
                (random(tokens.len() as u32 - 16) as usize, 3 + random(8) as usize);
            tokens.extend_from_within(start..start + phrase);
        } else {
            let rank = random(vocab_size).min(random(vocab_size)).min(random(vocab_size));
            tokens.push(rank);
        }
    }
    tokens.truncate(length);
    tokens
}

fn kneser_ney(criterion: &mut Criterion) {
    for (name, vocab_size, order) in [("characters", 65, 7), ("bpe", 4096, 5)] {
        let tokens = text(vocab_size, 1_000_000);
        let (train, validation) = tokens.split_at(900_000);
        let config = KneserNeyConfig::new(order, vocab_size as usize);

        let mut group = criterion.benchmark_group("train");
        group.sample_size(10).throughput(Throughput::Elements(train.len() as u64));
        group.bench_function(BenchmarkId::new(name, order), |bencher| {
            bencher.iter(|| KneserNey::train(config, [black_box(train)]).expect("valid text"));
        });
        group.finish();

        let model = KneserNey::train(config, [train]).expect("valid text");
        let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
        let mut group = criterion.benchmark_group("score");
        group.throughput(Throughput::Elements(validation.len() as u64));
        group.bench_function(BenchmarkId::new(name, order), |bencher| {
            one_thread.install(|| bencher.iter(|| model.score(black_box(validation))));
        });
        group.finish();
    }
    let tokens = text(4096, 1_500_000);
    let mut group = criterion.benchmark_group("select_order");
    group.sample_size(10);
    group.bench_function("bpe/1..=6", |bencher| {
        bencher.iter(|| select_order(black_box(&tokens), 4096, 1..=6, 0.1).expect("valid text"));
    });
    group.finish();
}

criterion_group!(benches, kneser_ney);
criterion_main!(benches);
