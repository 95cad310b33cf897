//! Every kernel against the plain-burn body, forward and backward, at the shapes of a 14 M model.
//!
//! `cargo bench -p wuji-kernels --bench kernels -- gelu` measures one of them.

use burn::tensor::{Device, Distribution, Int, Shape, Tensor, TensorData};
use criterion::{Criterion, criterion_group, criterion_main};
use wuji_kernels::{
    AdamWStep, AttentionOptions, CrossEntropy, Int8Weight, Precision, adamw_step, attention,
    cross_entropy_sum, embedding, gelu, gelu_tanh, layer_norm, linear, linear_cross_entropy_sum,
    linear_int8, plain, rms_norm, rotary, silu_mul,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const BATCH: usize = 8;
const CONTEXT: usize = 256;
const WIDTH: usize = 384;
const HEADS: usize = 6;
const VOCABULARY: usize = 4096;

fn random<const D: usize>(shape: impl Into<Shape>, device: &Device) -> Tensor<D> {
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), device)
}

/// Measures `f` forward and backward under `group/name`.
fn measure<const I: usize, const O: usize>(
    criterion: &mut Criterion,
    group: &str,
    name: &str,
    shape: [usize; I],
    f: impl Fn(Tensor<I>) -> Tensor<O>,
) {
    let device = Device::flex().autodiff();
    let x = random::<I>(shape, &device).require_grad();
    let mut group = criterion.benchmark_group(group);
    group.sample_size(10);
    group.bench_function(format!("{name} forward"), |bencher| {
        bencher.iter(|| f(x.clone().inner()));
    });
    group.bench_function(format!("{name} forward and backward"), |bencher| {
        bencher.iter(|| x.grad(&f(x.clone()).sum().backward()).expect("a gradient"));
    });
    group.finish();
}

fn activations(criterion: &mut Criterion) {
    let shape = [BATCH, CONTEXT, 4 * WIDTH];
    measure(criterion, "gelu", "fused", shape, gelu::<3>);
    measure(criterion, "gelu", "plain", shape, plain::gelu::<3>);
    measure(criterion, "gelu_tanh", "fused", shape, gelu_tanh::<3>);
    measure(criterion, "gelu_tanh", "plain", shape, plain::gelu_tanh::<3>);
    measure(criterion, "silu_mul", "fused", shape, |x: Tensor<3>| silu_mul(x.clone(), x));
    measure(criterion, "silu_mul", "plain", shape, |x: Tensor<3>| plain::silu_mul(x.clone(), x));
}

fn norms(criterion: &mut Criterion) {
    let shape = [BATCH, CONTEXT, WIDTH];
    let weight = Tensor::<1>::ones([WIDTH], &Device::flex());
    let w = || weight.clone();
    measure(criterion, "layer_norm", "fused", shape, |x| layer_norm(x, w(), None, 1e-5));
    measure(criterion, "layer_norm", "plain", shape, |x| plain::layer_norm(x, w(), None, 1e-5));
    measure(criterion, "rms_norm", "fused", shape, |x: Tensor<3>| rms_norm(x, w(), 1e-5));
    measure(criterion, "rms_norm", "plain", shape, |x: Tensor<3>| plain::rms_norm(x, w(), 1e-5));
}

fn attentions(criterion: &mut Criterion) {
    let options = AttentionOptions::causal();
    let shape = [BATCH, CONTEXT, HEADS, WIDTH / HEADS];
    measure(criterion, "attention", "fused", shape, |x: Tensor<4>| {
        attention(x.clone(), x.clone(), x, None, &options)
    });
    measure(criterion, "attention", "plain", shape, |x: Tensor<4>| {
        plain::attention(x.clone(), x.clone(), x, None, &options)
    });
    let keys = random::<4>([1, 1024, 12, 64], &Device::flex());
    let decode = [1, 1, 12, 64];
    measure(criterion, "decode", "fused", decode, |q: Tensor<4>| {
        attention(q, keys.clone(), keys.clone(), None, &options)
    });
    measure(criterion, "decode", "plain", decode, |q: Tensor<4>| {
        plain::attention(q, keys.clone(), keys.clone(), None, &options)
    });
    let angles = random::<3>([1, CONTEXT, WIDTH / HEADS / 2], &Device::flex());
    let a = || angles.clone();
    measure(criterion, "rotary", "fused", shape, |x: Tensor<4>| rotary(x, a(), a()));
    measure(criterion, "rotary", "plain", shape, |x: Tensor<4>| plain::rotary(x, a(), a()));
}

