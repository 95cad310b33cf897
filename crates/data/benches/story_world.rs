//! How fast the default story corpus is told: `cargo bench -p wuji-data --bench story_world`.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use wuji_data::generate::{CorpusSize, StoryCorpusConfig};

/// One megabyte, so that the throughput shown is also megabytes per second of the whole corpus.
const BYTES: usize = 1_000_000;

fn story_corpus(criterion: &mut Criterion) {
    let config = StoryCorpusConfig { seed: 0, size: CorpusSize::TargetBytes(BYTES) };
    let mut group = criterion.benchmark_group("story_world");
    group.throughput(Throughput::Bytes(BYTES as u64));
    group.sample_size(20);
    group.bench_function("corpus", |bencher| {
        bencher.iter(|| config.documents().map(|text| text.len()).sum::<usize>())
    });
    group.finish();
}

criterion_group!(benches, story_corpus);
criterion_main!(benches);
