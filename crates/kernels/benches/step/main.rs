//! A whole GPT training step on these kernels: forward, backward, clipping, AdamW.
//!
//! The shapes of `wuji bench train`: GPT-2 blocks without biases, learned positions, untied head.
//! `cargo bench -p wuji-kernels --bench step -- --profile-time 10` under `perf record` shows where
//! the time goes.

mod model;

use burn::tensor::TensorData;
use criterion::{Criterion, criterion_group, criterion_main};
use model::{Model, Shape};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn bench(criterion: &mut Criterion) {
    let small = Shape { batch: 12, context: 64, layers: 4, heads: 4, width: 128, vocabulary: 65 };
    let medium =
        Shape { batch: 8, context: 256, layers: 6, heads: 6, width: 384, vocabulary: 4096 };
    for (name, shape) in [("12x64,4x4x128,65", small), ("8x256,6x6x384,4096", medium)] {
        let size = [shape.batch, shape.context];
        let count = size[0] * size[1];
        let id = |i: usize| (i * 7919 % 1_000_003 % shape.vocabulary) as i32;
        let ids = TensorData::new((0..count).map(id).collect(), size);
        let targets = TensorData::new((1..=count).map(id).collect(), [count]);
        let mut model = Model::new(shape);
        let mut group = criterion.benchmark_group("step");
        group.sample_size(10);
        group.bench_function(name, |bencher| bencher.iter(|| model.step(&ids, &targets)));
        group.finish();
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
