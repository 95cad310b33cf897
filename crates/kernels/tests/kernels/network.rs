//! All operations together: the same bits on any number of threads and with checkpointing.

use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use rayon::ThreadPoolBuilder;
use wuji_kernels::{
    AttentionOptions, CrossEntropy, attention_packed, cross_entropy_sum, embedding, gelu,
    layer_norm, linear, rms_norm, silu_mul_packed, squared_norm,
};

use crate::common::{Leaf, Values, at_every_level, evaluate, evaluate_on, numbers};

/// A transformer block with everything in it, large enough to be split among threads.
fn network(x: &[Leaf]) -> Tensor<1> {
    let ids: Vec<i32> = (0..4 * 96).map(|i| i * 31 % 97).collect();
    let weight = x[0].get::<2>();
    let device = weight.device().without_autodiff();
    let targets = Tensor::<1, Int>::from_data(TensorData::new(ids.clone(), [4 * 96]), &device);
    let ids = Tensor::<2, Int>::from_data(TensorData::new(ids, [4, 96]), &device);
    let hidden = embedding(weight.clone(), ids);
    let normed = layer_norm(hidden.clone(), x[1].get(), Some(x[2].get()), 1e-5);
    let qkv = linear(normed, x[3].get(), Some(x[4].get()));
    let attended = attention_packed(qkv, 6, 3, None, None, &AttentionOptions::causal());
    let hidden = hidden + attended;
    let inner = linear(rms_norm(hidden.clone(), x[1].get(), 1e-5), x[5].get(), None);
    let hidden = hidden + gelu(linear(silu_mul_packed(inner), x[6].get(), None));
    let logits = linear(hidden, weight.transpose(), None).reshape([4 * 96, 97]);
    cross_entropy_sum(logits, targets, CrossEntropy::smoothed(0.1))
}

fn inputs() -> Vec<Values> {
    let sizes: [&[usize]; 7] =
        [&[97, 192], &[192], &[192], &[192, 384], &[384], &[192, 600], &[300, 192]];
    sizes.iter().enumerate().map(|(i, size)| Values::random(size, 0.1, i as u64)).collect()
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let inputs = inputs();
    let large = Values::random(&[300_007], 1.0, 9).data;
    let large = TensorData::new(large, [300_007]).convert::<f32>();
    let large = Tensor::<1>::from_data(large, &Device::flex());
    at_every_level(|level| {
        let run = |threads: usize| {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            pool.install(|| {
                let found = evaluate(&network, &inputs, DType::F32);
                (found.output, found.gradients, numbers(squared_norm(&large)))
            })
        };
        let one = run(1);
        assert!(one.0[0].is_finite() && one.2[0] > 0.0);
        for threads in [2, 3, 8] {
            assert_eq!(one, run(threads), "{level:?} with {threads} threads");
        }
    });
}

#[test]
fn gradient_checkpointing_changes_nothing() {
    let inputs = inputs();
    let device = Device::flex().autodiff();
    let kept = evaluate_on(&device, &network, &inputs, DType::F32);
    let again = evaluate_on(&device.gradient_checkpointing(), &network, &inputs, DType::F32);
    let close = |a: &[f64], b: &[f64]| {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-5 * (1.0 + b.abs()))
    };
    assert!(close(&kept.output, &again.output));
    // Sums over uses of a tensor may be taken in another order.
    for (kept, again) in kept.gradients.iter().zip(&again.gradients) {
        assert!(close(kept, again));
    }
}
