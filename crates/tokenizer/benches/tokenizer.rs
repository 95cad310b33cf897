//! Throughput of training and encoding, for each kind: `cargo bench -p wuji-tokenizer`.
//!
//! The text is made here, so that figures can be compared between machines: sentences of pseudo-words with Zipf's
//! frequencies, as natural text has them.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use wuji_tokenizer::{Tokenizer, TokenizerKind, TokenizerTrainerConfig};

const SYLLABLES: [&str; 16] = [
    "ba", "ke", "li", "mo", "nu", "ra", "se", "ti", "vo", "shu", "th", "in", "er", "an", "ou", "st",
];

/// About `bytes` of text in lines.
fn text(bytes: usize) -> String {
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut text = String::with_capacity(bytes + 64);
    while text.len() < bytes {
        // A rank with probability proportional to its inverse.
        let uniform = (random() >> 11) as f64 / (1u64 << 53) as f64;
        let mut rank = (20_000f64.powf(uniform)) as usize;
        while rank > 0 {
            text.push_str(SYLLABLES[rank % 16]);
            rank /= 16;
        }
        text.push_str(match random() % 24 {
            0 => ".\n",
            1 => ", ",
            _ => " ",
        });
    }
    text
}

fn trained(kind: TokenizerKind, text: &str) -> Tokenizer {
    let config = TokenizerTrainerConfig {
        special_tokens: if kind == TokenizerKind::Char {
            vec!["<unk>".to_owned()]
        } else {
            Vec::new()
        },
        ..TokenizerTrainerConfig::new(kind, 4096)
    };
    Tokenizer::train(&config, text.split_inclusive('\n').map(str::to_owned))
        .expect("the corpus is sound")
}

fn encoding(criterion: &mut Criterion) {
    let corpus = text(1 << 20);
    let lines: Vec<&str> = corpus.split_inclusive('\n').collect();
    let mut group = criterion.benchmark_group("encode");
    group.sample_size(10).throughput(Throughput::Bytes(corpus.len() as u64));
    for kind in TokenizerKind::ALL {
        let tokenizer = trained(kind, &corpus);
        group.bench_function(BenchmarkId::new("ids, one text", kind), |bencher| {
            bencher.iter(|| tokenizer.encode_ids(&corpus));
        });
        group.bench_function(BenchmarkId::new("ids, lines in parallel", kind), |bencher| {
            bencher.iter(|| tokenizer.encode_ids_batch(&lines));
        });
        group.bench_function(BenchmarkId::new("with offsets, one text", kind), |bencher| {
            bencher.iter(|| tokenizer.encode(&corpus, false));
        });
    }
    group.finish();
}

fn training(criterion: &mut Criterion) {
    let corpus = text(1 << 20);
    let mut group = criterion.benchmark_group("train to 4096");
    group.sample_size(10).throughput(Throughput::Bytes(corpus.len() as u64));
    for kind in TokenizerKind::ALL {
        group.bench_function(BenchmarkId::from_parameter(kind), |bencher| {
            bencher.iter(|| trained(kind, &corpus));
        });
    }
    group.finish();
}

criterion_group!(benches, encoding, training);
criterion_main!(benches);