fn ends(criterion: &mut Criterion) {
    let device = Device::flex();
    let ids: Vec<i32> = (0..BATCH * CONTEXT).map(|i| (i * 7919 % VOCABULARY) as i32).collect();
    let targets = TensorData::new(ids.clone(), [BATCH * CONTEXT]);
    let targets = Tensor::<1, Int>::from_data(targets, &device);
    let ids = Tensor::<2, Int>::from_data(TensorData::new(ids, [BATCH, CONTEXT]), &device);
    let weight = [VOCABULARY, WIDTH];
    measure(criterion, "embedding", "fused", weight, |x| embedding(x, ids.clone()));
    measure(criterion, "embedding", "plain", weight, |x| plain::embedding(x, ids.clone()));
    let logits = [BATCH * CONTEXT, VOCABULARY];
    measure(criterion, "cross_entropy", "fused", logits, |x: Tensor<2>| {
        cross_entropy_sum(x, targets.clone(), CrossEntropy::default())
    });
    measure(criterion, "cross_entropy", "plain", logits, |x: Tensor<2>| {
        plain::cross_entropy_sum(x, targets.clone(), CrossEntropy::default())
    });
    let x = random::<3>([BATCH, CONTEXT, WIDTH], &device);
    let weight = [WIDTH, 4 * WIDTH];
    measure(criterion, "linear", "fused", weight, |w| linear(x.clone(), w, None));
    measure(criterion, "linear", "plain", weight, |w| plain::linear(x.clone(), w, None));
}

fn heads(criterion: &mut Criterion) {
    let device = Device::flex();
    let ids: Vec<i32> = (0..BATCH * CONTEXT).map(|i| (i * 7919 % VOCABULARY) as i32).collect();
    let targets = TensorData::new(ids, [BATCH * CONTEXT]);
    let targets = Tensor::<1, Int>::from_data(targets, &device);
    let weight = random::<2>([WIDTH, VOCABULARY], &device);
    let hidden = [BATCH * CONTEXT, WIDTH];
    let options = CrossEntropy::default();
    measure(criterion, "linear_cross_entropy", "fused", hidden, |x: Tensor<2>| {
        linear_cross_entropy_sum(x, weight.clone(), None, targets.clone(), options)
    });
    measure(criterion, "linear_cross_entropy", "plain", hidden, |x: Tensor<2>| {
        let logits = plain::linear(x, weight.clone(), None);
        plain::cross_entropy_sum(logits, targets.clone(), options)
    });
    let x = random::<3>([BATCH, CONTEXT, WIDTH], &device);
    measure(criterion, "linear", "bf16", [WIDTH, 4 * WIDTH], |w| {
        Precision::Bf16.scope(|| linear(x.clone(), w, None))
    });
}

/// The products of one token with a matrix of a model of 124 M parameters.
fn decoding(criterion: &mut Criterion) {
    let device = Device::flex();
    let x = random::<2>([1, 768], &device);
    let weight = random::<2>([768, 3072], &device);
    let turned = weight.clone().transpose();
    let int8 = Int8Weight::quantize(turned.clone()).expect("a width of whole blocks");
    let rows = turned.mul_scalar(1.0); // Its own memory, row by row.
    let mut group = criterion.benchmark_group("one_token");
    group.bench_function("f32", |b| b.iter(|| linear(x.clone(), weight.clone(), None)));
    group.bench_function("f32 transposed", |b| {
        b.iter(|| linear(x.clone(), rows.clone().transpose(), None));
    });
    group.bench_function("int8", |b| b.iter(|| linear_int8(x.clone(), &int8, None)));
    group.bench_function("plain", |b| b.iter(|| plain::linear(x.clone(), weight.clone(), None)));
    group.finish();
}

fn optimizer(criterion: &mut Criterion) {
    let step = AdamWStep {
        lr: 1e-3,
        beta1: 0.9,
        beta2: 0.99,
        epsilon: 1e-8,
        weight_decay: 0.1,
        step: 1,
        grad_scale: 1.0,
    };
    let mut group = criterion.benchmark_group("adamw_step");
    group.sample_size(10);
    type Update = fn(
        Tensor<1>,
        Tensor<1>,
        Tensor<1>,
        Tensor<1>,
        &AdamWStep,
    ) -> (Tensor<1>, Tensor<1>, Tensor<1>);
    for (name, update) in [("fused", adamw_step as Update), ("plain", plain::adamw_step)] {
        let device = Device::flex();
        let grad = random::<1>([14_000_000], &device);
        let mut state = Some((grad.zeros_like(), grad.zeros_like(), grad.zeros_like()));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let (param, m, v) = state.take().expect("a state between steps");
                state = Some(update(param, grad.clone(), m, v, &step));
            });
        });
    }
    group.finish();
}

criterion_group!(benches, activations, norms, attentions, ends, heads, decoding, optimizer);
criterion_main!(benches);
